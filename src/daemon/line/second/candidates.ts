import type { Box, Result, ScoredLabel } from '../../../inference/result.js';
import type { PresentObject } from '../../../presence/presence.js';

/** An object of a frame that is worth a run of the second network. */
export interface Candidate {
  /** Its events: that of its label, and those of groups. */
  readonly eventIds: readonly string[];
  /** What it is: its label, and groups. */
  readonly labels: readonly string[];
  readonly box: Box;
}

/** Which objects the second network looks at. */
export interface SecondRules {
  /** Labels, or groups of presence, under their short names. */
  readonly of: ReadonlySet<string>;
  /** Least length of the box's longer side, pixels of the frame. */
  readonly minSize: number;
}

/** An object has grown when its box has so many times the area that it had at its last run. */
const GROWN = 2;
/** An animal turns round: so many looks in vain until it has grown. */
const MOST_TRIES = 10;

/** Knows which objects of one camera were looked at, and how large they were then. */
export class Candidates {
  /** Area of the box at the last run, by the event. */
  readonly #areas = new Map<string, number>();
  /** Looks in vain, by the event. */
  readonly #tries = new Map<string, number>();

  /**
   * The objects of a frame that are new or have grown since they were looked at: new ones first, then by
   * the detector's score.
   *
   * @param present all objects that are present: what is known of others is forgotten
   */
  of(
    present: readonly PresentObject[],
    { labels }: Pick<Result, 'labels'>,
    rules: SecondRules,
  ): Candidate[] {
    const events = new Set(present.map(({ eventId }) => eventId));
    for (const known of [this.#areas, this.#tries]) {
      for (const id of known.keys()) if (!events.has(id)) known.delete(id);
    }
    const found = new Map<string, PresentObject[]>();
    for (const object of present) {
      const place = object.box.join();
      found.set(place, [...(found.get(place) ?? []), object]);
    }
    const worth = [...found.values()].flatMap((same) => this.#worth(same, labels, rules));
    return worth
      .sort((a, b) => Number(b.isNew) - Number(a.isNew) || b.score - a.score)
      .map(({ eventIds, labels: names, box }) => ({ eventIds, labels: names, box }));
  }

  /** Notes that a candidate was looked at in vain: it may be looked at again, some times. */
  again({ eventIds }: Candidate): void {
    for (const id of eventIds) {
      const tries = (this.#tries.get(id) ?? 0) + 1;
      this.#tries.set(id, tries);
      if (tries < MOST_TRIES) this.#areas.delete(id);
    }
  }

  /** Notes that a candidate was looked at as large as it is now. */
  looked({ eventIds, box }: Candidate): void {
    for (const id of eventIds) this.#areas.set(id, Math.max(1, areaOf(box)));
  }

  /** @param same what is present in one place: one thing, by its label and by groups */
  #worth(
    same: readonly PresentObject[],
    labels: readonly ScoredLabel[],
    { of: wanted, minSize }: SecondRules,
  ): (Candidate & { readonly isNew: boolean; readonly score: number })[] {
    const [{ box } = { box: null }] = same;
    if (box === null || Math.max(box[2], box[3]) < minSize) return [];
    const seen = labels.filter((sighting) => isIn(sighting, box));
    const isWanted = [...same, ...seen].some(({ label }) => wanted.has(label));
    const last = Math.min(...same.map(({ eventId }) => this.#areas.get(eventId) ?? 0));
    if (!isWanted || seen.length === 0 || areaOf(box) < GROWN * last) return [];
    const eventIds = same.map(({ eventId }) => eventId);
    const score = Math.max(...seen.map((sighting) => sighting.score));
    const names = new Set([...same, ...seen].map(({ label }) => label));
    return [{ eventIds, labels: [...names], box, isNew: last === 0, score }];
  }
}

/** Whether it was seen in this very place: presence keeps boxes as they came. */
function isIn(sighting: ScoredLabel, box: Box): boolean {
  return sighting.box?.every((value, index) => value === box[index]) ?? false;
}

function areaOf([, , width, height]: Box): number {
  return width * height;
}
