import { codedError } from '../errors.js';
import type { Box, Result } from '../inference/result.js';
import type { EventType, PresenceEvent } from './event.js';
import {
  createTrack,
  endStay,
  eventOf,
  type Instant,
  isIdle,
  isOver,
  type Observation,
  observe,
  resetTrack,
  type SeenBy,
  type Stay,
  shiftTrack,
  type Thresholds,
  type Track,
} from './track.js';

export type { Instant, Thresholds } from './track.js';

export interface PresenceOptions extends Thresholds {
  /** Thresholds of single labels or groups; what is left out is taken from the general ones. */
  readonly labels: Readonly<Record<string, Partial<Thresholds>>>;
  /**
   * Group name → its labels. A group is present when any of its labels is: its score is the best of
   * theirs, its count their sum. A group named like a label takes that label's place.
   */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Labels and groups that are followed; all when left out. */
  readonly keep?: readonly string[];
  /**
   * Longest regular pause between two results, seconds (1 / frame rate, or the refresh interval of
   * a motion gate); default 1. A silence of more than twice this, and of at least `offDelay`, counts
   * as absence.
   */
  readonly resultInterval?: number;
  /**
   * Results whose median is the smoothed score: 3 (default), or 1 for single pictures (a watched
   * folder, a doorbell), where one look must do.
   */
  readonly window?: 1 | 3;
  /** Labels followed at the same time, default 256; further ones wait until one is forgotten. */
  readonly maxLabels?: number;
  /** Makes the id of an event that begins at `timeMs` (wall clock). */
  readonly createId: (timeMs: number) => string;
}

/** A label that is present now. */
export interface PresentLabel extends SeenBy {
  readonly label: string;
  /** Smoothed score of the last result, 0 to 1; may be below `stay` during the off delay. */
  readonly score: number;
  /** Wall time of its beginning, milliseconds since the epoch. */
  readonly since: number;
  /** Objects in the last result. */
  readonly count: number;
  /** Where the best object was last seen; null for classification. */
  readonly box: Box | null;
  readonly eventId: string;
}

/** Turns the results of one camera into events; holds no timers and reads no clock. */
export interface Presence {
  /** Folds in one result; returns the events it causes. */
  update(result: Result): PresenceEvent[];
  /** Lets off delays run out while no results come; call it about once a second. */
  tick(now: Instant): PresenceEvent[];
  /** What is present, best score first. */
  present(): PresentLabel[];
  /** The wall clock was set by `ms`: what is present began that much later or earlier. */
  shift(ms: number): void;
  /** Ends everything (shutdown, camera removed or disabled). */
  end(): PresenceEvent[];
  /** New thresholds, groups or labels; what is no longer followed ends at the next update or tick. */
  configure(options: PresenceOptions): void;
}

const DEFAULT_MAX_LABELS = 256;
const DEFAULT_RESULT_INTERVAL = 1;
const ABSENT: Observation = { score: 0, count: 0, box: null };

/**
 * Presence of labels in front of one camera: a label is present after the median of its last three
 * scores (a frame without it counts 0) reached `enter` in `minFrames` results in a row, stays while
 * the median is at least `stay`, and ends `offDelay` seconds after it fell below.
 *
 * Durations are measured on the monotonic clock alone, so a wall clock that is set back or forth
 * neither holds a label nor ends one; stamps are wall times, and `end` is never before `start`.
 * `start` is the time of the first result of the run that made the label present, `end` that of
 * the last result in which it was still above `stay`.
 *
 * Throws MND_CONFIG_INVALID for thresholds out of range.
 */
export function createPresence(camera: string, initial: PresenceOptions): Presence {
  let settings = readSettings(initial);
  const tracks = new Map<string, Track>();
  let last: Instant | null = null;

  function report(track: Track, type: EventType | null): PresenceEvent[] {
    const event = type === null ? null : eventOf(track, camera, type);
    if (type === 'end') endStay(track);
    return event === null ? [] : [event];
  }

  /** Never earlier than the last instant: a result that overtook another must not turn time back. */
  function forward(at: Instant): Instant {
    if (last === null || at.capturedAt >= last.capturedAt) return at;
    return { capturedAt: last.capturedAt, time: at.time };
  }

  /** Ends what was silent for too long or is no longer followed, and whatever else is due. */
  function expire(
    now: Instant,
    isDue: (stay: Stay, limits: Thresholds) => boolean,
  ): PresenceEvent[] {
    const silence = last === null ? 0 : now.capturedAt - last.capturedAt;
    const events: PresenceEvent[] = [];
    for (const [name, track] of tracks) {
      const thresholds = settings.thresholdsOf(name);
      const silent = silence > settings.regularSilence && silence >= thresholds.offDelay * 1000;
      const gone = silent || !settings.isKept(name);
      if (track.stay !== null && (gone || isDue(track.stay, thresholds))) {
        events.push(...report(track, 'end'));
      } else if (gone) {
        resetTrack(track);
      }
      if (isIdle(track)) tracks.delete(name);
    }
    return events;
  }

  /** Starts to follow what the frame shows, up to the bound. */
  function follow(seen: ReadonlyMap<string, Observation>): void {
    for (const name of seen.keys()) {
      if (tracks.has(name)) continue;
      if (tracks.size >= settings.maxLabels && !dropWeakest(tracks, seen)) return;
      tracks.set(name, createTrack(name));
    }
  }

  function update(result: Result): PresenceEvent[] {
    const at = forward(result);
    // A stay below its threshold is judged with this result in hand, not before it.
    const events = expire(at, () => false);
    last = at;
    const seen = observations(result, settings);
    const seenBy: SeenBy = { model: result.model, alpha: result.alpha, size: result.size };
    follow(seen);
    for (const [name, track] of tracks) {
      const thresholds = settings.thresholdsOf(name);
      const observation = seen.get(name) ?? ABSENT;
      const type = observe(track, observation, at, seenBy, thresholds, settings);
      events.push(...report(track, type));
      if (isIdle(track)) tracks.delete(name);
    }
    return events;
  }

  return {
    update,
    tick(given) {
      const now = forward(given);
      return expire(now, (stay, limits) => isOver(stay, now, limits));
    },
    present: () => presentLabels(tracks.values()),
    shift(ms) {
      for (const track of tracks.values()) shiftTrack(track, ms);
    },
    end() {
      const events = [...tracks.values()].flatMap((track) => report(track, 'end'));
      tracks.clear();
      return events;
    },
    configure(options) {
      settings = readSettings(options);
    },
  };
}

