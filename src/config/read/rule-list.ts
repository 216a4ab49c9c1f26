import { isRecord } from './references.js';

/** Rules of a file by name, and where each stood in the file. */
export interface NamedRules {
  readonly values: Readonly<Record<string, unknown>>;
  /** The path in the file of a path in `values`. */
  readonly pathOf: (path: readonly string[]) => readonly string[];
  /** Names that stand twice, by where the second stands. */
  readonly twice: readonly (readonly [path: readonly string[], name: string])[];
}

const SECTION = 'notify';

/**
 * A list under `notify` as named items: a rule is called by its `name`, or by its number among all that
 * have none.
 *
 * @param numberOf the number of the next rule without a name
 */
export function nameRules(
  values: Readonly<Record<string, unknown>>,
  numberOf: () => number,
): NamedRules {
  const list = values[SECTION];
  if (!Array.isArray(list)) return { values, pathOf: (path) => path, twice: [] };
  const places = new Map<string, string>();
  const rules: Record<string, unknown> = {};
  const twice: (readonly [readonly string[], string])[] = [];
  for (const [index, item] of list.entries()) {
    const { name, ...rule } = isRecord(item) ? item : { name: undefined };
    const key = typeof name === 'string' ? name : `rule_${numberOf()}`;
    if (places.has(key)) twice.push([[SECTION, String(index)], key]);
    places.set(key, String(index));
    rules[key] = isRecord(item) ? rule : item;
  }
  return {
    values: { ...values, [SECTION]: rules },
    pathOf([section, name, ...below]) {
      if (section === undefined) return [];
      if (section !== SECTION || name === undefined) {
        return [section, ...(name === undefined ? [] : [name]), ...below];
      }
      return [section, places.get(name) ?? name, ...below];
    },
    twice,
  };
}
