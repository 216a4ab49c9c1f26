import type { Box, Result } from '../inference/result.js';
import { overlapOf } from './objects/box.js';
import type { Settings } from './settings.js';

/** One thing in a frame, or what a classifier says of all of it (no box). */
export interface Sighting {
  readonly score: number;
  readonly box: Box | null;
}

/** What a frame shows of one label or group, best first, and how many of it reach the stay threshold. */
export interface Sightings {
  readonly seen: readonly Sighting[];
  readonly count: number;
}

export const NOTHING_SEEN: Sightings = { seen: [], count: 0 };

/** Two members of a group this much in one place are one thing with two names: a car or a truck. */
const SAME_OVERLAP = 0.65;

/** How much larger the measured frame is than the picture that the boxes are in, across and down. */
export type Stretch = readonly [across: number, down: number];

const NO_STRETCH: Stretch = [1, 1];

export function stretchOf({ picture }: Result, { frame }: Settings): Stretch {
  if (picture === undefined || frame === null) return NO_STRETCH;
  const [width, height] = picture;
  if (width === frame[0] && height === frame[1]) return NO_STRETCH;
  return [frame[0] / width, frame[1] / height];
}

export function stretched([x, y, width, height]: Box, [across, down]: Stretch): Box {
  return [x * across, y * down, width * across, height * down];
}

/** What the frame shows of each label and group that is followed. */
export function sightingsOf(
  result: Result,
  settings: Settings,
  stretch: Stretch,
): Map<string, Sightings> {
  const all = new Map<string, { seen: Sighting[]; count: number }>();
  const add = (name: string, sighting: Sighting): void => {
    if (!settings.isKept(name)) return;
    if (sighting.box !== null && settings.hasLimits) {
      if (!settings.fits(name, stretched(sighting.box, stretch))) return;
    }
    let of = all.get(name);
    if (of === undefined) {
      of = { seen: [], count: 0 };
      all.set(name, of);
    }
    const { seen } = of;
    if (sighting.box !== null && settings.isGroup(name) && isThere(seen, sighting.box)) return;
    if (sighting.score >= settings.thresholdsOf(name).stay) of.count += 1;
    if (sighting.box !== null || seen[0] === undefined) seen.push(sighting);
    else if (sighting.score > seen[0].score) seen[0] = sighting;
  };
  for (const { label, score, box } of bestFirst(result)) {
    if (!(score > 0)) continue;
    const sighting = { score: Math.min(score, 1), box };
    if (!settings.isGroup(label)) add(label, sighting);
    for (const group of settings.groupsOf.get(label) ?? []) add(group, sighting);
  }
  return all;
}

function bestFirst({ labels }: Result): Result['labels'] {
  const sorted = labels.every(({ score }, at) => !(score > (labels[at - 1]?.score ?? score)));
  return sorted ? labels : [...labels].sort((a, b) => b.score - a.score);
}

function isThere(seen: readonly Sighting[], box: Box): boolean {
  return seen.some((other) => other.box !== null && overlapOf(other.box, box) >= SAME_OVERLAP);
}
