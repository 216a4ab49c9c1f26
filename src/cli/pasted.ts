import { basename } from 'node:path';
import { isConfigError } from '../config/check/problem.js';
import { loadConfig } from '../config/load.js';
import { messageOf } from '../errors.js';

/** The name under which problems of a pasted configuration are told. */
const PASTED = '/pasted.yaml';
const SECRETS = 'secrets.yaml';
/** Stands for what a variable or a secret holds: whoever pastes may not read with the daemon's eyes. */
const HIDDEN = 'hidden';
/** Problems that come of that alone. */
const UNKNOWN = new RegExp(`${HIDDEN}|is not set`);
const MAX_PROBLEMS = 100;

/**
 * Problems of a configuration that is pasted, the first hundred. Files it names (passwords, certificates,
 * secrets) are not opened, and variables of the environment are not looked up; lines that refer to them are
 * only checked for how they are written.
 */
export function problemsOf(yaml: string): readonly string[] {
  const lines = yaml.split('\n');
  const refers = (line: number) => /\$\{|!secret\b/.test(lines[line - 1] ?? '');
  try {
    loadConfig({
      env: hiddenVariables(yaml),
      files: [PASTED],
      readFile: (file) => Buffer.from(standInFor(file, yaml)),
      listFolder: () => [],
      modeOf: () => null,
    });
    return [];
  } catch (error) {
    if (!isConfigError(error)) return [messageOf(error)];
    const lines = error.problems
      .filter(({ where, message }) => !refers(lineOf(where)) || !UNKNOWN.test(message))
      .map(
        ({ where, key, message }) => `${where.replace(`${PASTED}:`, 'line ')}: ${key} ${message}`,
      );
    const more = lines.length - MAX_PROBLEMS;
    return more > 0 ? [...lines.slice(0, MAX_PROBLEMS), `and ${more} more problems`] : lines;
  }
}

function lineOf(where: string): number {
  return Number(/:(\d+)$/.exec(where)?.[1] ?? 0);
}

function hiddenVariables(yaml: string): NodeJS.ProcessEnv {
  const names = [...yaml.matchAll(/\$\{(\w{1,128})/g)].map(([, name]) => name ?? '');
  // What begins so would be read as configuration of its own.
  const plain = names.filter((name) => !name.startsWith('MOBILENETD_'));
  return Object.fromEntries(plain.map((name) => [name, HIDDEN]));
}

function standInFor(file: string, yaml: string): string {
  if (file === PASTED) return yaml;
  if (basename(file) !== SECRETS) return 'not opened';
  const names = [...yaml.matchAll(/!secret[ \t]+["']?([^\s"',}\]#]{1,128})/g)];
  return names.map(([, name]) => `${JSON.stringify(name)}: ${HIDDEN}\n`).join('');
}
