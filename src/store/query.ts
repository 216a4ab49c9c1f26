import type { Database } from 'better-sqlite3';
import type { PresenceEvent } from '../presence/event.js';
import { isDamage } from './damage.js';
import type { Detection } from './detections.js';
import { boxOf, type EventRow, eventOf } from './events.js';
import { createNameReader, type NameReader } from './name-reader.js';

/**
 * What to look for. Times in milliseconds since the epoch: a detection fits when `since` ≤ time <
 * `until`, an event when any part of its stay does.
 */
export interface Query {
  readonly since?: number;
  readonly until?: number;
  readonly label?: string;
  readonly camera?: string;
  /** The newest this many that fit. */
  readonly limit: number;
  /**
   * Called with what SQLite says of a page that cannot be read; rows that can are then looked for one
   * by one. Without it, the error is thrown.
   */
  readonly onDamage?: (error: unknown) => void;
}

const PAGE = 500;
/** Stays at least this long have an index of their own: `event_long` in migrations.ts. */
const LONG_MS = 3_600_000;

type Value = string | number;

/** Rows of one table that fit, in the order of their keys. */
interface Plan {
  readonly table: 'detection' | 'event';
  readonly columns: string;
  readonly where: readonly string[];
  readonly values: readonly Value[];
  /** Columns whose order an index has; together they tell rows apart. */
  readonly keys: readonly string[];
}

interface RawRow {
  readonly id: number;
  readonly camera: number;
  readonly label: number;
  readonly variant: number;
}

type RawDetection = RawRow & Omit<EventRow, keyof RawRow> & { time: number; event: string | null };
type RawEvent = RawRow & Omit<EventRow, keyof RawRow>;

const DETECTION_COLUMNS = `id, time, camera, label, variant, score, x, y, width, height,
  (SELECT uid FROM event WHERE event.id = detection.event) AS event`;
const EVENT_COLUMNS = `id, uid, type, camera, label, variant, score, start, end, count,
  x, y, width, height`;

/** Detections in order of time, read in pages: no cursor stays open between two of them. */
export function* queryDetections(database: Database, query: Query): Generator<Detection> {
  const names = createNameReader(database);
  const filter = filters(names, query);
  if (filter === null) return;
  const plan: Plan = {
    ...{ table: 'detection', columns: DETECTION_COLUMNS },
    ...together(filter, between('time', query.since, query.until)),
    // An index has the times of a label, of each camera in turn.
    keys: query.label === undefined ? ['time', 'id'] : ['time', 'camera', 'id'],
  };
  for (const row of walk<RawDetection>(database, plan, query)) {
    const { time, score, event } = row;
    yield { time, ...names.of(row), score, box: boxOf(row), event };
  }
}

/** Events in order of their start; those that overlap the time asked for. */
export function* queryEvents(database: Database, query: Query): Generator<PresenceEvent> {
  const names = createNameReader(database);
  const filter = filters(names, query);
  if (filter === null) return;
  const { since, until, limit } = query;
  const base = { table: 'event', columns: EVENT_COLUMNS, keys: ['start', 'id'] } as const;
  const edge = since === undefined ? undefined : since - LONG_MS;
  const main = together(filter, between('start', edge, until), overlap(since));
  const mainPlan: Plan = { ...base, ...main };
  const earlier: RawEvent[] = [];
  if (edge !== undefined && since !== undefined) {
    // Before the edge only long stays and open ones can reach into the time; they are few.
    const before = together(filter, { where: ['start < ?'], values: [edge] });
    const open: Plan = { ...base, ...together(before, { where: ['end IS NULL'], values: [] }) };
    const long = { where: [`end - start >= ${LONG_MS}`, 'end >= ?'], values: [since] };
    for (const plan of [open, { ...base, ...together(before, long) }]) {
      earlier.push(...walk<RawEvent>(database, plan, { ...query, limit: Number.MAX_SAFE_INTEGER }));
    }
    earlier.sort((a, b) => a.start - b.start || a.id - b.id);
  }
  const room = Math.max(0, limit - countUpTo(database, mainPlan, limit));
  for (const row of earlier.slice(Math.max(0, earlier.length - room))) {
    yield eventOf({ ...row, ...names.of(row) });
  }
  for (const row of walk<RawEvent>(database, mainPlan, query)) {
    yield eventOf({ ...row, ...names.of(row) });
  }
}

/** Events whose id begins with a text, as tables for people show them; at most `limit`. */
export function eventsById(database: Database, prefix: string, limit: number): PresenceEvent[] {
  const names = createNameReader(database);
  const rows = database
    .prepare<unknown[], RawEvent>(
      `SELECT ${EVENT_COLUMNS} FROM event WHERE uid >= ? AND uid < ? ORDER BY start LIMIT ?`,
    )
    .all(prefix, `${prefix}\u{10ffff}`, limit);
  return rows.map((row) => eventOf({ ...row, ...names.of(row) }));
}

interface Condition {
  readonly where: readonly string[];
  readonly values: readonly Value[];
}

/** Conditions on names; null when there is no such name, and so no row. */
function filters(names: NameReader, { label, camera }: Query): Condition | null {
  const ids = { label: names.label(label), camera: names.camera(camera) };
  if (ids.label === null || ids.camera === null) return null;
  const used = Object.entries(ids).filter(
    (pair): pair is [string, number] => pair[1] !== undefined,
  );
  return { where: used.map(([column]) => `${column} = ?`), values: used.map(([, id]) => id) };
}

