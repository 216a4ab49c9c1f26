import { isDeepStrictEqual } from 'node:util';
import type { Section } from '../schema/section.js';
import { isLeaf, isNamedItems } from '../schema/section.js';
import type { Config } from './config.js';
import { SCHEMA } from './schema/schema.js';

type Values = Readonly<Record<string, unknown>>;

/** The keys whose values differ from their defaults; what the machine decides counts as default. */
export function changedKeys(config: Config, origins: ReadonlyMap<string, string>): Values {
  return changedIn(SCHEMA, config, { origins, path: [] });
}

interface Place {
  readonly origins: ReadonlyMap<string, string>;
  readonly path: readonly string[];
}

function changedIn(section: Section, values: Values, place: Place): Values {
  const changed: Record<string, unknown> = {};
  for (const [name, node] of Object.entries(section)) {
    const value = values[name];
    const path = [...place.path, name];
    if (value === undefined) continue;
    if (isLeaf(node)) {
      const given = place.origins.get(path.join('.')) !== 'default';
      if (given && !isDeepStrictEqual(value, node.default)) changed[name] = value;
      continue;
    }
    const below = isNamedItems(node)
      ? Object.fromEntries(
          Object.entries(value as Values).map(([key, inner]) => [
            key,
            isLeaf(node.item) || isNamedItems(node.item)
              ? inner
              : changedIn(node.item, inner as Values, { ...place, path: [...path, key] }),
          ]),
        )
      : changedIn(node, value as Values, { ...place, path });
    if (Object.keys(below).length > 0) changed[name] = below;
  }
  return changed;
}
