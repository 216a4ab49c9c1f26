import { KNOWN_KEYS, keysOf } from '../schema/keys.js';
import { CAMERA_DEFAULTS } from '../schema/schema.js';
import { CAMERA } from '../schema/sections/camera.js';
import type { Merged } from './layer.js';

const CAMERA_KEYS = keysOf(CAMERA);

/** Where each key's value was written, by dotted key; `default` for those that nobody set. */
export function originsOf(merged: Merged): Map<string, string> {
  const origins = new Map<string, string>();
  for (const { dotted, path } of KNOWN_KEYS) {
    if (path[0] !== CAMERA_DEFAULTS) origins.set(dotted, 'default');
  }
  for (const { path } of merged.assignments.values()) {
    if (path.length !== 2 || path[0] !== 'cameras') continue;
    for (const { dotted } of CAMERA_KEYS) origins.set([...path, dotted].join('.'), 'default');
  }
  for (const { path, origin } of merged.assignments.values()) origins.set(path.join('.'), origin);
  return origins;
}

/** The origin of the key, or of the section it is in. */
export function nearestOrigin(
  origins: ReadonlyMap<string, string>,
  path: readonly string[],
): string {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join('.'));
    if (origin !== undefined) return origin;
  }
  return 'default';
}
