import type { Database } from 'better-sqlite3';
import type { Box } from '../inference/result.js';
import type { EventType, PresenceEvent } from '../presence/event.js';
import { ALPHA_COLUMN, type Names } from './names.js';

/** An event that has not ended, and when it was last known to be true (milliseconds). */
export interface OpenEvent extends PresenceEvent {
  readonly seen: number;
}

export interface EventTable {
  /** Inserts the event, or brings the row with its id up to date. */
  write(event: PresenceEvent, time: number): void;
  open(): OpenEvent[];
  has(id: string): boolean;
  /** Events that were written since a time (ms); `seen` is when. */
  updatedSince(time: number): OpenEvent[];
}

/** A row of the queries that join an event's names. */
export interface EventRow {
  id: number;
  uid: string;
  type: string;
  camera: string;
  label: string;
  score: number;
  start: number;
  end: number | null;
  model: string;
  alpha: number | null;
  size: number;
  count: number;
  x: number | null;
  y: number | null;
  width: number | null;
  height: number | null;
  object: string | null;
  stationary: number;
  zones: string | null;
  loitering: string | null;
  sub_label: string | null;
  sub_score: number | null;
}

const EVENT_COLUMNS = `
  event.id, event.uid, event.type, camera.name AS camera, label.name AS label, event.score,
  event.start, event.end, variant.model, ${ALPHA_COLUMN}, variant.size, event.count,
  event.x, event.y, event.width, event.height,
  event.object, event.stationary, event.zones, event.loitering,
  event.sub_label, event.sub_score`;

const EVENT_TABLES = `
  event JOIN camera ON camera.id = event.camera JOIN label ON label.id = event.label
  JOIN variant ON variant.id = event.variant`;

/** The end of an event whose daemon went away: it ends when it was last known to be true. */
export function endOf(open: OpenEvent): PresenceEvent {
  const { seen, ...event } = open;
  return { ...event, type: 'end', end: seen };
}

/** An event whose times are `step` ms later. */
export function shifted(event: PresenceEvent, step: number): PresenceEvent {
  return { ...event, start: event.start + step, end: event.end === null ? null : event.end + step };
}

export function eventOf(row: EventRow): PresenceEvent {
  return {
    id: row.uid,
    type: row.type as EventType,
    camera: row.camera,
    label: row.label,
    score: row.score,
    start: row.start,
    end: row.end,
    model: row.model,
    alpha: row.alpha,
    size: row.size,
    count: row.count,
    box: boxOf(row),
    object: row.object,
    stationary: row.stationary === 1,
    zones: namesIn(row.zones),
    loitering: namesIn(row.loitering),
    subLabel: row.sub_label,
    subScore: row.sub_score,
  };
}

const NO_NAMES: readonly string[] = [];

/** Names in a column, a JSON list; null: none. */
export function namesIn(column: string | null): readonly string[] {
  if (column === null) return NO_NAMES;
  try {
    const names: unknown = JSON.parse(column);
    return Array.isArray(names) ? names.map(String) : [];
  } catch {
    // A damaged cell; what else is known of the event is worth showing.
    return [];
  }
}

/** Undefined: an event of plain JavaScript that says nothing of zones is worth keeping. */
function nameColumn(names: readonly string[] | undefined): string | null {
  return names === undefined || names.length === 0 ? null : JSON.stringify(names);
}

/** A box is stored in four columns that are null together. */
export function boxOf(row: Pick<EventRow, 'x' | 'y' | 'width' | 'height'>): Box | null {
  const { x, y, width, height } = row;
  if (x === null || y === null || width === null || height === null) return null;
  return [x, y, width, height];
}

export function boxColumns(box: Box | null): [x: unknown, y: unknown, w: unknown, h: unknown] {
  return box === null ? [null, null, null, null] : [box[0], box[1], box[2], box[3]];
}

export function createEventTable(database: Database, names: Names): EventTable {
  const write = database.prepare(
    `INSERT INTO event (uid, type, camera, label, variant, score, start, end, count,
                        x, y, width, height, object, stationary, zones, loitering, sub_label,
                        sub_score, updated)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (uid) DO UPDATE SET
       type = excluded.type, variant = excluded.variant, score = excluded.score,
       end = excluded.end, count = excluded.count, x = excluded.x, y = excluded.y,
       width = excluded.width, height = excluded.height, object = excluded.object,
       stationary = excluded.stationary, zones = excluded.zones, loitering = excluded.loitering,
       sub_label = excluded.sub_label, sub_score = excluded.sub_score, updated = excluded.updated`,
  );
  const open = database.prepare<[], EventRow & { seen: number }>(
    `SELECT ${EVENT_COLUMNS},
       max(event.start, event.updated, coalesce(
         (SELECT max(time) FROM detection
          WHERE detection.event = event.id AND detection.time >= event.start), 0)) AS seen
     FROM ${EVENT_TABLES} WHERE event.end IS NULL ORDER BY event.start, event.id`,
  );
  const updated = database.prepare<[number], EventRow & { seen: number }>(
    `SELECT ${EVENT_COLUMNS}, event.updated AS seen FROM ${EVENT_TABLES}
     WHERE event.updated >= ? ORDER BY event.start, event.id`,
  );
  const has = database.prepare<[string]>('SELECT 1 FROM event WHERE uid = ?');
  return {
    has: (id) => has.get(id) !== undefined,
    write(event, time) {
      write.run(
        event.id,
        event.type,
        names.camera(event.camera),
        names.label(event.label),
        names.variant(event.model, event.alpha, event.size),
        event.score,
        Math.round(event.start),
        event.end === null ? null : Math.round(event.end),
        event.count,
        ...boxColumns(event.box),
        event.object ?? null,
        event.stationary ? 1 : 0,
        nameColumn(event.zones),
        nameColumn(event.loitering),
        event.subLabel ?? null,
        event.subScore ?? null,
        Math.round(time),
      );
    },
    updatedSince: (time) => updated.all(time).map((row) => ({ ...eventOf(row), seen: row.seen })),
    open: () => open.all().map((row) => ({ ...eventOf(row), seen: row.seen })),
  };
}
