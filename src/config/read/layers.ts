import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { ConfigProblem } from '../check/problem.js';
import { KNOWN_KEYS } from '../schema/keys.js';
import { reasonOf, textOf, unreadable } from './bytes.js';
import { place, readEnvironment } from './environment.js';
import { MAX_FILE_BYTES, parseConfigFile } from './file.js';
import type { Layer } from './layer.js';
import { nearestOrigin } from './origins.js';
import { OVERLAYS } from './places.js';
import type { References } from './references.js';
import { nameRules } from './rule-list.js';
import { SecretsFile } from './secrets-file.js';

/** How files are looked at. */
export interface FileAccess {
  /** Reads at most `limit` bytes of a file; fails with an errno error. */
  readonly read: (file: string, limit: number) => Buffer;
  /** Names in a folder; none when it is not there. Fails with an errno error. */
  readonly list: (folder: string) => readonly string[];
  /** Permission bits; null when they cannot be told. */
  readonly modeOf: (file: string) => number | null;
}

/** What is wrong and what is odd, as it is found. */
export interface Findings {
  readonly problems: ConfigProblem[];
  readonly warnings: ConfigProblem[];
}

/** Everything that a user said, the earlier layers first. */
export class LayerReader {
  /** By the folder that `secrets.yaml` lies in. */
  readonly #secrets = new Map<string, SecretsFile>();

  /** Rules of lists that have no name, in all files. */
  #unnamedRules = 0;

  constructor(
    private readonly env: NodeJS.ProcessEnv,
    private readonly cwd: string,
    private readonly access: FileAccess,
    private readonly findings: Findings,
  ) {}

  /** The named files, or the system's if it exists; then `conf.d/*.yaml` of each one's folder. */
  files(named: readonly string[], systemFile: string): readonly Layer[] {
    const layers = named.map((file) => this.#file(file));
    if (named.length === 0 && this.#exists(systemFile)) layers.push(this.#file(systemFile));
    const folders = (named.length > 0 ? named : [systemFile]).map((file) => dirname(file));
    const overlays = [...new Set(folders)].flatMap((folder) => this.#overlays(folder));
    return [...layers, ...overlays.map((file) => this.#file(file))];
  }

  #exists(file: string): boolean {
    try {
      this.access.read(resolve(this.cwd, file), 1);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code !== 'ENOENT' && code !== 'ENOTDIR';
    }
  }

  /** By name, as numbers in front order them: `10-cameras.yaml`, `20-broker.yaml`. */
  #overlays(folder: string): readonly string[] {
    return this.#list(join(folder, OVERLAYS))
      .filter((name) => /^[^.].*\.ya?ml$/.test(name) && name !== SECRETS)
      .sort()
      .map((name) => join(folder, OVERLAYS, name));
  }

  /** Throws MND_CONFIG_UNREADABLE: what is there must not be left out without a word. */
  #list(folder: string): readonly string[] {
    try {
      return this.access.list(resolve(this.cwd, folder));
    } catch (cause) {
      throw unreadable(folder, reasonOf(cause), cause);
    }
  }

  #file(file: string): Layer {
    const path = resolve(this.cwd, file);
    const folder = dirname(path);
    const parsed = parseConfigFile(file, this.#text(file), this.#references(file));
    this.findings.problems.push(...parsed.problems);
    const { values, pathOf, twice } = nameRules(parsed.values, () => {
      this.#unnamedRules += 1;
      return this.#unnamedRules;
    });
    const originOf = (path: readonly string[]) => `${file}:${parsed.lineOf(path)}`;
    for (const [path, name] of twice) {
      const key = `notify.${name}`;
      this.findings.problems.push({
        where: originOf(path),
        key,
        message: 'two rules have this name',
      });
    }
    return {
      values,
      originOf: (path) => originOf(pathOf(path)),
      replaces: false,
      resolvePath: (value) => this.#absolute(folder, value),
    };
  }

  /** Throws MND_CONFIG_UNREADABLE. */
  #text(file: string): string {
    try {
      return this.#read(file);
    } catch (cause) {
      throw unreadable(file, reasonOf(cause), cause);
    }
  }

  #read(file: string): string {
    const bytes = this.access.read(resolve(this.cwd, file), MAX_FILE_BYTES + 1);
    if (bytes.length > MAX_FILE_BYTES) throw new Error(`more than ${MAX_FILE_BYTES} bytes`);
    const text = textOf(bytes);
    if (text === null) throw new Error('bytes that are not UTF-8 text');
    return text;
  }

  #references(file: string): References {
    const folder = dirname(file);
    const home = basename(folder) === OVERLAYS ? dirname(folder) : folder;
    return {
      variable: (name) => this.env[name] || undefined,
      secret: (name) => this.#secretsOf(home).get(name),
    };
  }

  #secretsOf(folder: string): SecretsFile {
    const file = join(folder, SECRETS);
    const known = this.#secrets.get(file);
    if (known !== undefined) return known;
    const path = resolve(this.cwd, file);
    const around = {
      readText: () => this.#read(file),
      modeOf: () => this.access.modeOf(path),
      variable: (name: string) => this.env[name] || undefined,
    };
    const secrets = new SecretsFile(file, around, this.findings.problems);
    this.#secrets.set(file, secrets);
    return secrets;
  }

  environment(): Layer {
    const { values, variables, problems, warnings } = readEnvironment(this.env);
    this.findings.problems.push(...problems);
    this.findings.warnings.push(...warnings);
    return {
      values,
      originOf: (path) => nearestOrigin(variables, path),
      replaces: true,
      resolvePath: (value) => this.#absolute(this.cwd, value),
    };
  }

  /** Values by dotted key; undefined ones are skipped. */
  flags(flags: Readonly<Record<string, unknown>>): Layer {
    const values: Record<string, unknown> = {};
    for (const [dotted, value] of Object.entries(flags)) {
      if (value === undefined) continue;
      const known = KNOWN_KEYS.find((candidate) => candidate.dotted === dotted);
      if (known !== undefined) place(values, known.path, value);
      else this.findings.problems.push({ where: FLAG, key: dotted, message: 'unknown key' });
    }
    return {
      values,
      originOf: () => FLAG,
      replaces: true,
      resolvePath: (value) => this.#absolute(this.cwd, value),
    };
  }

  #absolute(folder: string, path: string): string {
    if (path === '~' || path.startsWith('~/')) {
      return join(this.env.HOME ?? homedir(), path.slice(1));
    }
    return isAbsolute(path) ? path : resolve(folder, path);
  }
}

const SECRETS = 'secrets.yaml';
const FLAG = '--flag';
