import type { Database } from 'better-sqlite3';
import type { PresenceEvent } from '../presence/event.js';
import type { Detection } from './detections.js';
import { boxOf, EVENT_COLUMNS, EVENT_TABLES, type EventRow, eventOf } from './events.js';
import { ALPHA_COLUMN } from './names.js';

/** What to look for. Times in milliseconds since the epoch: `since` ≤ time < `until`. */
export interface Query {
  readonly since?: number;
  readonly until?: number;
  readonly label?: string;
  readonly camera?: string;
  /** The newest this many that fit. */
  readonly limit: number;
}

const PAGE = 500;

interface DetectionRow extends EventRow {
  time: number;
  event: string | null;
}

interface Source<Row> {
  readonly columns: string;
  readonly tables: string;
  /** Column of the row's time, and its key, by which rows of one moment are told apart. */
  readonly time: string;
  readonly key: string;
  readonly at: (row: Row) => number;
}

const DETECTIONS: Source<DetectionRow> = {
  columns: `detection.id, detection.time, camera.name AS camera, label.name AS label,
    detection.score, variant.model, ${ALPHA_COLUMN}, variant.size,
    detection.x, detection.y, detection.width, detection.height, event.uid AS event`,
  tables: `detection JOIN camera ON camera.id = detection.camera
    JOIN label ON label.id = detection.label JOIN variant ON variant.id = detection.variant
    LEFT JOIN event ON event.id = detection.event`,
  time: 'detection.time',
  key: 'detection.id',
  at: (row) => row.time,
};

const EVENTS: Source<EventRow> = {
  columns: EVENT_COLUMNS,
  tables: EVENT_TABLES,
  time: 'event.start',
  key: 'event.id',
  at: (row) => row.start,
};

/** Detections in order of time, read in pages: no cursor stays open between two of them. */
export function* queryDetections(database: Database, query: Query): Generator<Detection> {
  for (const row of pages(database, DETECTIONS, query)) {
    const { time, camera, label, score, model, alpha, size, event } = row;
    yield { time, camera, label, score, model, alpha, size, box: boxOf(row), event };
  }
}

/** Events in order of their start; the time bounds are about the start. */
export function* queryEvents(database: Database, query: Query): Generator<PresenceEvent> {
  for (const row of pages(database, EVENTS, query)) yield eventOf(row);
}

function* pages<Row extends { id: number }>(
  database: Database,
  source: Source<Row>,
  query: Query,
): Generator<Row> {
  const { clause, values } = conditions(source, query);
  if (query.limit < 1) return;
  const order = `(${source.time}, ${source.key})`;
  const first = database
    .prepare<unknown[], { time: number; id: number }>(
      `SELECT ${source.time} AS time, ${source.key} AS id FROM ${source.tables} WHERE ${clause}
       ORDER BY ${source.time} DESC, ${source.key} DESC LIMIT 1 OFFSET ?`,
    )
    .get(...values, query.limit - 1);
  const page = database.prepare<unknown[], Row>(
    `SELECT ${source.columns} FROM ${source.tables} WHERE ${clause} AND ${order} > (?, ?)
     ORDER BY ${source.time}, ${source.key} LIMIT ${PAGE}`,
  );
  // One before the first of the newest `limit` rows, or before everything.
  let after: [number, number] = first ? [first.time, first.id - 1] : [-Number.MAX_VALUE, -1];
  let left = query.limit;
  while (left > 0) {
    const rows = page.all(...values, ...after);
    for (const row of rows.slice(0, left)) {
      after = [source.at(row), row.id];
      yield row;
    }
    left -= rows.length;
    if (rows.length < PAGE) return;
  }
}

function conditions<Row>(
  source: Source<Row>,
  query: Query,
): { clause: string; values: (string | number)[] } {
  const wanted: [string, string | number | undefined][] = [
    [`${source.time} >= ?`, query.since],
    [`${source.time} < ?`, query.until],
    ['camera.name = ?', query.camera],
    ['label.name = ?', query.label],
  ];
  const used = wanted.filter((pair): pair is [string, string | number] => pair[1] !== undefined);
  return {
    clause: used.length === 0 ? 'TRUE' : used.map(([text]) => text).join(' AND '),
    values: used.map(([, value]) => value),
  };
}
