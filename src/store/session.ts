import type { Database } from 'better-sqlite3';
import type { OutgoingMessage } from '../mqtt/message.js';
import type { PresenceEvent } from '../presence/event.js';
import type { Clock } from '../time.js';
import type { AgeLimit } from './believed-clock.js';
import { type ClockTable, createClockTable } from './clock-table.js';
import { sqliteCode } from './damage.js';
import { BUSY_TIMEOUT_MS } from './database.js';
import { createDetectionTable, type Detection } from './detections.js';
import { createEventTable, type EventTable, endOf } from './events.js';
import { createGovernorTable, type GovernorTable } from './governor-log.js';
import { createNames } from './names.js';
import {
  createNoticeTable,
  type LostNotices,
  type NoticeTable,
  type OutgoingNotice,
} from './notices.js';
import { createOutboxTable, type OutboxTable } from './outbox.js';
import { type Removal, type Retention, type Share, Sweeper } from './retention.js';
import { createSettingTable, type SettingTable } from './settings.js';

const CHECKPOINT_TIMEOUT_MS = 100;

/** Events and the messages about them: recorded together or not at all. */
export interface EventBatch {
  readonly events: readonly PresenceEvent[];
  readonly messages: readonly OutgoingMessage[];
  /** What rules have to tell of these events. */
  readonly notices?: readonly OutgoingNotice[];
  readonly time: number;
}

/** What one transaction writes. */
export interface Work {
  readonly batches: readonly EventBatch[];
  readonly detections: readonly Detection[];
  readonly acknowledged: readonly number[];
}

/** What is written again into a database that has lost it. */
export interface Restoration {
  readonly batches: readonly EventBatch[];
  /** Ids of the events that are open; what a restored copy has open besides them has ended. */
  readonly open: ReadonlySet<string>;
  /** Settings by key, when the new database has none. */
  readonly settings: ReadonlyMap<string, string>;
  readonly notices: LostNotices;
}

/** An open database with its prepared statements. Everything here may throw what SQLite says. */
export interface Session {
  readonly database: Database;
  readonly events: EventTable;
  readonly outbox: OutboxTable;
  readonly notices: NoticeTable;
  readonly settings: SettingTable;
  readonly governor: GovernorTable;
  /**
   * Writes everything in one transaction; returns by how many messages the outbox grew. Rows that no
   * schema takes (a score that is not a number) are left out and given to `onRefused`, or they would
   * be tried for ever and hold up all that follows.
   */
  commit(work: Work, onRefused: (lost: Work, error: unknown) => void): number;
  readonly clock: ClockTable;
  sweep(age: AgeLimit, share: Share | null): Removal;
  /** Whether a sweep would remove rows for their size. */
  isOver(): boolean;
  /** A tenth of the rows there are. */
  share(): Share;
  /** Writes what the database has lost; settings only if it has none. In one transaction. */
  restore(lost: Restoration): void;
  /** Writes the row that tells this file from others. */
  stamp(value: string): void;
  /** Where the page of that row begins in the file, and how long it is, bytes. */
  stampPage(): { readonly offset: number; readonly size: number };
  /** Moves the write-ahead log into the file and empties it; false: a reader is in the way. */
  checkpoint(): boolean;
  close(): void;
}

export function createSession(
  database: Database,
  retention: Retention,
  clock: Pick<Clock, 'now'>,
): Session {
  const names = createNames(database);
  const events = createEventTable(database, names);
  const detections = createDetectionTable(database, names);
  const outbox = createOutboxTable(database);
  const notices = createNoticeTable(database);
  const settings = createSettingTable(database);
  const governor = createGovernorTable(database);
  const limits = new Sweeper(database, retention, clock);

  const write = database.transaction((work: Work): number => {
    let growth = 0;
    for (const id of work.acknowledged) growth -= outbox.remove(id);
    for (const batch of work.batches) {
      for (const event of batch.events) events.write(event, batch.time);
      for (const message of batch.messages) outbox.add(message, batch.time);
      for (const notice of batch.notices ?? []) notices.add(notice, batch.time);
      growth += batch.messages.length;
    }
    for (const row of work.detections) detections.write(row);
    return growth;
  });

  function commit(work: Work): number {
    try {
      return write.immediate(work);
    } catch (error) {
      names.forget();
      throw error;
    }
  }

  /** The work in pieces that are refused or written each for itself. */
  function commitFit(work: Work, onRefused: (lost: Work, error: unknown) => void): number {
    const none: Work = { batches: [], detections: [], acknowledged: [] };
    const parts: Work[] = [
      { ...none, acknowledged: work.acknowledged },
      ...work.batches.map((batch) => ({ ...none, batches: [batch] })),
      { ...none, detections: work.detections },
    ];
    let growth = 0;
    for (const part of parts) {
      try {
        growth += commit(part);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        onRefused(part, error);
      }
    }
    return growth;
  }

  const restore = database.transaction((lost: Restoration) => {
    for (const { events: rows, messages, time } of lost.batches) {
      for (const event of rows) events.write(event, time);
      for (const message of messages) outbox.add(message, time);
    }
    for (const left of events.open()) {
      if (!lost.open.has(left.id)) events.write(endOf(left), left.seen);
    }
    notices.restore(lost.notices);
    if (settings.all().size > 0) return;
    for (const [key, value] of lost.settings) settings.set(key, value);
  });

  const stamp = database.prepare('UPDATE stamp SET value = ?');

  function stampPage(): { offset: number; size: number } {
    const size = Number(database.pragma('page_size', { simple: true }));
    const root = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'stamp'");
    return { offset: (Number(root.pluck().get()) - 1) * size, size };
  }

  function checkpoint(): boolean {
    // It waits for readers; a slow one must not hold up the daemon.
    database.pragma(`busy_timeout = ${CHECKPOINT_TIMEOUT_MS}`);
    const isHindered = Number(database.pragma('wal_checkpoint(TRUNCATE)', { simple: true })) !== 0;
    database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return !isHindered;
  }

  return {
    database,
    events,
    outbox,
    notices,
    settings,
    governor,
    commit(work, onRefused) {
      try {
        return commit(work);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return commitFit(work, onRefused);
      }
    },
    clock: createClockTable(database),
    sweep: (age, share) => limits.sweep(age, share),
    isOver: () => limits.isOver(),
    share: () => limits.share(),
    restore: (lost) => void restore.immediate(lost),
    stamp: (value) => void stamp.run(value),
    stampPage,
    checkpoint,
    close() {
      try {
        checkpoint();
      } finally {
        database.close();
      }
    },
  };
}

function isRefusal(error: unknown): boolean {
  return (
    /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)/.test(sqliteCode(error)) || error instanceof TypeError
  );
}
