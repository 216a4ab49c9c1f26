import type { Database } from 'better-sqlite3';
import type { OutgoingMessage, PendingMessage } from '../mqtt/message.js';

/** Statements of the outbox; the store decides on transactions, counts and bounds. */
export interface OutboxTable {
  add(message: OutgoingMessage, time: number): number;
  /** The oldest messages with an id above `after`. */
  next(limit: number, after: number): PendingMessage[];
  /** Removes a message; returns how many that were, 1 or 0. */
  remove(id: number): number;
  count(): number;
  /** Removes the oldest messages beyond `rows`, and those recorded before `time`; returns how many. */
  trim(rows: number, time: number): number;
  /** Moves the recording time of messages above `after` by `step` milliseconds. */
  shift(step: number, after: number): void;
  /** Id of the newest message ever recorded. */
  newest(): number;
  /** Lets ids continue after `id`: a fresh database must not give out those of a damaged one again. */
  continueAfter(id: number): void;
}

interface OutboxRow {
  id: number;
  created: number;
  topic: string;
  payload: Buffer;
  qos: 0 | 1;
  retain: number;
}

export function createOutboxTable(database: Database): OutboxTable {
  const add = database.prepare(
    'INSERT INTO outbox (created, topic, payload, qos, retain) VALUES (?, ?, ?, ?, ?)',
  );
  const next = database.prepare<[number, number], OutboxRow>(
    'SELECT id, created, topic, payload, qos, retain FROM outbox WHERE id > ? ORDER BY id LIMIT ?',
  );
  const remove = database.prepare('DELETE FROM outbox WHERE id = ?');
  const count = database.prepare('SELECT count(*) FROM outbox').pluck();
  const expire = database.prepare('DELETE FROM outbox WHERE created < ?');
  const excess = database.prepare(
    'DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT ?)',
  );
  const shift = database.prepare('UPDATE outbox SET created = created + ? WHERE id > ?');
  const newest = database
    .prepare(`SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)`)
    .pluck();

  return {
    add(message, time) {
      const bytes =
        typeof message.payload === 'string' ? Buffer.from(message.payload) : message.payload;
      const done = add.run(
        Math.round(time),
        message.topic,
        bytes,
        message.qos,
        message.retain ? 1 : 0,
      );
      return Number(done.lastInsertRowid);
    },
    next: (limit, after) =>
      next.all(after, limit).map((row) => ({ ...row, retain: row.retain === 1 })),
    remove: (id) => remove.run(id).changes,
    count: () => Number(count.get()),
    trim(rows, time) {
      const expired = expire.run(Math.round(time)).changes;
      const surplus = Number(count.get()) - rows;
      return expired + (surplus > 0 ? excess.run(surplus).changes : 0);
    },
    shift: (step, after) => void shift.run(Math.round(step), after),
    newest: () => Number(newest.get()),
    continueAfter(id) {
      if (id <= Number(newest.get())) return;
      database.prepare("DELETE FROM sqlite_sequence WHERE name = 'outbox'").run();
      database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?)").run(id);
    },
  };
}
