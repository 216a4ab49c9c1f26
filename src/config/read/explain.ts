import { parseAddress, splitAddress } from '../../address.js';
import { nearestOf } from '../../nearest.js';
import { fits } from '../../schema/format.js';
import { isPlainHost } from '../../schema/hints.js';
import type { Leaf, NamedItems, Node, Section } from '../../schema/section.js';
import { isLeaf, isNamedItems } from '../../schema/section.js';
import { describeValue } from '../check/problem.js';
import { CAMERA_DEFAULTS } from '../schema/schema.js';
import { keyMeant } from './other-names.js';
import { isRecord, Referenced } from './references.js';

/* What messages say of a value or a key that does not fit: what was found, and what was probably meant. */

export function foundIn(
  value: unknown,
  path: readonly string[],
  leaf: Leaf<unknown>,
  hidden: boolean,
): string {
  const inner = path.reduce<unknown>(
    (outer, index) => (Array.isArray(outer) ? outer[Number(index)] : undefined),
    value,
  );
  if (hidden || leaf.sensitive) return kindOf(inner);
  return leaf.address ? describeAddress(inner) : describeValue(inner);
}

/**
 * A malformed address cannot be masked with certainty: a password may stand anywhere in it. One that
 * only has another scheme can, and a host alone holds none.
 */
function describeAddress(value: unknown): string {
  if (typeof value !== 'string') return kindOf(value);
  const whole = parseAddress(value) !== null && !/[#@]/.test(splitAddress(value)?.rest ?? '#');
  return isPlainHost(value) || whole ? describeValue(value) : kindOf(value);
}

export function unknownKey(
  schema: Section,
  name: string,
  siblings: Readonly<Record<string, unknown>>,
  section: Section,
  path: readonly string[],
): string {
  const parent = emptyParentOf(name, siblings, section);
  if (parent !== null) return `unknown key here; indent it below ${[...path, parent].join('.')}:`;
  const meant = keyMeant(name, section, path);
  if (meant !== null) return `unknown key; did you mean ${meant.key}?${meant.note}`;
  const near = nearestOf(name, Object.keys(section));
  if (near !== null) return `unknown key; did you mean ${[...path, near].join('.')}?`;
  if (path.length > 0 && Object.hasOwn(schema, name)) {
    return `unknown key here; ${name} is a section of its own: indent it less`;
  }
  const elsewhere = findKey(schema, name, []);
  if (elsewhere !== null) return `unknown key here; did you mean ${elsewhere.join('.')}?`;
  return `unknown key; the keys here are ${known(section)}`;
}

/**
 * The section beside it that a key was probably meant to stand in: one that is empty and knows the
 * key, or whose names are the user's own and whose items look like this value.
 */
function emptyParentOf(
  name: string,
  siblings: Readonly<Record<string, unknown>>,
  section: Section,
): string | null {
  for (const [sibling, node] of Object.entries(section)) {
    if (siblings[sibling] !== null || isLeaf(node)) continue;
    if (!isNamedItems(node)) {
      if (Object.hasOwn(node, name)) return sibling;
      continue;
    }
    const { item } = node;
    const value = siblings[name];
    if (isLeaf(item) || isNamedItems(item) || !isRecord(value)) continue;
    if (Object.keys(value).some((key) => Object.hasOwn(item, key))) return sibling;
  }
  return null;
}

function findKey(
  section: Section,
  name: string,
  path: readonly string[],
): readonly string[] | null {
  for (const [key, node] of Object.entries(section)) {
    if (key === name) return [...path, key];
    // What it shares stands in cameras as well.
    if (key === CAMERA_DEFAULTS) continue;
    const named = isNamedItems(node);
    const below = named ? node.item : node;
    if (isLeaf(below as Node)) continue;
    const found = findKey(
      below as Section,
      name,
      named ? [...path, key, '<name>'] : [...path, key],
    );
    if (found !== null) return found;
  }
  return null;
}

export function known(section: Section): string {
  return Object.keys(section).join(', ');
}

/** Whether a key of an item stands where the items' names stand: it is indented too little. */
export function isMisplaced(name: string, value: unknown, { item }: NamedItems): boolean {
  if (isLeaf(item) || isNamedItems(item) || !Object.hasOwn(item, name)) return false;
  // A camera may be called `motion`; what is no section is no camera.
  return value !== null && !isRecord(value);
}

/** What is shown of a value that stands where a section should: hosts and words that a key knows. */
export function describeScalar(value: unknown, section: Section | null): string {
  if (typeof value !== 'string') return kindOf(value);
  const isWord = Object.entries(section ?? {}).some(
    ([key, node]) => key === value || (isLeaf(node) && isWordOf(value, node)),
  );
  const isPublic = section !== null && !holdsSecrets(section);
  return isPlainHost(value) || isWord || isPublic ? describeValue(value) : kindOf(value);
}

function holdsSecrets(node: Node): boolean {
  if (isLeaf(node)) return node.sensitive || node.address;
  return Object.values(isNamedItems(node) ? [node.item] : node).some(holdsSecrets);
}

/** Any text is a path or a label; only what few texts are says something. */
function isWordOf(value: string, { type }: Leaf<unknown>): boolean {
  return 'enum' in type.json && fits(type, value);
}

/** The section that was probably meant where a value stands: `front: demo`, `mqtt: 192.0.2.5`. */
export function sectionMeant(value: unknown, section: Section, path: readonly string[]): string {
  const blank = typeof value === 'string' ? blankMissing(value, section) : null;
  if (blank !== null) return `; write a blank behind "${blank}:"`;
  const inner = innerMeant(value, section, path);
  return inner === null ? '' : `; did you mean ${path.at(-1) ?? ''}: { ${inner} }?`;
}

/** `source:demo` is one word for YAML. */
function blankMissing(value: string, section: Section): string | null {
  const [, key = ''] = /^([a-z_]+):\S/.exec(value) ?? [];
  return Object.hasOwn(section, key) ? key : null;
}

function innerMeant(value: unknown, section: Section, path: readonly string[]): string | null {
  if (typeof value === 'boolean' && Object.hasOwn(section, 'enabled')) return `enabled: ${value}`;
  if (Array.isArray(value) && Object.hasOwn(section, 'area')) return 'area: […]';
  if (typeof value === 'number' && Object.hasOwn(section, 'listen')) {
    return `listen: 127.0.0.1:${value}`;
  }
  if (typeof value !== 'string') return null;
  // A section whose name is the user's own has no word of its own for its name.
  if (path.length === 1 && Object.hasOwn(section, 'name') && !holdsSecrets(section)) {
    return `name: ${value}`;
  }
  for (const [key, node] of Object.entries(section)) {
    if (!isLeaf(node)) {
      if (key === value) return `${key}: { … }`;
      continue;
    }
    if (node.sensitive) continue;
    const whole = fits(node.type, value);
    if (node.address && (whole || isPlainHost(value))) {
      const [scheme = ''] = /\w+:\/\//.exec(node.type.expected) ?? [];
      return `${key}: ${whole ? '…' : `"${scheme}${value}"`}`;
    }
    if (isWordOf(value, node)) return `${key}: ${value}`;
  }
  return null;
}

function kindOf(value: unknown): string {
  if (typeof value === 'string' || value instanceof Referenced) return 'text that is not shown';
  return typeof value === 'object' ? describeValue(value) : `a ${typeof value}`;
}
