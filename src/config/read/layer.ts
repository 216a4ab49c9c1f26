import { MASK } from '../../mask.js';
import type { Leaf, NamedItems, Node, Section } from '../../schema/section.js';
import { isLeaf, isNamedItems } from '../../schema/section.js';
import type { ConfigProblem } from '../check/problem.js';
import { describeValue } from '../check/problem.js';
import {
  describeScalar,
  foundIn,
  isMisplaced,
  known,
  sectionMeant,
  unknownKey,
} from './explain.js';
import { isRecord, isUnresolved, Referenced, referencesIn } from './references.js';
import { numberIn, readTyped } from './typed-text.js';

/** Keys that mean something to the language itself. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'prototype',
]);

/** Values from one place: a file, the environment or the flags. */
export interface Layer {
  readonly values: Readonly<Record<string, unknown>>;
  /** Where the value at this path was written. */
  originOf(path: readonly string[]): string;
  /** A named section (`cameras`) adds to earlier layers' items when false, and replaces them when true. */
  readonly replaces: boolean;
  /** Folder of relative paths. */
  resolvePath(path: string): string;
}

/** A value that was set, or (without value) an item that was named. */
export interface Assignment {
  readonly path: readonly string[];
  readonly origin: string;
  readonly value?: unknown;
}

/** What all layers together say, by path joined with NUL; later ones win. */
export interface Merged {
  readonly assignments: Map<string, Assignment>;
  readonly problems: ConfigProblem[];
  /** Dotted keys with a problem: rules between keys leave them alone. */
  readonly faulty: Set<string>;
  /** Texts that came from elsewhere and must not be shown. */
  readonly secrets: Set<string>;
}

export function createMerged(): Merged {
  return { assignments: new Map(), problems: [], faulty: new Set(), secrets: new Set() };
}

export function pathKey(path: readonly string[]): string {
  return path.join('\0');
}

/** Checks a layer's values against the schema and lays those that fit over the earlier ones. */
export function mergeLayer(merged: Merged, layer: Layer, schema: Section): void {
  mergeSection({ merged, layer, schema }, layer.values, schema, []);
}

interface Walk {
  readonly merged: Merged;
  readonly layer: Layer;
  readonly schema: Section;
}

function report(walk: Walk, path: readonly string[], message: string): void {
  const key = path.join('.');
  walk.merged.problems.push({ where: walk.layer.originOf(path), key, message });
  walk.merged.faulty.add(key);
}

function mergeNode(walk: Walk, value: unknown, node: Node, path: readonly string[]): void {
  if (isUnresolved(value)) {
    walk.merged.faulty.add(path.join('.'));
    return;
  }
  if (isLeaf(node)) mergeLeaf(walk, value, node, path);
  else if (isNamedItems(node)) mergeItems(walk, value, node, path);
  else mergeSection(walk, value, node, path);
}

function mergeSection(walk: Walk, value: unknown, section: Section, path: readonly string[]): void {
  // "mqtt:" with nothing below it is how a section looks whose keys are all commented out.
  if (value === null) return;
  if (!isRecord(value)) {
    const meant = sectionMeant(value, section, path);
    const keys = meant === '' ? ` with the keys ${known(section)}` : '';
    report(
      walk,
      path,
      `expected a section${keys}; found ${describeScalar(value, section)}${meant}`,
    );
    return;
  }
  for (const [name, below] of Object.entries(value)) {
    if (isFree(name)) continue;
    const node = Object.hasOwn(section, name) ? section[name] : undefined;
    const keyPath = [...path, name];
    if (node === undefined)
      report(walk, keyPath, unknownKey(walk.schema, name, value, section, path));
    else mergeNode(walk, below, node, keyPath);
  }
}

