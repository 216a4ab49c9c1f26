import type { Box } from '../inference/result.js';
import type { EventType } from './event.js';
import type { Body } from './objects/body.js';
import { Doubt } from './objects/doubt.js';
import type { Folding, Instant, Thresholds, Track } from './state.js';
import { continueStay, shiftStay } from './stay.js';

export function createTrack(label: string, body: Body | null): Track {
  return {
    label,
    body,
    recent: [0, 0, 0],
    smoothed: 0,
    run: 0,
    runStart: 0,
    count: 0,
    box: null,
    doubt: new Doubt(),
    sighting: -1,
    isHeld: false,
    visits: null,
    stay: null,
  };
}

/** True when nothing of the track is remembered: it can be forgotten without a trace. */
export function isIdle({ stay, recent }: Track): boolean {
  return stay === null && recent[0] === 0 && recent[1] === 0 && recent[2] === 0;
}

/** Forgets the scores of a track that is not present, e.g. after a gap in the results. */
export function resetTrack(track: Track): void {
  track.recent.fill(0);
  track.smoothed = 0;
  track.run = 0;
  track.count = 0;
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/**
 * Folds one frame into the track; says which event it causes, if any (`end` still holds the stay), or
 * `due`: it may begin a stay.
 *
 * @param score 0 when the frame does not show it
 * @param count objects of this label in the frame that reach the stay threshold
 */
export function observe(
  track: Track,
  score: number,
  box: Box | null,
  count: number,
  { at, seenBy, window }: Folding,
  thresholds: Thresholds,
): EventType | 'due' | null {
  const { recent } = track;
  recent[0] = recent[1];
  recent[1] = recent[2];
  recent[2] = score;
  track.smoothed = window === 1 ? score : medianOfThree(recent[0], recent[1], score);
  track.count = count;
  if (box !== null) track.box = box;
  if (track.body !== null) {
    if (score >= thresholds.stay) track.doubt.hit(seenBy.model);
    else track.doubt.miss(seenBy.model);
  }
  if (track.stay !== null) return continueStay(track, track.stay, score, at, seenBy, thresholds);
  if (track.smoothed < thresholds.enter) {
    track.run = 0;
    return null;
  }
  if (track.run === 0) track.runStart = at.time;
  track.run += 1;
  return track.run < thresholds.minFrames ? null : 'due';
}

/** A track that is due has to wait: what it waits for is when it begins. */
export function postponeStay(track: Track, at: Instant): void {
  track.runStart = at.time;
}

/** The wall clock was set by `ms`: what the track knows happened that much later or earlier. */
export function shiftTrack(track: Track, ms: number): void {
  track.runStart += ms;
  if (track.stay !== null) track.stay = shiftStay(track.stay, ms);
}

/** Takes the stay off the track; the scores go with it, so that the next stay must be earned anew. */
export function endStay(track: Track): void {
  track.stay = null;
  resetTrack(track);
}
