import type { Box } from '../inference/result.js';
import type { Body } from './objects/body.js';
import type { Doubt } from './objects/doubt.js';
import type { Visits } from './zones/visits.js';

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

/** A frame, as every track in it is told of it. */
export interface Folding {
  readonly at: Instant;
  readonly seenBy: SeenBy;
  /** Results whose median is the smoothed score. */
  readonly window: 1 | 3;
}

/** Which variant saw it. */
export interface SeenBy {
  readonly model: string;
  readonly alpha: number | null;
  readonly size: number;
}

export interface Stay {
  readonly id: string;
  /** The object it is a stay of; null for a label of the whole picture. */
  readonly object: string | null;
  /** Wall time of the first result of the run that made the track present. */
  readonly start: number;
  best: number;
  seenBy: SeenBy;
  count: number;
  box: Box | null;
  /** Milliseconds that a stay of something that comes and goes outlasts, beyond the off delay. */
  readonly patience: number;
  /** Monotonic time of the first result below `stay`; null while above. */
  belowSince: number | null;
  /** Wall time of the last result at or above `stay`, never before `start`. */
  lastSeen: number;
  stationary: boolean;
  /** What a second network said of it; null: it was not asked. */
  sub: SubLabel | null;
  /** What the last event said. */
  reported: Reported;
}

/** What a second network says an object is. */
export interface SubLabel {
  readonly label: string;
  /** 0 to 1. */
  readonly score: number;
}

export interface Reported {
  readonly score: number;
  readonly count: number;
  readonly stationary: boolean;
  /** Zones entered, and those loitered in. */
  readonly zones: number;
  /** Monotonic time. */
  readonly at: number;
}

/** One object, or one label of the whole picture, in front of one camera. */
export interface Track {
  readonly label: string;
  /** Where it is; null for a label of the whole picture. */
  readonly body: Body | null;
  /** The last three scores, newest last; a frame without it counts 0. */
  readonly recent: [number, number, number];
  smoothed: number;
  /** Results in a row at or above `enter`, and the wall time of the first of them. */
  run: number;
  runStart: number;
  /** Objects of this label in the last frame, and where this one was last seen. */
  count: number;
  box: Box | null;
  /** Of an object: what speaks for its having gone. */
  readonly doubt: Doubt;
  /** Which of the sightings of this frame is of it; −1: none. */
  sighting: number;
  /** It was kept back as a false alarm that somebody has reported. */
  isHeld: boolean;
  /** Of an object, where there are zones: which it is and was in. */
  visits: Visits | null;
  stay: Stay | null;
}
