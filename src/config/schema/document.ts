import { stringify } from 'yaml';
import { sectionSchema } from '../../schema/json-schema.js';
import type { Leaf, Node, Section } from '../../schema/section.js';
import { isLeaf, isNamedItems } from '../../schema/section.js';
import type { KnownKey } from './keys.js';
import { ENV_ALIASES, KNOWN_KEYS } from './keys.js';
import { CAMERA_DEFAULTS, FILE_SCHEMA, SCHEMA, SECTION_DOCS } from './schema.js';
import { CAMERA } from './sections/camera.js';

const WIDTH = 98;

/** The shipped `config/default.yaml`: every key with its default, its meaning and its variable. */
export function defaultYaml(): string {
  const head = [
    'yaml-language-server: $schema=../docs/schema/config.json',
    'Every key of mobilenetd with its default. Written from src/config/schema by',
    'scripts/write-default-config.mjs; do not edit. Your own /etc/mobilenetd/config.yaml needs only the',
    'keys that differ. Durations are seconds, temperatures °C, sizes pixels.',
  ].map((line) => `# ${line}`);
  return `${[...head, ...sectionLines(FILE_SCHEMA, [])].join('\n')}\n`;
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
  if (path.join('.') === CAMERA_DEFAULTS) {
    const variable = comment('As variables e.g. MOBILENETD_CAMERA_DEFAULTS_FPS');
    return [...comment(doc), ...variable, `${name}: {}`];
  }
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

/** `docs/schema/config.json`: the JSON Schema by which editors complete and check a file. */
export function editorSchema(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of mobilenetd',
    ...sectionSchema(FILE_SCHEMA, SECTION_DOCS),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** The tables of docs/configure.md. */
export function referenceMarkdown(): string {
  const { cameras: _, ...general } = SCHEMA;
  return [
    '| Key | Default | Value | Meaning |',
    '| --- | --- | --- | --- |',
    ...tableRows(general, []),
    '',
    'Of every camera (`cameras.<name>`), and of all together (`camera_defaults`):',
    '',
    '| Key | Default | Value | Meaning |',
    '| --- | --- | --- | --- |',
    ...tableRows(CAMERA, []),
    '',
  ].join('\n');
}

function tableRows(section: Section, path: readonly string[]): readonly string[] {
  return Object.entries(section).flatMap(([name, node]: [string, Node]) =>
    nodeRows(node, [...path, name]),
  );
}

function nodeRows(node: Node, path: readonly string[]): readonly string[] {
  if (isNamedItems(node)) {
    const named = [...path, '<name>'];
    const { item } = node;
    const below = isLeaf(item)
      ? [tableRow(named, '', item.type.expected, item.doc)]
      : nodeRows(item, named);
    return [tableRow(path, '`{}`', 'a section', node.doc), ...below];
  }
  if (!isLeaf(node)) return tableRows(node, path);
  return [tableRow(path, defaultOf(node), node.type.expected, node.doc)];
}

function defaultOf({ required, optional, default: value }: Leaf<unknown>): string {
  if (required) return 'must be given';
  return optional || value === undefined ? '' : `\`${scalar(value)}\``;
}

function tableRow(path: readonly string[], ...cells: readonly string[]): string {
  const all = [`\`${path.join('.')}\``, ...cells];
  return `| ${all.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
