import type { Database } from 'better-sqlite3';
import { ALPHA_COLUMN } from './names.js';

/** Names of cameras, labels and variants by their row ids, read when they are needed. */
export interface NameReader {
  /** Row id of a name; null when there is none, undefined for undefined. */
  cameraId(name: string | undefined): number | null | undefined;
  labelId(name: string | undefined): number | null | undefined;
  /** The name in a row; `?` for one that is damaged. */
  camera(id: number): string;
  label(id: number): string;
  variant(id: number): Variant;
}

interface Variant {
  readonly model: string;
  readonly alpha: number | null;
  readonly size: number;
}

/** What stands for a name whose row is damaged. */
const UNKNOWN: Variant = { model: '?', alpha: null, size: 0 };

export function createNameReader(database: Database): NameReader {
  const idOf = (table: 'camera' | 'label') => {
    const find = database
      .prepare<[string], number>(`SELECT id FROM ${table} WHERE name = ?`)
      .pluck();
    return (name: string | undefined) =>
      name === undefined ? undefined : (find.get(name) ?? null);
  };
  const reader = <T>(sql: string, unknown: T) => {
    const known = new Map<number, T>();
    const find = database.prepare<[number], T>(sql);
    return (id: number): T => {
      const before = known.get(id);
      if (before !== undefined) return before;
      const found = find.get(id) ?? unknown;
      known.set(id, found);
      return found;
    };
  };
  const camera = reader<{ name: string }>('SELECT name FROM camera WHERE id = ?', { name: '?' });
  const label = reader<{ name: string }>('SELECT name FROM label WHERE id = ?', { name: '?' });
  const variant = reader<Variant>(
    `SELECT model, ${ALPHA_COLUMN}, size FROM variant WHERE id = ?`,
    UNKNOWN,
  );
  return {
    cameraId: idOf('camera'),
    labelId: idOf('label'),
    camera: (id) => camera(id).name,
    label: (id) => label(id).name,
    variant,
  };
}
