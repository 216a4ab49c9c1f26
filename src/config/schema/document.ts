import { stringify } from 'yaml';
import type { Node, Section } from '../../schema/section.js';
import { isLeaf, isNamedItems } from '../../schema/section.js';
import type { KnownKey } from './keys.js';
import { ENV_ALIASES, KNOWN_KEYS, keysOf } from './keys.js';
import { SCHEMA, SECTION_DOCS } from './schema.js';
import { CAMERA } from './sections/camera.js';

const WIDTH = 98;

/** The shipped `config/default.yaml`: every key with its default, its meaning and its variable. */
export function defaultYaml(): string {
  const head = [
    'Every key of mobilenetd with its default. Written from src/config/schema.ts by',
    'scripts/write-default-config.mjs; do not edit. Your own /etc/mobilenetd/config.yaml needs only the',
    'keys that differ. Durations are seconds, temperatures °C, sizes pixels.',
  ].map((line) => `# ${line}`);
  return `${[...head, ...sectionLines(SCHEMA, [])].join('\n')}\n`;
}

function sectionLines(section: Section, path: readonly string[]): readonly string[] {
  return Object.entries(section).flatMap(([name, node]: [string, Node]) => {
    const lines = nodeLines(name, node, [...path, name]);
    return path.length === 0 ? ['', ...lines] : lines;
  });
}

function nodeLines(name: string, node: Node, path: readonly string[]): readonly string[] {
  const known = KNOWN_KEYS.find((candidate) => candidate.dotted === path.join('.'));
  if (isLeaf(node)) {
    const variables = known === undefined ? '' : `; ${variablesOf(known).join(' or ')}`;
    const value = node.required ? '(must be given)' : scalar(node.default);
    const type = comment(`${node.type.expected}${variables}`);
    return [...comment(node.doc), ...type, `${name}: ${value}`];
  }
  if (isNamedItems(node)) {
    const type = known === undefined ? [] : comment(`${known.env}: a JSON object`);
    const example = node.example.split('\n').map((line) => `#   ${line}`);
    const keys = path.join('.') === 'cameras' ? cameraLines() : [];
    return [...comment(node.doc), ...type, '# Example:', ...example, ...keys, `${name}: {}`];
  }
  const doc = SECTION_DOCS[path.join('.')] ?? '';
  const below = sectionLines(node, path).map((line) => (line === '' ? '' : `  ${line}`));
  return [...comment(doc), `${name}:`, ...below];
}

function cameraLines(): readonly string[] {
  const keys = sectionLines(CAMERA, ['cameras', 'NAME']);
  return ['# The keys of a camera and their defaults:', ...keys.map((line) => `#   ${line}`)];
}

function variablesOf({ env, dotted }: KnownKey): readonly string[] {
  const aliases = Object.entries(ENV_ALIASES).filter(([, target]) => target === dotted);
  return [env, ...aliases.map(([alias]) => alias)];
}

function comment(text: string): readonly string[] {
  if (text === '') return [];
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function scalar(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
}

/** The tables of docs/configure.md. */
export function referenceMarkdown(): string {
  const general = KNOWN_KEYS.filter(({ node }) => isLeaf(node));
  return [
    '| Key | Default | Value | Meaning |',
    '| --- | --- | --- | --- |',
    ...general.map(tableRow),
    '',
    'Of every camera (`cameras.<name>`):',
    '',
    '| Key | Default | Value | Meaning |',
    '| --- | --- | --- | --- |',
    ...keysOf(CAMERA).map(tableRow),
    '',
  ].join('\n');
}

function tableRow({ dotted, node }: KnownKey): string {
  if (!isLeaf(node)) return '';
  const value = node.required ? 'must be given' : `\`${scalar(node.default)}\``;
  const cells = [`\`${dotted}\``, value, node.type.expected, node.doc];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
