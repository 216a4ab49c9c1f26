import type { Leaf, NamedItems, Section } from '../../schema/section.js';
import { isLeaf, isNamedItems } from '../../schema/section.js';
import { FILE_SCHEMA } from './schema.js';

/** A key of the schema that can be set by itself: a leaf, or a section whose keys the user names. */
export interface KnownKey {
  readonly path: readonly string[];
  readonly dotted: string;
  /** Environment variable that sets it. */
  readonly env: string;
  readonly node: Leaf<unknown> | NamedItems;
}

/** Prefix of every environment variable of this program. */
export const ENV_PREFIX = 'MOBILENETD_';

/** `['mqtt', 'password_file']` → `MOBILENETD_MQTT_PASSWORD_FILE`. */
function envName(path: readonly string[]): string {
  return ENV_PREFIX + path.join('_').toUpperCase();
}

export function keysOf(section: Section, parent: readonly string[] = []): readonly KnownKey[] {
  return Object.entries(section).flatMap(([name, node]) => {
    const path = [...parent, name];
    return isLeaf(node) || isNamedItems(node)
      ? [{ path, dotted: path.join('.'), env: envName(path), node }]
      : keysOf(node, path);
  });
}

/** All keys in the order of the schema. */
export const KNOWN_KEYS: readonly KnownKey[] = keysOf(FILE_SCHEMA);

/** Other names of environment variables that set a key. */
export const ENV_ALIASES: Readonly<Record<string, string>> = { MOBILENETD_STATE: 'state_dir' };

/** Variables of this program that are no configuration keys. */
export const OTHER_VARIABLES: readonly string[] = [
  'MOBILENETD_MODELS_MIRROR',
  'MOBILENETD_TEST_IMAGES',
  'MOBILENETD_DEBUG',
];
