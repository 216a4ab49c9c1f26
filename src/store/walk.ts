import type { Database } from 'better-sqlite3';
import {
  byColumn,
  type Cell,
  type Cells,
  type Columns,
  firstRows,
  rowAt,
  rowsIn,
} from './columns.js';
import { isDamage } from './damage.js';

export interface Condition {
  readonly where: readonly string[];
  readonly values: readonly Cell[];
}

/** Rows of one table that fit, in the order of their keys. */
export interface Plan extends Condition {
  readonly table: 'detection' | 'event';
  readonly columns: readonly string[];
  /** Columns whose order an index has; together they tell rows apart. All are among `columns`. */
  readonly keys: readonly string[];
  /** Least value of the first key; null: there is none. */
  readonly from: number | null;
}

export interface WalkOptions {
  /** The newest this many that fit. */
  readonly limit: number;
  /**
   * Called with what SQLite says of a page that cannot be read; rows that can are then looked for one
   * by one. Without it, the error is thrown.
   */
  readonly onDamage?: (error: unknown) => void;
}

const PAGE = 1000;

export function before(column: string, time: number | undefined): Condition {
  if (time === undefined) return { where: [], values: [] };
  return { where: [`${column} < ?`], values: [time] };
}

export function together(...all: readonly Condition[]): Condition {
  return {
    where: all.flatMap(({ where }) => where),
    values: all.flatMap(({ values }) => values),
  };
}

export function clauseOf({ where }: Condition): string {
  return where.length === 0 ? 'TRUE' : where.join(' AND ');
}

/** How many rows fit, counted no further than `most`. */
export function countUpTo(database: Database, plan: Plan, most: number): number {
  if (most >= Number.MAX_SAFE_INTEGER) return 0;
  const condition = bounded(plan);
  const count = database.prepare<unknown[], number>(
    `SELECT count(*) FROM (SELECT 1 FROM ${plan.table} WHERE ${clauseOf(condition)} LIMIT ?)`,
  );
  return count.pluck().get(...condition.values, most) ?? 0;
}

/**
 * Rows in order of their keys, some at a time, in the order of the plan's columns: no cursor stays open
 * meanwhile.
 */
export function* walk(database: Database, plan: Plan, options: WalkOptions): Generator<Columns> {
  const { onDamage } = options;
  let last: Cells | null = null;
  try {
    for (const page of pages(database, plan, options.limit)) {
      last = rowAt(page, -1);
      yield page;
    }
  } catch (error) {
    if (onDamage === undefined || !isDamage(error)) throw error;
    onDamage(error);
    yield* salvage(database, plan, last === null ? null : keysOf(last, plan));
  }
}

function* pages(database: Database, plan: Plan, limit: number): Generator<Columns> {
  if (limit < 1) return;
  const { keys } = plan;
  const newest = limit < Number.MAX_SAFE_INTEGER ? beforeNewest(database, plan, limit) : null;
  let condition = newest === null ? bounded(plan) : together(beyond(keys, newest), plan);
  let read = pageReader(database, plan, condition);
  for (let left = limit, page = 0; left > 0; page += 1) {
    const found = read(condition.values);
    const count = rowsIn(found);
    const last = rowAt(found, -1);
    if (last === null) return;
    yield firstRows(found, left);
    left -= count;
    if (count < PAGE) return;
    condition = together(beyond(keys, keysOf(last, plan)), plan);
    // The question is the same from the second page on.
    if (page === 0) read = pageReader(database, plan, condition);
  }
}

/**
 * Reads the first rows of a condition. SQLite writes each column as a JSON array, which takes half the time of
 * cell after cell; numbers come back as they are, to the last bit. The rows keep their order: SQLite leaves
 * that of a select with a limit alone.
 */
function pageReader(
  database: Database,
  { table, columns, keys }: Plan,
  condition: Condition,
): (values: readonly Cell[]) => Columns {
  const named = columns.map((column, place) => `${column} AS c${place}`).join(', ');
  const rows = `SELECT ${named} FROM ${table} WHERE ${clauseOf(condition)} ORDER BY ${keys.join(', ')} LIMIT ${PAGE}`;
  const lists = columns.map((_, place) => `json_group_array(c${place})`).join(', ');
  const texts = database.prepare<Cell[], string[]>(`SELECT ${lists} FROM (${rows})`).raw();
  return (values) => {
    try {
      return (texts.get(...values) ?? []).map((text) => JSON.parse(text));
    } catch (error) {
      if (isDamage(error)) throw error;
      // Damage that SQLite does not see, e.g. bytes where text should be, has no form in JSON.
      const found = database
        .prepare<Cell[], Cells>(rows)
        .raw()
        .all(...values);
      return byColumn(found, columns.length);
    }
  };
}

/** The condition of a plan, with its beginning. */
function bounded({ where, values, keys, from }: Plan): Condition {
  return from === null ? { where, values } : together(atLeast(keys, from), { where, values });
}

function atLeast([key]: readonly string[], value: Cell): Condition {
  return { where: [`${key} >= ?`], values: [value] };
}

/** Rows after one: the first bound is what SQLite looks up in the index, whatever else it is told. */
function beyond(keys: readonly string[], last: Cells): Condition {
  const marks = keys.map(() => '?').join(', ');
  const after = { where: [`(${keys.join(', ')}) > (${marks})`], values: last };
  return together(atLeast(keys, last[0] ?? 0), after);
}

/** The keys just before the newest `limit` rows; null when there are no more than that. */
function beforeNewest(database: Database, plan: Plan, limit: number): Cells | null {
  const { table, keys } = plan;
  const condition = bounded(plan);
  const row = database
    .prepare<Cell[], Cells>(
      `SELECT ${keys.join(', ')} FROM ${table} WHERE ${clauseOf(condition)}
       ORDER BY ${keys.map((key) => `${key} DESC`).join(', ')} LIMIT 1 OFFSET ?`,
    )
    .raw()
    .get(...condition.values, limit);
  return row ?? null;
}

function keysOf(row: Cells, { columns, keys }: Plan): Cells {
  return keys.map((key) => row[columns.indexOf(key)] ?? null);
}

/** Rows at first in a step of the search beside damage. */
const SALVAGE_STEP = 256;
/** Row ids beyond the last row found that are still looked at. */
const SALVAGE_REACH = 1 << 20;

/**
 * Rows that can still be read where an index or a page is damaged, after the last one that was found:
 * by row id, in steps that are halved where they fail.
 */
function* salvage(database: Database, plan: Plan, last: Cells | null): Generator<Columns> {
  const { table, columns, keys } = plan;
  const condition = together(bounded(plan), ...(last === null ? [] : [beyond(keys, last)]));
  const some = database
    .prepare<Cell[], Cells>(
      `SELECT ${columns.join(', ')} FROM ${table} NOT INDEXED
       WHERE id >= ? AND id < ? AND ${clauseOf(condition)} ORDER BY id`,
    )
    .raw();
  const end = lastId(database, table);
  for (let id = 1, step = SALVAGE_STEP; id <= end; ) {
    try {
      yield byColumn(some.all(id, id + step, ...condition.values), columns.length);
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
