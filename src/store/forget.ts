import { accessSync, constants } from 'node:fs';
import SQLite, { type Database } from 'better-sqlite3';
import { codedError, messageOf } from '../errors.js';
import { sleep, systemClock } from '../time.js';
import { isDamage } from './damage.js';
import { forbiddenError } from './forbidden.js';
import { checkVersion, MIGRATIONS } from './migrations.js';
import { createNameReader } from './name-reader.js';
import { openForReading } from './reading.js';

/** What to remove: rows of these bounds; an event when any part of its stay lies in the time. */
export interface Forgetting {
  readonly since?: number;
  readonly until?: number;
  readonly label?: string;
  readonly camera?: string;
}

export interface Forgotten {
  readonly detections: number;
  readonly events: number;
  readonly eventIds: ReadonlySet<string>;
  /** Events that fit but have not ended: the daemon still writes them. */
  readonly open: number;
}

/** Rows of a step at first; it is adapted so that a step takes about `STEP_MS`. */
const ROWS = { first: 200, least: 20, most: 2000 };
const STEP_MS = 8;
/** The daemon writes in between, ms. */
const PAUSE_MS = 10;
const BUSY_MS = 5000;

interface Bounds {
  readonly detection: string;
  readonly event: string;
  readonly values: Readonly<Record<string, number>>;
}

/** How many rows fit. Throws as {@link openForReading} does. */
export function countForgotten(file: string, what: Forgetting): Omit<Forgotten, 'eventIds'> {
  const database = openForReading(file);
  try {
    const bounds = boundsOf(database, what);
    if (bounds === null) return { detections: 0, events: 0, open: 0 };
    const count = (from: string) =>
      Number(database.prepare(`SELECT count(*) FROM ${from}`).pluck().get(bounds.values));
    return {
      detections: count(`detection WHERE ${bounds.detection}`),
      events: count(`event WHERE end IS NOT NULL AND ${bounds.event}`),
      open: count(`event WHERE end IS NULL AND ${bounds.event}`),
    };
  } finally {
    database.close();
  }
}

/**
 * Removes rows, and messages about them that wait, in steps that leave the daemon its turns. What is
 * removed is overwritten in the file. A signal ends it between two steps.
 *
 * @throws MND_INPUT_MISSING, MND_STORE_OPEN, MND_STORE_CORRUPT, MND_STATE_FORBIDDEN
 */
export async function forget(
  file: string,
  what: Forgetting,
  signal: AbortSignal,
): Promise<Forgotten> {
  const { open } = countForgotten(file, what);
  const database = openForWriting(file);
  try {
    const bounds = boundsOf(database, what);
    const eventIds = new Set<string>();
    let detections = 0;
    if (bounds === null) return { detections, events: 0, eventIds, open };
    const { values } = bounds;
    const removeDetections = database.prepare(
      `DELETE FROM detection WHERE id IN
       (SELECT id FROM detection WHERE ${bounds.detection} LIMIT @rows)`,
    );
    const removeEvents = database
      .prepare<unknown[], string>(
        `DELETE FROM event WHERE id IN
         (SELECT id FROM event WHERE end IS NOT NULL AND ${bounds.event} LIMIT @rows)
         RETURNING uid`,
      )
      .pluck();
    const removeMessages = database.prepare('DELETE FROM outbox WHERE instr(payload, ?) > 0');
    const removeNotices = database.prepare('DELETE FROM notice WHERE event = ?');
    const step = database.transaction((rows: number): number => {
      const gone = removeDetections.run({ ...values, rows }).changes;
      detections += gone;
      if (gone > 0) return gone;
      const uids = removeEvents.all({ ...values, rows });
      for (const uid of uids) {
        eventIds.add(uid);
        removeMessages.run(Buffer.from(uid));
        removeNotices.run(uid);
      }
      return uids.length;
    });
    for (let rows = ROWS.first; ; ) {
      const began = systemClock.now();
      if (step.immediate(rows) === 0) break;
      const took = systemClock.now() - began;
      const wanted = Math.round((rows * STEP_MS) / Math.max(1, took));
      rows = Math.min(ROWS.most, 2 * rows, Math.max(ROWS.least, wanted));
      await sleep(systemClock, PAUSE_MS, signal);
      signal.throwIfAborted();
    }
    database.pragma('wal_checkpoint(PASSIVE)');
    return { detections, events: eventIds.size, eventIds, open };
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw codedError('MND_STORE_CORRUPT', { subject: file, found: messageOf(error), cause: error });
  } finally {
    database.close();
  }
}

function openForWriting(file: string): Database {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw forbiddenError(file, error);
  }
  const database = new SQLite(file, { fileMustExist: true, timeout: BUSY_MS });
  try {
    const version = checkVersion(database, file, MIGRATIONS.length);
    if (version < MIGRATIONS.length) {
      throw codedError('MND_STORE_OPEN', {
        subject: file,
        expected: `schema version ${MIGRATIONS.length}`,
        found: `version ${version}, of an older mobilenetd`,
        next: 'start the daemon once: it brings the database up to date, after a copy',
      });
    }
    database.pragma('secure_delete = ON');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Conditions on both tables; null when there is no such name, and so nothing to remove. */
function boundsOf(database: Database, what: Forgetting): Bounds | null {
  const names = createNameReader(database);
  const ids = { label: names.labelId(what.label), camera: names.cameraId(what.camera) };
  if (ids.label === null || ids.camera === null) return null;
  const { since, until } = what;
  const named = Object.entries(ids).filter(
    (pair): pair is [string, number] => pair[1] !== undefined,
  );
  const both = named.map(([column]) => `${column} = @${column}`);
  const detection = [...both];
  const event = [...both];
  if (since !== undefined) {
    detection.push('time >= @since');
    event.push('(end IS NULL OR end >= @since)');
  }
  if (until !== undefined) {
    detection.push('time < @until');
    event.push('start < @until');
  }
  return {
    detection: detection.join(' AND ') || 'TRUE',
    event: event.join(' AND ') || 'TRUE',
    values: {
      ...Object.fromEntries(named),
      ...(since !== undefined && { since }),
      ...(until !== undefined && { until }),
    },
  };
}

/** The condition on rows of a copy that do not fit, for a copy of a part of the history. */
export function removeOthers(copy: Database, what: Forgetting): void {
  const bounds = boundsOf(copy, what);
  const [detection, event] =
    bounds === null ? ['FALSE', 'FALSE'] : [bounds.detection, bounds.event];
  const values = bounds?.values ?? {};
  copy.prepare(`DELETE FROM detection WHERE NOT (${detection})`).run(values);
  copy.prepare(`DELETE FROM event WHERE NOT (${event})`).run(values);
  copy.exec(
    'DELETE FROM outbox; DELETE FROM notice; DELETE FROM firing; DELETE FROM governor; DELETE FROM setting; VACUUM',
  );
}

/**
 * Removes an event that has ended, what was detected of it, and messages about it that wait; false: there
 * is none, or it is not over yet.
 */
export function forgetEvent(database: Database, uid: string): boolean {
  return database.transaction(() => {
    const find = 'SELECT id FROM event WHERE uid = ? AND end IS NOT NULL';
    const id = database.prepare<[string], number>(find).pluck().get(uid);
    if (id === undefined) return false;
    database.prepare('DELETE FROM detection WHERE event = ?').run(id);
    database.prepare('DELETE FROM outbox WHERE instr(payload, ?) > 0').run(Buffer.from(uid));
    database.prepare('DELETE FROM notice WHERE event = ?').run(uid);
    database.prepare('DELETE FROM event WHERE id = ?').run(id);
    return true;
  })();
}