function presentLabels(tracks: Iterable<Track>): PresentLabel[] {
  const labels: PresentLabel[] = [];
  for (const { label, smoothed, count, box, stay } of tracks) {
    if (stay === null) continue;
    const { start, id, seenBy } = stay;
    labels.push({ label, score: smoothed, since: start, count, box, eventId: id, ...seenBy });
  }
  return labels.sort((a, b) => b.score - a.score || (a.label < b.label ? -1 : 1));
}

/** Forgets a label that is neither present nor in the frame, the weakest; false if there is none. */
function dropWeakest(tracks: Map<string, Track>, seen: ReadonlyMap<string, Observation>): boolean {
  let weakest: Track | null = null;
  for (const track of tracks.values()) {
    if (track.stay !== null || seen.has(track.label)) continue;
    if (weakest === null || track.smoothed < weakest.smoothed) weakest = track;
  }
  return weakest !== null && tracks.delete(weakest.label);
}

interface Settings {
  readonly createId: (timeMs: number) => string;
  readonly maxLabels: number;
  readonly window: 1 | 3;
  /** Milliseconds without a result that say nothing. */
  readonly regularSilence: number;
  /** Label → the groups it belongs to. */
  readonly groupsOf: ReadonlyMap<string, readonly string[]>;
  readonly isGroup: (name: string) => boolean;
  readonly isKept: (name: string) => boolean;
  readonly thresholdsOf: (name: string) => Thresholds;
}

function readSettings(options: PresenceOptions): Settings {
  const general = checkedThresholds('presence', options);
  const own = new Map<string, Thresholds>();
  for (const [label, overrides] of Object.entries(options.labels)) {
    own.set(
      label,
      checkedThresholds(`presence.labels.${label}`, mergeThresholds(general, overrides)),
    );
  }
  const groupsOf = new Map<string, string[]>();
  for (const [group, members] of Object.entries(options.groups)) {
    for (const member of new Set(members)) {
      groupsOf.set(member, [...(groupsOf.get(member) ?? []), group]);
    }
  }
  const groups = new Set(Object.keys(options.groups));
  const keep = options.keep === undefined ? null : new Set(options.keep);
  return {
    createId: options.createId,
    maxLabels: options.maxLabels ?? DEFAULT_MAX_LABELS,
    window: options.window ?? 3,
    regularSilence: (options.resultInterval ?? DEFAULT_RESULT_INTERVAL) * 2000,
    groupsOf,
    isGroup: (name) => groups.has(name),
    isKept: (name) => keep === null || keep.has(name),
    thresholdsOf: (name) => own.get(name) ?? general,
  };
}

function mergeThresholds(general: Thresholds, overrides: Partial<Thresholds>): Thresholds {
  return {
    enter: overrides.enter ?? general.enter,
    stay: overrides.stay ?? general.stay,
    offDelay: overrides.offDelay ?? general.offDelay,
    minFrames: overrides.minFrames ?? general.minFrames,
  };
}

/** Checks the ranges; a `stay` above `enter` (only one of the two was set) is lowered to it. */
function checkedThresholds(subject: string, thresholds: Thresholds): Thresholds {
  const { enter, stay, offDelay, minFrames } = thresholds;
  const require = (valid: boolean, key: string, expected: string, found: number): void => {
    if (valid) return;
    throw codedError('MND_CONFIG_INVALID', {
      subject: `${subject}.${key}`,
      expected,
      found: String(found),
    });
  };
  require(enter > 0 && enter <= 1, 'enter', 'a score over 0, up to 1', enter);
  require(stay > 0 && stay <= 1, 'stay', 'a score over 0, up to 1', stay);
  require(offDelay >= 0 && offDelay <= 86400, 'off_delay', '0 to 86400 seconds', offDelay);
  require(Number.isInteger(minFrames) &&
    minFrames >= 1 &&
    minFrames <= 1000, 'min_frames', 'a whole number from 1 to 1000', minFrames);
  return { enter, stay: Math.min(stay, enter), offDelay, minFrames };
}

/** What the frame says of each followed label and group that is in it. */
function observations(result: Result, settings: Settings): Map<string, Observation> {
  const seen = new Map<string, Observation>();
  const add = (name: string, score: number, box: Box | null): void => {
    if (!settings.isKept(name)) return;
    const before = seen.get(name) ?? ABSENT;
    const counts = score >= settings.thresholdsOf(name).stay ? 1 : 0;
    const better = score > before.score;
    seen.set(name, {
      score: better ? score : before.score,
      count: before.count + counts,
      box: better ? box : before.box,
    });
  };
  for (const { label, score, box } of result.labels) {
    if (!(score > 0)) continue;
    const probability = Math.min(score, 1);
    if (!settings.isGroup(label)) add(label, probability, box);
    for (const group of settings.groupsOf.get(label) ?? []) add(group, probability, box);
  }
  return seen;
}
