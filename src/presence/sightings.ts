import type { Box, Result, ScoredLabel } from '../inference/result.js';
import { overlapOf } from './objects/box.js';
import { fits, type NameRules, type Settings } from './settings.js';

/** Two members of a group this much in one place are one thing with two names: a car or a truck. */
const SAME_OVERLAP = 0.65;
/** More names than any network has. */
const MOST_NAMES = 16_384;

/** How much larger the measured frame is than the picture that the boxes are in, across and down. */
export type Stretch = readonly [across: number, down: number];

const NO_STRETCH: Stretch = [1, 1];

export function stretchOf({ picture }: Result, { frame }: Settings): Stretch {
  if (picture === undefined || frame === null) return NO_STRETCH;
  const [width, height] = picture;
  if (width === frame[0] && height === frame[1]) return NO_STRETCH;
  return [frame[0] / width, frame[1] / height];
}

/** The part of the picture that is looked at, in the pixels of its boxes; null: unknown. */
export function viewOf({ picture }: Result, { view }: Settings, stretch: Stretch): Box | null {
  if (view === null) return picture === undefined ? null : [0, 0, ...picture];
  if (stretch === NO_STRETCH) return view;
  return stretched(view, [1 / stretch[0], 1 / stretch[1]]);
}

export function stretched(box: Box, stretch: Stretch): Box {
  if (stretch === NO_STRETCH) return box;
  const [across, down] = stretch;
  return [box[0] * across, box[1] * down, box[2] * across, box[3] * down];
}

/**
 * What a frame shows of one label or group, best first: objects in their boxes, or what a classifier says
 * of the whole picture (one entry, whose box is null). Filled anew for every frame.
 */
export class Sightings {
  readonly label: string;
  /** The first `size` of these are of this frame. */
  readonly scores: number[] = [];
  readonly boxes: (Box | null)[] = [];
  size = 0;
  /** How many of them reach the stay threshold. */
  count = 0;
  /** The frame that it was filled for. */
  frame = 0;

  constructor(label: string) {
    this.label = label;
  }

  clear(frame: number): void {
    this.frame = frame;
    this.size = 0;
    this.count = 0;
  }

  add(score: number, box: Box | null, { isGroup, thresholds }: NameRules): void {
    if (box !== null && isGroup && this.#isThere(box)) return;
    if (score >= thresholds.stay) this.count += 1;
    if (box !== null || this.size === 0) {
      this.scores[this.size] = score;
      this.boxes[this.size] = box;
      this.size += 1;
    } else if (score > (this.scores[0] ?? 0)) {
      this.scores[0] = score;
      this.boxes[0] = box;
    }
  }

  #isThere(box: Box): boolean {
    for (let at = 0; at < this.size; at += 1) {
      const other = this.boxes[at] ?? null;
      if (other !== null && overlapOf(other, box) >= SAME_OVERLAP) return true;
    }
    return false;
  }
}

/** What the last frame showed, by label and group; its lists are used again for the next one. */
export class FrameSightings {
  readonly #byName = new Map<string, Sightings>();
  readonly #seen: Sightings[] = [];
  #frame = 0;

  /** Sorts a result by the labels and groups that are followed. */
  read(result: Result, settings: Settings, stretch: Stretch): void {
    this.#frame += 1;
    this.#seen.length = 0;
    if (this.#byName.size > MOST_NAMES) this.#byName.clear();
    for (const { label, score, box } of bestFirst(result.labels)) {
      if (!(score > 0)) continue;
      const rules = settings.rulesOf(label);
      const most = score > 1 ? 1 : score;
      if (!rules.isGroup) this.#add(rules, most, box, stretch);
      for (const group of rules.groups) this.#add(settings.rulesOf(group), most, box, stretch);
    }
  }

  /** Everything that is followed and in the frame. */
  seen(): readonly Sightings[] {
    return this.#seen;
  }

  /** Null: the frame does not show it. */
  of(name: string): Sightings | null {
    const found = this.#byName.get(name);
    return found === undefined || found.frame !== this.#frame ? null : found;
  }

  #add(rules: NameRules, score: number, box: Box | null, stretch: Stretch): void {
    const { name, isKept, limits } = rules;
    if (!isKept) return;
    if (box !== null && limits !== null && !fits(limits, stretched(box, stretch))) return;
    let sightings = this.#byName.get(name);
    if (sightings === undefined) {
      sightings = new Sightings(name);
      this.#byName.set(name, sightings);
    }
    if (sightings.frame !== this.#frame) {
      sightings.clear(this.#frame);
      this.#seen.push(sightings);
    }
    sightings.add(score, box, rules);
  }
}

function bestFirst(labels: readonly ScoredLabel[]): readonly ScoredLabel[] {
  let last = Number.POSITIVE_INFINITY;
  for (const { score } of labels) {
    if (score > last) return [...labels].sort((a, b) => b.score - a.score);
    last = score;
  }
  return labels;
}
