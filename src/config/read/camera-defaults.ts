import { isSourceKind, SOURCE_KEYS, SOURCES } from '../../camera/registry.js';
import type { Section } from '../../schema/section.js';
import { isLeaf, isNamedItems } from '../../schema/section.js';
import { keysOf } from '../schema/keys.js';
import { CAMERA_DEFAULTS, SCHEMA } from '../schema/schema.js';
import { CAMERA } from '../schema/sections/camera.js';
import type { Merged } from './layer.js';
import { pathKey } from './layer.js';

const CAMERA_KEYS = keysOf(CAMERA);
/** Sections of a camera whose keys the user names. */
const NAMED: ReadonlySet<string> = new Set(
  Object.entries(CAMERA).flatMap(([name, node]) => (isNamedItems(node) ? [name] : [])),
);

/** The cameras that somebody has named, as paths. */
function namedCameras(merged: Merged): readonly (readonly string[])[] {
  return [...merged.assignments.values()]
    .map(({ path }) => path)
    .filter((path) => path.length === 2 && path[0] === 'cameras');
}

/** Gives every camera what `camera_defaults` says of the keys that it has and that nobody set. */
export function applyCameraDefaults(merged: Merged): void {
  for (const camera of namedCameras(merged)) {
    const own = (key: string) => merged.assignments.get(pathKey([...camera, key]));
    const shared = (key: string) => merged.assignments.get(pathKey([CAMERA_DEFAULTS, key]));
    const source = (own('source') ?? shared('source'))?.value;
    const scheduled = own('schedule') ?? shared('schedule');
    for (const { path: below } of CAMERA_KEYS) {
      const given = merged.assignments.get(pathKey([CAMERA_DEFAULTS, ...below]));
      const path = [...camera, ...below];
      const decided = merged.assignments.has(pathKey(path)) || merged.faulty.has(path.join('.'));
      const useless = !has(source, below) || (below[0] === 'time_zone' && scheduled === undefined);
      if (given === undefined || decided || useless) continue;
      merged.assignments.set(pathKey(path), { ...given, path });
    }
    applyNamedDefaults(merged, camera);
  }
}

/** Whether cameras of this source have the key; all have those that belong to no source. */
function has(source: unknown, [first = '']: readonly string[]): boolean {
  if (!Object.hasOwn(SOURCE_KEYS, first)) return true;
  return typeof source === 'string' && isSourceKind(source)
    ? Object.hasOwn(SOURCES[source].keys, first)
    : true;
}

/** Copies what `camera_defaults` names, such as zones, into cameras that have nothing of that name. */
function applyNamedDefaults(merged: Merged, camera: readonly string[]): void {
  const shared = [...merged.assignments.values()].filter(
    ({ path: [first, section = ''] }) => first === CAMERA_DEFAULTS && NAMED.has(section),
  );
  const isOwn = ([, section = '', name = '']: readonly string[]): boolean =>
    merged.assignments.has(pathKey([...camera, section, name])) ||
    merged.faulty.has([...camera, section, name].join('.'));
  const taken = shared.filter(({ path }) => !isOwn(path));
  for (const given of taken) {
    const path = [...camera, ...given.path.slice(1)];
    merged.assignments.set(pathKey(path), { ...given, path });
  }
}

/**
 * What was named without a key that must be given (a camera without a source, a zone without an area)
 * cannot be resolved: it is told of and left out.
 */
export function requireGiven(
  merged: Merged,
  section: Section = SCHEMA,
  path: readonly string[] = [],
): void {
  for (const [name, node] of Object.entries(section)) {
    const below = [...path, name];
    if (isLeaf(node)) continue;
    if (!isNamedItems(node)) requireGiven(merged, node, below);
    else if (!isLeaf(node.item) && !isNamedItems(node.item)) requireIn(merged, node.item, below);
  }
}

function requireIn(merged: Merged, item: Section, path: readonly string[]): void {
  const named = [...merged.assignments.values()].filter(
    (given) => pathKey(given.path.slice(0, -1)) === pathKey(path),
  );
  for (const { path: itemPath, origin } of named) {
    for (const { path: below, node } of keysOf(item)) {
      if (!isLeaf(node) || !node.required) continue;
      const keyPath = [...itemPath, ...below];
      if (merged.assignments.has(pathKey(keyPath))) continue;
      merged.assignments.delete(pathKey(itemPath));
      const key = keyPath.join('.');
      if (merged.faulty.has(key) || merged.faulty.has(itemPath.join('.'))) continue;
      const message = `missing; expected ${node.type.expected}`;
      merged.problems.push({ where: origin, key, message });
    }
    requireGiven(merged, item, itemPath);
  }
}
