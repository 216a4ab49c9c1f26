import type { Box, Result } from '../../inference/result.js';
import type { PresenceEvent, ZoneState } from '../../presence/event.js';

/** Objects of one frame that are listed at most; a wall of cups needs no longer message. */
const MAX_LISTED = 20;

/** ISO 8601, UTC, with milliseconds. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** A score or share with four decimals. */
export function roundScore(score: number): number {
  return Math.round(score * 1e4) / 1e4;
}

function roundedOrNull(score: number | null): number | null {
  return score === null ? null : roundScore(score);
}

/** Pixels with one decimal. */
export function roundBox(box: Box | null): Box | null {
  if (box === null) return null;
  const [x, y, width, height] = box;
  return [tenth(x), tenth(y), tenth(width), tenth(height)];
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/**
 * Payload of `<camera>/events`, and a line of `query --events --json`.
 *
 * @param pictureTime when the frame of its picture was taken, ms; null: none is kept
 */
export function eventPayload(
  event: PresenceEvent,
  pictureTime: number | null = null,
): Record<string, unknown> {
  const { id, type, camera, label, model, alpha, size, count } = event;
  const { object, stationary, zones, loitering, subLabel, subScore } = event;
  return {
    id,
    type,
    camera,
    label,
    score: roundScore(event.score),
    start: isoTime(event.start),
    end: event.end === null ? null : isoTime(event.end),
    model,
    alpha,
    size,
    count,
    box: roundBox(event.box),
    object,
    stationary,
    zones,
    loitering,
    sub_label: subLabel ?? null,
    // Undefined: an event of plain JavaScript.
    sub_score: roundedOrNull(subScore ?? null),
    picture: pictureTime === null ? null : isoTime(pictureTime),
  };
}

/**
 * The bytes of an event's message as they go out: with the picture that there is by then. What is no
 * event stays as it is.
 */
export function withPicture(
  payload: Uint8Array,
  pictureTimeOf: (id: string) => number | null,
): string | Uint8Array {
  try {
    const event = JSON.parse(Buffer.from(payload).toString());
    const time = typeof event.id === 'string' ? pictureTimeOf(event.id) : null;
    return time === null ? payload : JSON.stringify({ ...event, picture: isoTime(time) });
  } catch {
    return payload;
  }
}

/** Payload of `<camera>/snapshot/attributes`; `event` is null for a picture that was asked for. */
export function snapshotAttributes(
  event: PresenceEvent | null,
  time: number,
): Record<string, unknown> {
  return {
    event: event?.id ?? null,
    label: event?.label ?? null,
    score: event === null ? null : roundScore(event.score),
    box: event === null ? null : roundBox(event.box),
    time: isoTime(time),
  };
}

/** Payload of `<camera>/labels`. */
export function labelsPayload(result: Result): Record<string, unknown> {
  return {
    time: isoTime(result.time),
    model: result.model,
    alpha: result.alpha,
    size: result.size,
    ms: tenth(result.timings.inference),
    labels: result.labels.slice(0, MAX_LISTED).map(({ label, score, box }) => ({
      label,
      score: roundScore(score),
      box: roundBox(box),
    })),
  };
}

/**
 * Payload of `<camera>/<label>/attributes` while the label is present.
 *
 * @param events those of the label that are open, at least one: an object each
 */
export function presentAttributes(events: readonly PresenceEvent[]): Record<string, unknown> {
  const best = events.reduce((a, b) => (b.score > a.score ? b : a));
  return {
    score: roundScore(best.score),
    since: isoTime(Math.min(...events.map(({ start }) => start))),
    count: best.object === null ? best.count : events.length,
    box: roundBox(best.box),
    ...subOf(events),
  };
}

/** What the second network is surest of among events. */
function subOf(events: readonly PresenceEvent[]): Record<string, unknown> {
  const named = events.filter(({ subLabel }) => (subLabel ?? null) !== null);
  const surest = named.sort((a, b) => (b.subScore ?? 0) - (a.subScore ?? 0))[0];
  return {
    sub_label: surest?.subLabel ?? null,
    sub_score: roundedOrNull(surest?.subScore ?? null),
  };
}

/** Payload of `<camera>/<zone>/<label>/attributes`. */
export function zoneAttributes(state: ZoneState): Record<string, unknown> {
  const { count, since, score, loitering, events } = state;
  return { score: roundScore(score), since: isoTime(since), count, loitering, events };
}

/** The same of a label that was not seen in the zone yet. */
export const EMPTY_ZONE = {
  score: 0,
  since: null,
  count: 0,
  loitering: false,
  events: [],
} as const;

/** Payload of `<camera>/<label>/attributes` while it is not; `since` is when it was last seen, null if that is not known. */
export function absentAttributes(since: number | null): Record<string, unknown> {
  return {
    score: 0,
    since: since === null ? null : isoTime(since),
    count: 0,
    box: null,
    ...subOf([]),
  };
}
