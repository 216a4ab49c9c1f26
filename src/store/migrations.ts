import { readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import SQLite, { type Database } from 'better-sqlite3';
import { codedError } from '../errors.js';
import type { Log } from '../log.js';

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
  // Questions about a label; about stays of an hour and more that reach into a time; and a row that
  // tells this file from a copy that is put in its place (files.ts).
  `
  CREATE INDEX detection_label ON detection (label, time, camera);
  CREATE INDEX event_label ON event (label, start);
  CREATE INDEX event_long ON event (end) WHERE end - start >= 3600000;
  CREATE TABLE stamp (value TEXT NOT NULL) STRICT;
  INSERT INTO stamp VALUES ('');
  `,
  // The time that was believed last (believed-clock.ts): one row at most.
  `
  CREATE TABLE clock (mark INTEGER NOT NULL, share_at INTEGER) STRICT;
  `,
  // An event is that of an object (null: of a label of the whole picture). Zones are JSON lists of
  // names; null: none.
  `
  ALTER TABLE event ADD COLUMN object TEXT;
  ALTER TABLE event ADD COLUMN stationary INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE event ADD COLUMN zones TEXT;
  ALTER TABLE event ADD COLUMN loitering TEXT;
  `,
  // What rules have to tell (notices.ts), and when a rule fired last for a cause.
  `
  CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT, created INTEGER NOT NULL,
    rule TEXT NOT NULL, channel TEXT NOT NULL, event TEXT NOT NULL, cause TEXT NOT NULL,
    payload TEXT NOT NULL
  ) STRICT;
  CREATE INDEX notice_lane ON notice (rule, channel, id);
  CREATE TABLE firing (
    rule TEXT NOT NULL, cause TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (rule, cause)
  ) STRICT, WITHOUT ROWID;
  `,
  // What a second network said of the object; null: it was not asked.
  `
  ALTER TABLE event ADD COLUMN sub_label TEXT;
  ALTER TABLE event ADD COLUMN sub_score REAL;
  `,
];

/** Bytes that must stay free beside the copy made before an upgrade. */
const HEADROOM = 16 * 1024 * 1024;
/** Schema versions beyond this are a damaged header, not the future. */
const LAST_VERSION = 9999;
/** Tables that only our databases have together. */
const OUR_TABLES = ['camera', 'detection', 'event', 'label', 'outbox', 'variant'];

/**
 * Brings an open database up to `migrations.length`, each step in a transaction of its own, after a
 * copy of the file as `<file>.v<version>` (not for a new, empty one).
 *
 * Throws MND_STORE_NEWER for a database of a later schema, MND_STORE_OPEN for another program's, and
 * SQLITE_FULL before anything is changed when there is no room for the copy.
 */
export function migrate(
  database: Database,
  file: string,
  log: Log,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  const version = checkVersion(database, file, migrations.length);
  if (version === migrations.length) return;
  if (version > 0) {
    log.info(
      { file, from: version, to: migrations.length },
      'the database is brought up to date, after a copy of it; a large one takes minutes',
    );
    copyAside(database, file, version);
  }
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
    if (hasOurTables(database)) {
      throw new SQLite.SqliteError('the header has lost its application id', 'SQLITE_CORRUPT');
    }
    throw codedError('MND_STORE_OPEN', {
      subject: file,
      expected: 'a database of mobilenetd',
      found: "another program's database",
      next: 'name another file',
    });
  }
  if (version < 0 || version > LAST_VERSION) {
    throw new SQLite.SqliteError(`the header says schema version ${version}`, 'SQLITE_CORRUPT');
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

function hasOurTables(database: Database): boolean {
  const found = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck();
  const names = new Set(found.all());
  return OUR_TABLES.every((name) => names.has(name));
}

/** VACUUM INTO rather than a file copy: closing a second descriptor would drop SQLite's locks. */
function copyAside(database: Database, file: string, version: number): void {
  const copy = `${file}.v${version}`;
  const unfinished = `${copy}.part`;
  rmSync(unfinished, { force: true });
  requireRoom(database, file);
  try {
    database.prepare('VACUUM INTO ?').run(unfinished);
    renameSync(unfinished, copy);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** Bytes that an upgrade of a file needs free: a copy of it, and as much again as it may grow. */
export function roomForUpgrade(fileBytes: number): number {
  return 2 * fileBytes + HEADROOM;
}

function requireRoom(database: Database, file: string): void {
  const pages = Number(database.pragma('page_count', { simple: true }));
  const needed = roomForUpgrade(pages * Number(database.pragma('page_size', { simple: true })));
  const { bavail, bsize } = statfsSync(dirname(file));
  const free = bavail * bsize;
  if (free >= needed) return;
  const [neededMb, freeMb] = [needed, free].map((bytes) => Math.ceil(bytes / 1e6));
  throw new SQLite.SqliteError(
    `the upgrade of the database needs ${neededMb} MB for a copy, ${freeMb} MB are free`,
    'SQLITE_FULL',
  );
}

/**
 * Removes the copies from before an upgrade that were made before a time (ms): the new version has
 * run well since. Returns their names.
 */
export function removeOldCopies(file: string, before: number): readonly string[] {
  const folder = dirname(file);
  const prefix = `${basename(file)}.v`;
  const old = readdirSync(folder).filter((name) => {
    if (!name.startsWith(prefix) || !/^\d+$/.test(name.slice(prefix.length))) return false;
    return statSync(join(folder, name)).mtimeMs < before;
  });
  for (const name of old) rmSync(join(folder, name), { force: true });
  return old;
}
