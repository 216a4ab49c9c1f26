import type { Database } from 'better-sqlite3';
import type { Box } from '../inference/result.js';
import type { EventType, PresenceEvent } from '../presence/event.js';
import {
  byColumn,
  type Cell,
  type Cells,
  type Columns,
  type ColumnsOf,
  cellAt,
  itemsOf,
  type Making,
  ofRows,
} from './columns.js';
import { isDamage } from './damage.js';
import type { Detection } from './detections.js';
import { namesIn } from './events.js';
import { createNameReader, type NameReader } from './name-reader.js';
import {
  before,
  type Condition,
  clauseOf,
  countUpTo,
  type Plan,
  together,
  type WalkOptions,
  walk,
} from './walk.js';

/**
 * What to look for. Times in milliseconds since the epoch: a detection fits when `since` ≤ time <
 * `until`, an event when any part of its stay does.
 */
export interface Query extends WalkOptions {
  readonly since?: number;
  readonly until?: number;
  readonly label?: string;
  readonly camera?: string;
}

/** Of an event, what sums over many of them need. */
export type StaySummary = Pick<PresenceEvent, 'label' | 'score' | 'start' | 'end'>;

/** Of an event, what a line of a list shows. */
export type EventBrief = Pick<
  PresenceEvent,
  'id' | 'camera' | 'label' | 'subLabel' | 'score' | 'start' | 'end'
>;

/** Stays at least this long have an index of their own: `event_long` in migrations.ts. */
const LONG_MS = 3_600_000;

const DETECTION_COLUMNS = [
  ...['id', 'time', 'camera', 'label', 'variant', 'score', 'x', 'y', 'width', 'height'],
  '(SELECT uid FROM event WHERE event.id = detection.event)',
];
type DetectionCells = readonly [
  ...[id: number, time: number, camera: number, label: number, variant: number, score: number],
  ...[x: Cell, y: Cell, width: Cell, height: Cell, event: string | null],
];

const EVENT_COLUMNS = [
  ...['id', 'start', 'uid', 'type', 'camera', 'label', 'variant', 'score', 'end', 'count'],
  ...['x', 'y', 'width', 'height'],
];
/** Columns that came later, and what stands for them in a database that lacks them. */
const LATER_COLUMNS: Readonly<Record<string, string>> = {
  ...{ object: 'NULL', stationary: '0', zones: 'NULL', loitering: 'NULL' },
  ...{ sub_label: 'NULL', sub_score: 'NULL' },
};
type EventCells = readonly [
  ...[id: number, start: number, uid: string, type: EventType, camera: number, label: number],
  ...[variant: number, score: number, end: number | null, count: number],
  ...[x: Cell, y: Cell, width: Cell, height: Cell],
  ...[object: string | null, stationary: number, zones: string | null, loitering: string | null],
  ...[subLabel: string | null, subScore: number | null],
];

const STAY_COLUMNS = ['id', 'start', 'label', 'score', 'end'];
type StayCells = readonly [
  ...[id: number, start: number, label: number, score: number, end: number | null],
];

const BRIEF_COLUMNS = ['id', 'start', 'uid', 'camera', 'label', 'score', 'end', 'sub_label'];
type BriefCells = readonly [
  ...[id: number, start: number, uid: string, camera: number, label: number, score: number],
  ...[end: number | null, subLabel: string | null],
];

/** A database of an older version, open for reading, does not have all columns. */
function present(database: Database, columns: readonly string[]): string[] {
  const names = database.prepare("SELECT name FROM pragma_table_info('event')").pluck().all();
  return columns.map((name) => (names.includes(name) ? name : (LATER_COLUMNS[name] ?? name)));
}

function eventColumns(database: Database): string[] {
  return present(database, [...EVENT_COLUMNS, ...Object.keys(LATER_COLUMNS)]);
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
  yield* itemsOf(
    walk(database, plan, query),
    ofRows((row) => detectionIn(row, names)),
  );
}

/** Events in order of their start; those that overlap the time asked for. */
export function queryEvents(database: Database, query: Query): Iterable<PresenceEvent> {
  return events(database, eventColumns(database), query, eventsIn);
}

/** The same events, and no more of them than a list needs: reading that takes half the time. */
export function queryBriefs(database: Database, query: Query): Iterable<EventBrief> {
  return events(database, present(database, BRIEF_COLUMNS), query, briefsIn);
}

/** The same events, and no more of them than sums need: reading that takes half the time. */
export function queryStays(database: Database, query: Query): Iterable<StaySummary> {
  return events(database, STAY_COLUMNS, query, staysIn);
}

function events<T>(
  database: Database,
  columns: readonly string[],
  query: Query,
  making: (names: NameReader) => Making<T>,
): Generator<T> {
  const names = createNameReader(database);
  return itemsOf(overlapping(database, columns, names, query), making(names));
}

/** Events whose id begins with a text, as tables for people show them; at most `limit`. */
export function eventsById(database: Database, prefix: string, limit: number): PresenceEvent[] {
  const names = createNameReader(database);
  const columns = eventColumns(database);
  const rows = database
    .prepare<Cell[], Cells>(
      `SELECT ${columns.join(', ')} FROM event WHERE uid >= ? AND uid < ? ORDER BY start LIMIT ?`,
    )
    .raw()
    .all(prefix, `${prefix}\u{10ffff}`, limit);
  return [...itemsOf([byColumn(rows, columns.length)], eventsIn(names))];
}

