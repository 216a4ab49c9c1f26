import type { Database } from 'better-sqlite3';

/** Something that a channel of a rule is to be told. */
export interface OutgoingNotice {
  readonly rule: string;
  readonly channel: string;
  /** Id of the event. */
  readonly event: string;
  /** What the rule's cool-down is of; empty where it has none. */
  readonly cause: string;
  /** JSON of whoever sends it. */
  readonly payload: string;
}

export interface PendingNotice extends OutgoingNotice {
  readonly id: number;
  /** When it was recorded, ms since 1970. */
  readonly created: number;
}

/** When a rule fired last for a cause, ms since 1970. */
export interface LastFiring {
  readonly rule: string;
  readonly cause: string;
  readonly time: number;
}

/** What is known of notifications that a database has lost. */
export interface LostNotices {
  readonly waiting: readonly PendingNotice[];
  readonly firings: readonly LastFiring[];
  /** Whether nothing else waited. */
  readonly isAll: boolean;
}

/** Statements of the notifications that wait; the store decides on transactions. */
export interface NoticeTable {
  add(notice: OutgoingNotice, time: number): void;
  /** The oldest of a rule's channel; null: none waits. */
  next(rule: string, channel: string): PendingNotice | null;
  remove(id: number): number;
  /** Removes the oldest beyond `rows`, and those recorded before `time`; returns how many. */
  trim(rule: string, channel: string, rows: number, time: number): number;
  /** How many wait, by rule and channel. */
  counts(): readonly {
    readonly rule: string;
    readonly channel: string;
    readonly waiting: number;
  }[];
  /** Removes all of a rule's channel. */
  clear(rule: string, channel: string): number;
  /** Rules that fired after a time (ms); what is older is forgotten. */
  firings(since: number): readonly LastFiring[];
  /** The newest that wait, oldest first, at most `limit`. */
  newestOf(limit: number): readonly PendingNotice[];
  /** Id of the newest ever recorded. */
  newest(): number;
  /** Writes what was lost, under the ids that it had. */
  restore(lost: LostNotices): void;
  /** Moves all times by `step` ms: the clock was set. */
  shift(step: number): void;
}

export function createNoticeTable(database: Database): NoticeTable {
  const add = database.prepare(
    'INSERT INTO notice (created, rule, channel, event, cause, payload) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const fired = database.prepare(
    `INSERT INTO firing (rule, cause, time) VALUES (?, ?, ?)
     ON CONFLICT (rule, cause) DO UPDATE SET time = excluded.time`,
  );
  const next = database.prepare<[string, string], PendingNotice>(
    'SELECT * FROM notice WHERE rule = ? AND channel = ? ORDER BY id LIMIT 1',
  );
  const remove = database.prepare('DELETE FROM notice WHERE id = ?');
  const trim = database.prepare(
    `DELETE FROM notice WHERE rule = @rule AND channel = @channel AND (created < @time OR id <=
       (SELECT id FROM notice WHERE rule = @rule AND channel = @channel
        ORDER BY id DESC LIMIT 1 OFFSET @rows))`,
  );
  const counts = database.prepare<[], { rule: string; channel: string; waiting: number }>(
    'SELECT rule, channel, count(*) AS waiting FROM notice GROUP BY rule, channel',
  );
  const clear = database.prepare('DELETE FROM notice WHERE rule = ? AND channel = ?');
  const forgetFirings = database.prepare('DELETE FROM firing WHERE time < ?');
  const firings = database.prepare<[], LastFiring>('SELECT rule, cause, time FROM firing');
  const newestOf = database.prepare<[number], PendingNotice>(
    'SELECT * FROM notice ORDER BY id DESC LIMIT ?',
  );
  const newest = database
    .prepare("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'notice'), 0)")
    .pluck();
  const putBack = database.prepare(
    `INSERT OR REPLACE INTO notice (id, created, rule, channel, event, cause, payload)
     VALUES (@id, @created, @rule, @channel, @event, @cause, @payload)`,
  );
  const putFiringBack = database.prepare(
    `INSERT INTO firing (rule, cause, time) VALUES (@rule, @cause, @time)
     ON CONFLICT (rule, cause) DO UPDATE SET time = max(time, excluded.time)`,
  );
  const shifts = ['notice SET created = created', 'firing SET time = time'].map((what) =>
    database.prepare(`UPDATE ${what} + ?`),
  );
  return {
    add({ rule, channel, event, cause, payload }, time) {
      const now = Math.round(time);
      add.run(now, rule, channel, event, cause, payload);
      if (cause !== '') fired.run(rule, cause, now);
    },
    next: (rule, channel) => next.get(rule, channel) ?? null,
    remove: (id) => remove.run(id).changes,
    trim: (rule, channel, rows, time) =>
      trim.run({ rule, channel, rows, time: Math.round(time) }).changes,
    counts: () => counts.all(),
    clear: (rule, channel) => clear.run(rule, channel).changes,
    firings(since) {
      forgetFirings.run(Math.round(since));
      return firings.all();
    },
    newestOf: (limit) => newestOf.all(limit).reverse(),
    newest: () => Number(newest.get()),
    restore({ waiting, firings: all, isAll }) {
      if (isAll) database.prepare('DELETE FROM notice').run();
      for (const notice of waiting) putBack.run(notice);
      for (const firing of all) putFiringBack.run(firing);
    },
    shift(step) {
      for (const statement of shifts) statement.run(Math.round(step));
    },
  };
}
