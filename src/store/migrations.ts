import { renameSync, rmSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { codedError } from '../errors.js';

/** `PRAGMA application_id` of our databases: "MNDt". Tells them from other programs' files. */
export const APPLICATION_ID = 0x4d4e4474;

/** A step from schema version n (its place in the list) to n + 1. */
export type Migration = string;

/**
 * The schema's history. A published step is never edited, only followed by another one.
 *
 * Names are kept once (camera, label, variant): a detection row is then about 40 bytes instead of
 * 150, which is what a month of rows once a second and an SD card's wear ask for.
 */
export const MIGRATIONS: readonly Migration[] = [
  `
  CREATE TABLE camera (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE label (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE variant (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, alpha REAL NOT NULL, size INTEGER NOT NULL,
    UNIQUE (model, alpha, size)
  ) STRICT;
  CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    camera INTEGER NOT NULL REFERENCES camera,
    label INTEGER NOT NULL REFERENCES label,
    variant INTEGER NOT NULL REFERENCES variant,
    score REAL NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER,
    count INTEGER NOT NULL,
    x REAL, y REAL, width REAL, height REAL,
    updated INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX event_start ON event (start);
  CREATE INDEX event_open ON event (start) WHERE end IS NULL;
  CREATE TABLE detection (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    camera INTEGER NOT NULL REFERENCES camera,
    label INTEGER NOT NULL REFERENCES label,
    variant INTEGER NOT NULL REFERENCES variant,
    score REAL NOT NULL,
    x REAL, y REAL, width REAL, height REAL,
    event INTEGER
  ) STRICT;
  CREATE INDEX detection_time ON detection (time);
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE governor (
    time INTEGER PRIMARY KEY,
    mode TEXT NOT NULL, low TEXT NOT NULL, high TEXT NOT NULL, fraction REAL NOT NULL,
    fps REAL NOT NULL, temperature REAL, max REAL NOT NULL, budget REAL NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;
  `,
];

/**
 * Brings an open database up to `migrations.length`, each step in a transaction of its own, after a
 * copy of the file as `<file>.v<version>` (not for a new, empty one).
 *
 * Throws MND_STORE_NEWER for a database of a later schema, MND_STORE_OPEN for another program's.
 */
export function migrate(
  database: Database,
  file: string,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  const version = checkVersion(database, file, migrations.length);
  if (version === migrations.length) return;
  if (version > 0) copyAside(database, file, version);
  for (let step = version; step < migrations.length; step++) {
    database
      .transaction(() => {
        database.exec(migrations[step] ?? '');
        database.pragma(`application_id = ${APPLICATION_ID}`);
        database.pragma(`user_version = ${step + 1}`);
      })
      .immediate();
  }
}

/** The schema's version, 0 for an empty file. Throws as {@link migrate} does. */
export function checkVersion(database: Database, file: string, newest: number): number {
  const version = Number(database.pragma('user_version', { simple: true }));
  const application = Number(database.pragma('application_id', { simple: true }));
  const tables = Number(database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
  if (application !== APPLICATION_ID && tables > 0) {
    throw codedError('MND_STORE_OPEN', {
      subject: file,
      expected: 'a database of mobilenetd',
      found: "another program's database",
      next: 'name another file',
    });
  }
  if (version > newest) {
    throw codedError('MND_STORE_NEWER', {
      subject: file,
      expected: `schema version ${newest} or older`,
      found: `version ${version}`,
      next: `install the newer mobilenetd again, or move the file away (copies from before an upgrade end in .v${newest})`,
    });
  }
  return version;
}

/** VACUUM INTO rather than a file copy: closing a second descriptor would drop SQLite's locks. */
function copyAside(database: Database, file: string, version: number): void {
  const copy = `${file}.v${version}`;
  const unfinished = `${copy}.part`;
  rmSync(unfinished, { force: true });
  database.prepare('VACUUM INTO ?').run(unfinished);
  renameSync(unfinished, copy);
}