/** Rows of events that overlap the time asked for; the first columns are `id` and `start`. */
function* overlapping(
  database: Database,
  columns: readonly string[],
  names: NameReader,
  query: Query,
): Generator<Columns> {
  const filter = filters(names, query);
  if (filter === null) return;
  const { since, until, limit } = query;
  const edge = since === undefined ? undefined : since - LONG_MS;
  const plan: Plan = {
    ...{ table: 'event', columns, keys: ['start', 'id'], from: edge ?? null },
    ...together(filter, before('start', until), overlap(since)),
  };
  const earlier: Cells[] = [];
  if (edge !== undefined && since !== undefined) {
    // Before the edge only long stays and open ones can reach into the time; they are few.
    const early = together(filter, before('start', edge));
    const long = { where: [`end - start >= ${LONG_MS}`, 'end >= ?'], values: [since] };
    earlier.push(
      ...unordered(database, columns, 'event_open', together(early, OPEN), query),
      ...unordered(database, columns, 'event_long', together(early, long), query),
    );
    earlier.sort(byStart);
  }
  const room = Math.max(0, limit - countUpTo(database, plan, limit));
  yield byColumn(earlier.slice(Math.max(0, earlier.length - room)), columns.length);
  yield* walk(database, plan, query);
}

/** By `start`, then by `id`. */
function byStart([id, start]: Cells, [otherId, otherStart]: Cells): number {
  return Number(start) - Number(otherStart) || Number(id) - Number(otherId);
}

/** Events by an index of few; a database of an older version does not have each of them. */
function unordered(
  database: Database,
  columns: readonly string[],
  index: string,
  condition: Condition,
  { onDamage }: Query,
): Cells[] {
  const exists = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(index);
  const by = exists === undefined ? '' : `INDEXED BY ${index}`;
  try {
    return database
      .prepare<Cell[], Cells>(
        `SELECT ${columns.join(', ')} FROM event ${by} WHERE ${clauseOf(condition)}`,
      )
      .raw()
      .all(...condition.values);
  } catch (error) {
    if (onDamage === undefined || !isDamage(error)) throw error;
    onDamage(error);
    return [];
  }
}

const OPEN: Condition = { where: ['end IS NULL'], values: [] };

/** Conditions on names; null when there is no such name, and so no row. */
function filters(names: NameReader, { label, camera }: Query): Condition | null {
  const ids = { label: names.labelId(label), camera: names.cameraId(camera) };
  if (ids.label === null || ids.camera === null) return null;
  const used = Object.entries(ids).filter(
    (pair): pair is [string, number] => pair[1] !== undefined,
  );
  return { where: used.map(([column]) => `${column} = ?`), values: used.map(([, id]) => id) };
}

function overlap(since: number | undefined): Condition {
  return since === undefined
    ? { where: [], values: [] }
    : { where: ['(end IS NULL OR end >= ?)'], values: [since] };
}

function briefsIn(names: NameReader): Making<EventBrief> {
  return (columns) => {
    const [, starts, ids, cameras, labels, scores, ends, subLabels] =
      columns as unknown as ColumnsOf<BriefCells>;
    return (row) => ({
      id: cellAt(ids, row),
      camera: names.camera(cellAt(cameras, row)),
      label: names.label(cellAt(labels, row)),
      subLabel: cellAt(subLabels, row),
      score: cellAt(scores, row),
      start: cellAt(starts, row),
      end: cellAt(ends, row),
    });
  };
}

function staysIn(names: NameReader): Making<StaySummary> {
  return (columns) => {
    const [, starts, labels, scores, ends] = columns as unknown as ColumnsOf<StayCells>;
    return (row) => ({
      label: names.label(cellAt(labels, row)),
      score: cellAt(scores, row),
      start: cellAt(starts, row),
      end: cellAt(ends, row),
    });
  };
}

function eventsIn(names: NameReader): Making<PresenceEvent> {
  return ofRows((row) => eventIn(row, names));
}

function detectionIn(row: Cells, names: NameReader): Detection {
  const [, time, camera, label, variant, score, x, y, width, height, event] =
    row as unknown as DetectionCells;
  const { model, alpha, size } = names.variant(variant);
  return {
    ...{ time, camera: names.camera(camera), label: names.label(label), score },
    ...{ model, alpha, size, box: boxIn(x, y, width, height), event },
  };
}

function eventIn(row: Cells, names: NameReader): PresenceEvent {
  const cells = row as unknown as EventCells;
  const { model, alpha, size } = names.variant(cells[6]);
  return {
    id: cells[2],
    type: cells[3],
    camera: names.camera(cells[4]),
    label: names.label(cells[5]),
    score: cells[7],
    start: cells[1],
    end: cells[8],
    model,
    alpha,
    size,
    count: cells[9],
    box: boxIn(cells[10], cells[11], cells[12], cells[13]),
    object: cells[14],
    stationary: cells[15] === 1,
    zones: namesIn(cells[16]),
    loitering: namesIn(cells[17]),
    subLabel: cells[18],
    subScore: cells[19],
  };
}

function boxIn(x: Cell, y: Cell, width: Cell, height: Cell): Box | null {
  if (x === null || y === null || width === null || height === null) return null;
  return [Number(x), Number(y), Number(width), Number(height)];
}
