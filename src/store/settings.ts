import type { Database } from 'better-sqlite3';

/** What commands have changed and a restart should keep: short texts by key. */
export interface Settings {
  get(key: string): string | null;
  /** Commits at once; null removes the key. False when the disk refuses it. */
  set(key: string, value: string | null): boolean;
  all(): ReadonlyMap<string, string>;
}

/** Statements of the settings; each may throw what SQLite says. */
export interface SettingTable {
  get(key: string): string | null;
  set(key: string, value: string | null): void;
  all(): Map<string, string>;
}

export function createSettingTable(database: Database): SettingTable {
  const get = database.prepare<[string], string>('SELECT value FROM setting WHERE key = ?').pluck();
  const set = database.prepare(
    'INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const remove = database.prepare('DELETE FROM setting WHERE key = ?');
  const all = database.prepare<[], { key: string; value: string }>(
    'SELECT key, value FROM setting ORDER BY key',
  );
  return {
    get: (key) => get.get(key) ?? null,
    set: (key, value) => void (value === null ? remove.run(key) : set.run(key, value)),
    all: () => new Map(all.all().map(({ key, value }) => [key, value])),
  };
}
