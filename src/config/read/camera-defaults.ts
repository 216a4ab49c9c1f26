import { isSourceKind, SOURCE_KEYS, SOURCES } from '../../camera/registry.js';
import { isLeaf } from '../../schema/section.js';
import { keysOf } from '../schema/keys.js';
import { CAMERA_DEFAULTS } from '../schema/schema.js';
import { CAMERA } from '../schema/sections/camera.js';
import type { Merged } from './layer.js';
import { pathKey } from './layer.js';

const CAMERA_KEYS = keysOf(CAMERA);

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
  }
}

/** Whether cameras of this source have the key; all have those that belong to no source. */
function has(source: unknown, [first = '']: readonly string[]): boolean {
  if (!Object.hasOwn(SOURCE_KEYS, first)) return true;
  return typeof source === 'string' && isSourceKind(source)
    ? Object.hasOwn(SOURCES[source].keys, first)
    : true;
}

/** A camera without a source cannot be resolved: it is told of and left out. */
export function requireSources(merged: Merged): void {
  for (const camera of namedCameras(merged)) {
    const origin = merged.assignments.get(pathKey(camera))?.origin ?? 'default';
    for (const { path: below, node } of CAMERA_KEYS) {
      if (!isLeaf(node) || !node.required) continue;
      const path = [...camera, ...below];
      if (merged.assignments.has(pathKey(path))) continue;
      merged.assignments.delete(pathKey(camera));
      const key = path.join('.');
      if (merged.faulty.has(key) || merged.faulty.has(camera.join('.'))) continue;
      const message = `missing; expected ${node.type.expected}`;
      merged.problems.push({ where: origin, key, message });
    }
  }
}
