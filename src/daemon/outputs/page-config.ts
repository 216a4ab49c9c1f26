import { stringify } from 'yaml';
import type { Config } from '../../config/config.js';

/** The configuration as YAML that can be read back, but for what is masked. */
export function yamlOf(config: Config): string {
  return stringify(config, { lineWidth: 0 });
}

/** Every key with its value and origin; lists are values. */
export function flatValues(
  config: Config,
  origins: ReadonlyMap<string, string>,
): { readonly key: string; readonly value: unknown; readonly origin: string }[] {
  const rows: { key: string; value: unknown; origin: string }[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    const entries =
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value)
        : [];
    if (entries.length === 0 && path.length > 0) {
      const key = path.join('.');
      rows.push({ key, value, origin: origins.get(key) ?? '' });
    }
    for (const [name, below] of entries) walk(below, [...path, name]);
  };
  walk(config, []);
  return rows;
}
