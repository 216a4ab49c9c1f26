import type { Box } from '../inference/result.js';
import type { EventType, PresenceEvent } from './event.js';
import { type Body, restOf } from './objects/body.js';
import { Doubt } from './objects/doubt.js';
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

interface Reported {
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

/** An update is worth an event when the best score grew by this much (or something else changed). */
const UPDATE_SCORE_STEP = 0.01;
/** At most one update per stay in this time, milliseconds; of what rests, one in the longer time. */
const UPDATE_INTERVAL = 1000;
const RESTING_UPDATE_INTERVAL = 60_000;
/** An object that has not moved for so long is stationary, milliseconds. */
const STATIONARY_MS = 10_000;
/** The longest that a stationary object stays present unseen, milliseconds. */
const LONGEST_UNSEEN_MS = 600_000;

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

/** The event of `type` for the stay as it is now; null when the track is not present. */
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
    object: stay.object,
    stationary: stay.stationary,
    zones: [...(track.visits?.entered ?? [])],
    loitering: [...(track.visits?.loitering ?? [])],
    subLabel: stay.sub?.label ?? null,
    subScore: stay.sub?.score ?? null,
  };
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

/** Characters of a stay's id that name its object: as good as unique among those of one camera. */
const OBJECT_ID = 12;

/** Begins a stay of a track that is due; `patience` as in {@link Stay}. */
export function beginStay(
  track: Track,
  { at, seenBy }: Folding,
  id: string,
  patience: number,
): void {
  const count = Math.max(1, track.count);
  track.stay = {
    id,
    object: track.body === null ? null : id.slice(-OBJECT_ID),
    start: track.runStart,
    best: track.smoothed,
    seenBy,
    count,
    box: track.box,
    patience,
    belowSince: null,
    lastSeen: Math.max(track.runStart, at.time),
    stationary: false,
    sub: null,
    reported: {
      ...{ score: track.smoothed, count, stationary: false, at: at.capturedAt },
      zones: zonesOf(track),
    },
  };
}

/** A track that is due takes up a stay that had ended. */
export function resumeStay(track: Track, stay: Stay, at: Instant): void {
  track.stay = stay;
  stay.belowSince = null;
  stay.lastSeen = Math.max(stay.start, at.time);
  stay.count = Math.max(stay.count, track.count);
  report(track, stay, at);
}

function report(track: Track, stay: Stay, at: Instant): void {
  const { best: score, count, stationary } = stay;
  stay.reported = { score, count, stationary, zones: zonesOf(track), at: at.capturedAt };
}

/** Grows with every zone that is entered, and with every one that is loitered in. */
function zonesOf({ visits }: Track): number {
  return visits === null ? 0 : visits.entered.length + visits.loitering.length;
}

function continueStay(
  track: Track,
  stay: Stay,
  score: number,
  at: Instant,
  seenBy: SeenBy,
  thresholds: Thresholds,
): EventType | null {
  // Of what rests in its place one look is enough: it has not come just now.
  const isSeen = stay.stationary && score >= thresholds.stay;
  if (track.smoothed < thresholds.stay && !isSeen) {
    stay.belowSince ??= at.capturedAt;
    if (isOver(track, at, thresholds)) return 'end';
    if (zonesOf(track) === stay.reported.zones) return null;
    report(track, stay, at);
    return 'update';
  }
  stay.belowSince = null;
  stay.lastSeen = Math.max(stay.start, at.time);
  stay.count = Math.max(stay.count, track.count);
  stay.stationary = track.body !== null && restOf(track.body, at.capturedAt) >= STATIONARY_MS;
  if (track.smoothed > stay.best) {
    stay.best = track.smoothed;
    stay.seenBy = seenBy;
    stay.box = track.box;
  }
  // Each zone is entered once an event: so many updates at most.
  if (zonesOf(track) === stay.reported.zones && !isNews(stay, at)) return null;
  report(track, stay, at);
  return 'update';
}

function isNews({ best, count, stationary, reported }: Stay, at: Instant): boolean {
  const since = at.capturedAt - reported.at;
  if (since < UPDATE_INTERVAL) return false;
  if (stationary !== reported.stationary) return true;
  if (stationary && since < RESTING_UPDATE_INTERVAL) return false;
  return best >= reported.score + UPDATE_SCORE_STEP || count > reported.count;
}

/** Nothing has changed since the track was seen: it is still there. */
export function rememberStay({ stay }: Track, at: Instant): void {
  if (stay === null || stay.belowSince !== null) return;
  stay.lastSeen = Math.max(stay.start, at.time);
}

/** The wall clock was set by `ms`: what the track knows happened that much later or earlier. */
export function shiftTrack(track: Track, ms: number): void {
  track.runStart += ms;
  if (track.stay !== null) track.stay = shiftStay(track.stay, ms);
}

export function shiftStay(stay: Stay, ms: number): Stay {
  return { ...stay, start: stay.start + ms, lastSeen: stay.lastSeen + ms };
}

/**
 * True when the track has been below `stay` for its off delay; a stationary object also until the looks
 * in vain cannot be chance.
 */
export function isOver({ stay, doubt }: Track, at: Instant, thresholds: Thresholds): boolean {
  if (stay === null || stay.belowSince === null) return false;
  const unseen = at.capturedAt - stay.belowSince;
  if (unseen < Math.max(thresholds.offDelay * 1000, stay.patience)) return false;
  return !stay.stationary || unseen >= LONGEST_UNSEEN_MS || doubt.isEnough();
}

/** Takes the stay off the track; the scores go with it, so that the next stay must be earned anew. */
export function endStay(track: Track): void {
  track.stay = null;
  resetTrack(track);
}
