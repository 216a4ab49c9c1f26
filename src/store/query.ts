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
  /** Least value of the first key; null: there is none. */
  readonly from: number | null;
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
/** Columns that came later, and what stands for them in a database that lacks them. */
const LATER_COLUMNS = {
  ...{ object: 'NULL', stationary: '0', zones: 'NULL', loitering: 'NULL' },
  ...{ sub_label: 'NULL', sub_score: 'NULL' },
};

/** A database of an older version, open for reading, does not have all columns. */
function eventColumns(database: Database): string {
  const names = database.prepare("SELECT name FROM pragma_table_info('event')").pluck().all();
  const later = Object.entries(LATER_COLUMNS).map(([name, absent]) =>
    names.includes(name) ? name : `${absent} AS ${name}`,
  );
  return [EVENT_COLUMNS, ...later].join(', ');
}

/** Detections in order of time, read in pages: no cursor stays open between two of them. */
export function* queryDetections(database: Database, query: Query): Generator<Detection> {
  const names = createNameReader(database);
  const filter = filters(names, query);
  if (filter === null) return;
  const plan: Plan = {
    ...{ table: 'detection', columns: DETECTION_COLUMNS },
    ...together(filter, before('time', query.until)),
    from: query.since ?? null,
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
  const columns = eventColumns(database);
  const base = { table: 'event', columns, keys: ['start', 'id'] } as const;
  const edge = since === undefined ? undefined : since - LONG_MS;
  const main = together(filter, before('start', until), overlap(since));
  const mainPlan: Plan = { ...base, ...main, from: edge ?? null };
  const earlier: RawEvent[] = [];
  if (edge !== undefined && since !== undefined) {
    // Before the edge only long stays and open ones can reach into the time; they are few.
    const early = together(filter, before('start', edge));
    const long = { where: [`end - start >= ${LONG_MS}`, 'end >= ?'], values: [since] };
    earlier.push(
      ...unordered(database, 'event_open', together(early, OPEN), query),
      ...unordered(database, 'event_long', together(early, long), query),
    );
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

/** Events by an index of few; a database of an older version does not have each of them. */
function unordered(
  database: Database,
  index: string,
  condition: Condition,
  { onDamage }: Query,
): RawEvent[] {
  const exists = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(index);
  const by = exists === undefined ? '' : `INDEXED BY ${index}`;
  try {
    return database
      .prepare<unknown[], RawEvent>(
        `SELECT ${eventColumns(database)} FROM event ${by} WHERE ${clauseOf(condition)}`,
      )
      .all(...condition.values);
  } catch (error) {
    if (onDamage === undefined || !isDamage(error)) throw error;
    onDamage(error);
    return [];
  }
}

/** Events whose id begins with a text, as tables for people show them; at most `limit`. */
export function eventsById(database: Database, prefix: string, limit: number): PresenceEvent[] {
  const names = createNameReader(database);
  const rows = database
    .prepare<unknown[], RawEvent>(
      `SELECT ${eventColumns(database)} FROM event WHERE uid >= ? AND uid < ? ORDER BY start LIMIT ?`,
    )
    .all(prefix, `${prefix}\u{10ffff}`, limit);
  return rows.map((row) => eventOf({ ...row, ...names.of(row) }));
}

interface Condition {
  readonly where: readonly string[];
  readonly values: readonly Value[];
}

const OPEN: Condition = { where: ['end IS NULL'], values: [] };

/** Conditions on names; null when there is no such name, and so no row. */
function filters(names: NameReader, { label, camera }: Query): Condition | null {
  const ids = { label: names.label(label), camera: names.camera(camera) };
  if (ids.label === null || ids.camera === null) return null;
  const used = Object.entries(ids).filter(
    (pair): pair is [string, number] => pair[1] !== undefined,
  );
  return { where: used.map(([column]) => `${column} = ?`), values: used.map(([, id]) => id) };
}

function before(column: string, time: number | undefined): Condition {
  if (time === undefined) return { where: [], values: [] };
  return { where: [`${column} < ?`], values: [time] };
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

/** The condition of a plan, with its beginning. */
function bounded({ where, values, keys, from }: Plan): Condition {
  return from === null ? { where, values } : together(atLeast(keys, from), { where, values });
}

function atLeast([key]: readonly string[], value: Value): Condition {
  return { where: [`${key} >= ?`], values: [value] };
}

/** Rows after one: the first bound is what SQLite looks up in the index, whatever else it is told. */
function beyond(keys: readonly string[], last: readonly Value[]): Condition {
  const marks = keys.map(() => '?').join(', ');
  const after = { where: [`(${keys.join(', ')}) > (${marks})`], values: last };
  return together(atLeast(keys, last[0] ?? 0), after);
}

/** How many rows fit, counted no further than `most`. */
function countUpTo(database: Database, plan: Plan, most: number): number {
  if (most >= Number.MAX_SAFE_INTEGER) return 0;
  const condition = bounded(plan);
  const count = database.prepare<unknown[], number>(
    `SELECT count(*) FROM (SELECT 1 FROM ${plan.table} WHERE ${clauseOf(condition)} LIMIT ?)`,
  );
  return count.pluck().get(...condition.values, most) ?? 0;
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
  const { table, columns, keys } = plan;
  const read = ({ where, values }: Condition) =>
    database
      .prepare<unknown[], Row>(
        `SELECT ${columns} FROM ${table} WHERE ${clauseOf({ where, values })}
         ORDER BY ${keys.join(', ')} LIMIT ${PAGE}`,
      )
      .all(...values);
  let after = limit < Number.MAX_SAFE_INTEGER ? beforeNewest(database, plan, limit) : null;
  for (let left = limit; left > 0; ) {
    const rows = read(after === null ? bounded(plan) : together(beyond(keys, after), plan));
    yield* rows.slice(0, left);
    left -= rows.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = keysOf(last, keys);
  }
}

/** The keys just before the newest `limit` rows; null when there are no more than that. */
function beforeNewest(database: Database, plan: Plan, limit: number): readonly Value[] | null {
  const { table, keys } = plan;
  const condition = bounded(plan);
  const row = database
    .prepare<unknown[], Record<string, Value>>(
      `SELECT ${keys.join(', ')} FROM ${table} WHERE ${clauseOf(condition)}
       ORDER BY ${keys.map((key) => `${key} DESC`).join(', ')} LIMIT 1 OFFSET ?`,
    )
    .get(...condition.values, limit);
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
  const { table, columns, keys } = plan;
  const condition = together(bounded(plan), ...(last === null ? [] : [beyond(keys, last)]));
  const some = database.prepare<unknown[], Row>(
    `SELECT ${columns} FROM ${table} NOT INDEXED
     WHERE id >= ? AND id < ? AND ${clauseOf(condition)} ORDER BY id`,
  );
  const end = lastId(database, table);
  for (let id = 1, step = SALVAGE_STEP; id <= end; ) {
    try {
      yield* some.all(id, id + step, ...condition.values);
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