function mergeItems(walk: Walk, value: unknown, items: NamedItems, path: readonly string[]): void {
  if (walk.layer.replaces) forget(walk.merged, path);
  if (value === null) return;
  if (!isRecord(value)) {
    const [first = '', second = ''] = items.example.split('\n').map((line) => line.trim());
    const example = second === '' ? first : `${first} { ${second} }`;
    const found = describeScalar(value, null);
    report(walk, path, `expected a section of named items, e.g. ${example}; found ${found}`);
    return;
  }
  for (const [name, below] of Object.entries(value)) {
    const itemPath = [...path, name];
    if (RESERVED_NAMES.has(name)) {
      report(walk, itemPath, 'this name is reserved');
      continue;
    }
    const [fault] = items.names.faults(name);
    if (fault !== undefined) {
      report(walk, itemPath, `expected ${fault.expected} as name; found ${describeValue(name)}`);
      continue;
    }
    if (isMisplaced(name, below, items)) {
      report(
        walk,
        itemPath,
        `${name} is a key of what stands in ${path.join('.')}: indent it more, below a name`,
      );
      continue;
    }
    const origin = walk.layer.originOf(itemPath);
    const known = walk.merged.assignments.has(pathKey(itemPath));
    if (!known) walk.merged.assignments.set(pathKey(itemPath), { path: itemPath, origin });
    mergeNode(walk, below, items.item, itemPath);
  }
}

function forget(merged: Merged, path: readonly string[]): void {
  const prefix = `${pathKey(path)}\0`;
  for (const key of merged.assignments.keys()) {
    if (key.startsWith(prefix)) merged.assignments.delete(key);
  }
}

function mergeLeaf(
  walk: Walk,
  written: unknown,
  leaf: Leaf<unknown>,
  path: readonly string[],
): void {
  const references = referencesIn(written);
  const value = references.length === 0 ? written : readReferences(written, leaf);
  for (const { pieces, secret } of references) {
    if (secret || mayHoldSecrets(leaf, path)) {
      for (const piece of pieces) walk.merged.secrets.add(piece);
    }
  }
  if (isMasked(value, leaf)) {
    report(walk, path, `holds ${MASK}, which stands for a secret that was not shown; write it`);
    return;
  }
  const faults = leaf.type.faults(value);
  if (faults.length > 0) {
    for (const fault of faults) {
      const hidden = references.some(({ secret }) => secret);
      const found = foundIn(value, fault.path, leaf, hidden);
      const hint = fault.hint === undefined || hidden ? '' : `; ${fault.hint}`;
      report(walk, [...path, ...fault.path], `expected ${fault.expected}; found ${found}${hint}`);
    }
    walk.merged.faulty.add(path.join('.'));
    return;
  }
  walk.merged.faulty.delete(path.join('.'));
  walk.merged.assignments.set(pathKey(path), {
    path,
    origin: walk.layer.originOf(path),
    value: leaf.path && typeof value === 'string' ? walk.layer.resolvePath(value) : value,
  });
}

/** Whether a value was copied from where secrets are not shown. */
function isMasked(value: unknown, leaf: Leaf<unknown>): boolean {
  if (Array.isArray(value)) return value.some((item) => isMasked(item, leaf));
  if (typeof value !== 'string') return false;
  if (leaf.sensitive) return value === MASK;
  return leaf.address && (value.includes(`${MASK}@`) || value.includes(`=${MASK}`));
}

/** A text with references is read as a variable's would be. */
function readReferences(written: unknown, leaf: Leaf<unknown>): unknown {
  if (!Array.isArray(written)) return readOne(written, leaf);
  const texts = written.map((item) => readDeep(item, (text) => text));
  if (leaf.type.faults(texts).length === 0) return texts;
  return written.map((item) => readDeep(item, numberIn));
}

function readOne(written: unknown, leaf: Leaf<unknown>): unknown {
  if (!(written instanceof Referenced)) return written;
  const { text } = written;
  if (text === '' && leaf.type.kinds.includes('null')) return null;
  const value = readTyped(text, leaf);
  return value instanceof SyntaxError ? text : value;
}

function readDeep(written: unknown, read: (text: string) => unknown): unknown {
  if (written instanceof Referenced) return read(written.text);
  return Array.isArray(written) ? written.map((item) => readDeep(item, read)) : written;
}

/** What stands there cannot be shown: user names are not secret, but these came from elsewhere. */
function mayHoldSecrets(leaf: Leaf<unknown>, path: readonly string[]): boolean {
  return leaf.sensitive || leaf.address || path.at(-1) === 'username';
}

/** Keys of the user's own, for anchors and notes, among keys that are known. */
function isFree(name: string): boolean {
  return name.startsWith('x-');
}
