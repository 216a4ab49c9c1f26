import type { EventType, PresenceEvent } from './event.js';
import { restOf } from './objects/body.js';
import type { Folding, Instant, SeenBy, Stay, Thresholds, Track } from './state.js';

/** An update is worth an event when the best score grew by this much (or something else changed). */
const UPDATE_SCORE_STEP = 0.01;
/** At most one update per stay in this time, milliseconds; of what rests, one in the longer time. */
const UPDATE_INTERVAL = 1000;
const RESTING_UPDATE_INTERVAL = 60_000;
/** An object that has not moved for so long is stationary, milliseconds. */
const STATIONARY_MS = 10_000;
/** The longest that a stationary object stays present unseen, milliseconds. */
const LONGEST_UNSEEN_MS = 600_000;

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

/** Folds one frame into the stay of a track; says which event it causes, if any. */
export function continueStay(
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