function between(column: string, since: number | undefined, until: number | undefined): Condition {
  const used: [string, number | undefined][] = [
    [`${column} >= ?`, since],
    [`${column} < ?`, until],
  ];
  const set = used.filter((pair): pair is [string, number] => pair[1] !== undefined);
  return { where: set.map(([text]) => text), values: set.map(([, value]) => value) };
}

function overlap(since: number | undefined): Condition {
  return since === undefined
    ? { where: [], values: [] }
    : { where: ['(end IS NULL OR end >= ?)'], values: [since] };
}

function together(...all: readonly Condition[]): Condition {
  return {
    where: all.flatMap(({ where }) => where),
    values: all.flatMap(({ values }) => values),
  };
}

function clauseOf({ where }: Condition): string {
  return where.length === 0 ? 'TRUE' : where.join(' AND ');
}

/** How many rows fit, counted no further than `most`. */
function countUpTo(database: Database, plan: Plan, most: number): number {
  if (most >= Number.MAX_SAFE_INTEGER) return 0;
  const count = database.prepare<unknown[], number>(
    `SELECT count(*) FROM (SELECT 1 FROM ${plan.table} WHERE ${clauseOf(plan)} LIMIT ?)`,
  );
  return count.pluck().get(...plan.values, most) ?? 0;
}

function* walk<Row extends { id: number }>(
  database: Database,
  plan: Plan,
  query: Pick<Query, 'limit' | 'onDamage'>,
): Generator<Row> {
  const { onDamage } = query;
  let last: readonly Value[] | null = null;
  try {
    for (const row of pages<Row>(database, plan, query.limit)) {
      last = keysOf(row, plan.keys);
      yield row;
    }
  } catch (error) {
    if (onDamage === undefined || !isDamage(error)) throw error;
    onDamage(error);
    yield* salvage<Row>(database, plan, last);
  }
}

function* pages<Row extends { id: number }>(
  database: Database,
  plan: Plan,
  limit: number,
): Generator<Row> {
  if (limit < 1) return;
  const { table, columns, keys, values } = plan;
  const clause = clauseOf(plan);
  let after = limit < Number.MAX_SAFE_INTEGER ? beforeNewest(database, plan, limit) : null;
  const first = database.prepare<unknown[], Row>(
    `SELECT ${columns} FROM ${table} WHERE ${clause} ORDER BY ${keys.join(', ')} LIMIT ${PAGE}`,
  );
  const next = database.prepare<unknown[], Row>(
    `SELECT ${columns} FROM ${table} WHERE ${clause}
     AND (${keys.join(', ')}) > (${keys.map(() => '?').join(', ')})
     ORDER BY ${keys.join(', ')} LIMIT ${PAGE}`,
  );
  for (let left = limit; left > 0; ) {
    const rows = after === null ? first.all(...values) : next.all(...values, ...after);
    yield* rows.slice(0, left);
    left -= rows.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = keysOf(last, keys);
  }
}

/** The keys just before the newest `limit` rows; null when there are no more than that. */
function beforeNewest(database: Database, plan: Plan, limit: number): readonly Value[] | null {
  const { table, keys, values } = plan;
  const row = database
    .prepare<unknown[], Record<string, Value>>(
      `SELECT ${keys.join(', ')} FROM ${table} WHERE ${clauseOf(plan)}
       ORDER BY ${keys.map((key) => `${key} DESC`).join(', ')} LIMIT 1 OFFSET ?`,
    )
    .get(...values, limit);
  return row === undefined ? null : keysOf(row, keys);
}

function keysOf(row: object, keys: readonly string[]): readonly Value[] {
  const values = new Map(Object.entries(row));
  return keys.map((key) => values.get(key) as Value);
}

/** Rows at first in a step of the search beside damage. */
const SALVAGE_STEP = 256;
/** Row ids beyond the last row found that are still looked at. */
const SALVAGE_REACH = 1 << 20;

/**
 * Rows that can still be read where an index or a page is damaged, after the last one that was found:
 * by row id, in steps that are halved where they fail.
 */
function* salvage<Row extends { id: number }>(
  database: Database,
  plan: Plan,
  last: readonly Value[] | null,
): Generator<Row> {
  const { table, columns, keys, values } = plan;
  const beyond =
    last === null ? '' : `AND (${keys.join(', ')}) > (${keys.map(() => '?').join(', ')})`;
  const some = database.prepare<unknown[], Row>(
    `SELECT ${columns} FROM ${table} NOT INDEXED
     WHERE id >= ? AND id < ? AND ${clauseOf(plan)} ${beyond} ORDER BY id`,
  );
  const end = lastId(database, table);
  for (let id = 1, step = SALVAGE_STEP; id <= end; ) {
    try {
      yield* some.all(id, id + step, ...values, ...(last ?? []));
      id += step;
      step = Math.min(step * 2, 65_536);
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (step === 1) id += 1;
      step = Math.max(1, step >> 1);
    }
  }
}

/** The largest row id; where the way to it is damaged, the largest that can be found. */
function lastId(database: Database, table: string): number {
  try {
    return Number(database.prepare(`SELECT max(id) FROM ${table}`).pluck().get() ?? 0);
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  const one = database.prepare(`SELECT id FROM ${table} NOT INDEXED WHERE id >= ? LIMIT 1`).pluck();
  let found = 0;
  for (let id = 1; id < Number.MAX_SAFE_INTEGER / 2; id *= 2) {
    try {
      if (one.get(id) === undefined) return id;
      found = id;
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (id > found * 4 + SALVAGE_REACH) return id;
    }
  }
  return found + SALVAGE_REACH;
}
