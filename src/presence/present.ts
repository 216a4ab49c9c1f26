import type { PresentLabel } from './contract.js';
import type { Lane } from './lane.js';
import type { Track } from './state.js';

/** The best first; equal ones by name. */
export function byScore(a: PresentLabel, b: PresentLabel): number {
  return b.score - a.score || (a.label < b.label ? -1 : 1);
}

/** What of a label or group is present; null: nothing is. */
export function presentLabel(lane: Lane): PresentLabel | null {
  let best: Track | null = null;
  let since = Number.POSITIVE_INFINITY;
  for (const track of lane.tracks()) {
    if (track.stay === null) continue;
    since = Math.min(since, track.stay.start);
    if (best === null || track.smoothed > best.smoothed) best = track;
  }
  if (best === null || best.stay === null) return null;
  const { label, smoothed: score, count, box } = best;
  const { id: eventId, seenBy } = best.stay;
  return { label, score, since, count, box, eventId, ...seenBy };
}
