import type { Box } from '../inference/result.js';
import type { EventType, PresenceEvent } from './event.js';

/** When a label counts as present. Scores 0 to 1, delays in seconds. */
export interface Thresholds {
  /** Smoothed score that makes a label present; at least `stay`. */
  readonly enter: number;
  /** Smoothed score that keeps it present. */
  readonly stay: number;
  /** Seconds below `stay` before it ends. */
  readonly offDelay: number;
  /** Results in a row with a smoothed score of at least `enter` before it begins; 1 or more. */
  readonly minFrames: number;
}

/** A moment on both clocks: durations use `capturedAt`, stamps use `time`. A Result is one. */
export interface Instant {
  /** Monotonic milliseconds (`performance.now()`). */
  readonly capturedAt: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** What one frame said of one label. */
export interface Observation {
  /** Best score in the frame; 0 when the label is not in it. */
  readonly score: number;
  /** Objects of this label that reach the stay threshold. */
  readonly count: number;
  /** Of the best-scored object. */
  readonly box: Box | null;
}

/** Which variant saw it. */
export interface SeenBy {
  readonly model: string;
  readonly alpha: number | null;
  readonly size: number;
}

export interface Stay {
  readonly id: string;
  /** Wall time of the first result of the run that made the label present. */
  readonly start: number;
  best: number;
  seenBy: SeenBy;
  count: number;
  box: Box | null;
  /** Monotonic time of the first result below `stay`; null while above. */
  belowSince: number | null;
  /** Wall time of the last result at or above `stay`, never before `start`. */
  lastSeen: number;
  reportedScore: number;
  reportedCount: number;
  /** Monotonic time of the last event. */
  reportedAt: number;
}

/** One label in front of one camera. */
export interface Track {
  readonly label: string;
  /** The last three scores, newest last; a frame without the label counts 0. */
  recent: readonly [number, number, number];
  smoothed: number;
  /** Results in a row at or above `enter`, and the wall time of the first of them. */
  run: number;
  runStart: number;
  /** Objects in the last frame, and where the best one was last seen. */
  count: number;
  box: Box | null;
  stay: Stay | null;
}

/** An update is worth an event when the best score grew by this much (or the count grew). */
const UPDATE_SCORE_STEP = 0.01;
/** At most one update per stay in this time, milliseconds. */
const UPDATE_INTERVAL = 1000;

export function createTrack(label: string): Track {
  return {
    label,
    recent: [0, 0, 0],
    smoothed: 0,
    run: 0,
    runStart: 0,
    count: 0,
    box: null,
    stay: null,
  };
}

/** True when nothing of the label is remembered: it can be forgotten without a trace. */
export function isIdle(track: Track): boolean {
  return track.stay === null && track.recent.every((score) => score === 0);
}

/** Forgets the scores of a label that is not present, e.g. after a gap in the results. */
export function resetTrack(track: Track): void {
  track.recent = [0, 0, 0];
  track.smoothed = 0;
  track.run = 0;
  track.count = 0;
}

function medianOfThree([a, b, c]: readonly [number, number, number]): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** The event of `type` for the stay as it is now; null when the label is not present. */
export function eventOf(track: Track, camera: string, type: EventType): PresenceEvent | null {
  const { stay } = track;
  if (stay === null) return null;
  return {
    id: stay.id,
    type,
    camera,
    label: track.label,
    score: stay.best,
    start: stay.start,
    end: type === 'end' ? stay.lastSeen : null,
    ...stay.seenBy,
    count: stay.count,
    box: stay.box,
  };
}

export interface Folding {
  /** Results whose median is the smoothed score. */
  readonly window: 1 | 3;
  readonly createId: (timeMs: number) => string;
}

/** Folds one frame into the track; says which event it causes, if any (`end` still holds the stay). */
export function observe(
  track: Track,
  seen: Observation,
  at: Instant,
  seenBy: SeenBy,
  thresholds: Thresholds,
  { window, createId }: Folding,
): EventType | null {
  track.recent = [track.recent[1], track.recent[2], seen.score];
  track.smoothed = window === 1 ? seen.score : medianOfThree(track.recent);
  track.count = seen.count;
  if (seen.box !== null) track.box = seen.box;
  if (track.stay !== null) return continueStay(track, track.stay, at, seenBy, thresholds);

  if (track.smoothed < thresholds.enter) {
    track.run = 0;
    return null;
  }
  if (track.run === 0) track.runStart = at.time;
  track.run += 1;
  if (track.run < thresholds.minFrames) return null;
  track.stay = beginStay(track, at, seenBy, createId(at.time));
  return 'new';
}

function beginStay(track: Track, at: Instant, seenBy: SeenBy, id: string): Stay {
  const count = Math.max(1, track.count);
  return {
    id,
    start: track.runStart,
    best: track.smoothed,
    seenBy,
    count,
    box: track.box,
    belowSince: null,
    lastSeen: Math.max(track.runStart, at.time),
    reportedScore: track.smoothed,
    reportedCount: count,
    reportedAt: at.capturedAt,
  };
}

function continueStay(
  track: Track,
  stay: Stay,
  at: Instant,
  seenBy: SeenBy,
  thresholds: Thresholds,
): EventType | null {
  if (track.smoothed < thresholds.stay) {
    stay.belowSince ??= at.capturedAt;
    return isOver(stay, at, thresholds) ? 'end' : null;
  }
  stay.belowSince = null;
  stay.lastSeen = Math.max(stay.start, at.time);
  stay.count = Math.max(stay.count, track.count);
  if (track.smoothed > stay.best) {
    stay.best = track.smoothed;
    stay.seenBy = seenBy;
    stay.box = track.box;
  }
  const better =
    stay.best >= stay.reportedScore + UPDATE_SCORE_STEP || stay.count > stay.reportedCount;
  if (!better || at.capturedAt - stay.reportedAt < UPDATE_INTERVAL) return null;
  stay.reportedScore = stay.best;
  stay.reportedCount = stay.count;
  stay.reportedAt = at.capturedAt;
  return 'update';
}

/** The wall clock was set by `ms`: what the track knows happened that much later or earlier. */
export function shiftTrack(track: Track, ms: number): void {
  track.runStart += ms;
  if (track.stay === null) return;
  const { start, lastSeen } = track.stay;
  track.stay = { ...track.stay, start: start + ms, lastSeen: lastSeen + ms };
}

/** True when the label has been below `stay` for its off delay. */
export function isOver(stay: Stay, at: Instant, thresholds: Thresholds): boolean {
  if (stay.belowSince === null) return false;
  return at.capturedAt - stay.belowSince >= thresholds.offDelay * 1000;
}

/** Takes the stay off the track; the scores go with it, so that the next stay must be earned anew. */
export function endStay(track: Track): void {
  track.stay = null;
  resetTrack(track);
}
