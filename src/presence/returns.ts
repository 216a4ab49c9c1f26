import type { Box } from '../inference/result.js';
import { overlapOf } from './objects/box.js';
import type { Thresholds, Track } from './state.js';

/** A stay that has ended, and what was seen since. Times are monotonic milliseconds. */
interface Ended {
  /** Null for a label of the whole picture. */
  readonly box: Box | null;
  readonly best: number;
  readonly at: number;
  /** Sum of the scores of the looks since, and how many. */
  scores: number;
  looks: number;
}

/** What returns after longer has come anew. */
const REMEMBERED_MS = 300_000;
/** An object in the same place after longer is a visitor who has come again. */
const SAME_VISIT_MS = 60_000;
/** Nothing stays longer than this after it was last seen, however it hovers. */
const MOST_PATIENCE_MS = 120_000;
const MAX_REMEMBERED = 16;
/** A label that hovers keeps this share of its threshold while it is thought to be away. */
const LINGERING = 0.5;
const SAME_OVERLAP = 0.5;

/**
 * Tells a score that hovers around its threshold from something that comes and goes. What hovers gets
 * more patience with its second stay, so that it does not begin a third: twice as long as it was away.
 */
export class Returns {
  #ended: Ended[] = [];

  isEmpty(): boolean {
    return this.#ended.length === 0;
  }

  /** A stay of the track ends. */
  note({ body, stay }: Track, at: number): void {
    if (stay === null) return;
    const box = body?.box ?? null;
    this.#ended.push({ box, best: stay.best, at, scores: 0, looks: 0 });
    if (this.#ended.length > MAX_REMEMBERED) this.#ended.shift();
  }

  /** A frame was looked at; `score` is that of the label of the whole picture, 0 without one. */
  look(score: number, at: number): void {
    if (this.#ended.length === 0) return;
    this.#ended = this.#ended.filter((ended) => at - ended.at < REMEMBERED_MS);
    for (const ended of this.#ended) {
      ended.scores += score;
      ended.looks += 1;
    }
  }

  /** Milliseconds that a stay of the track that begins now has to outlast without being seen. */
  patience({ body }: Track, { enter, stay, offDelay }: Thresholds, at: number): number {
    const before = this.#ended.filter(({ box, at: endedAt }) =>
      body === null
        ? box === null
        : box !== null && at - endedAt < SAME_VISIT_MS && overlapOf(box, body.box) >= SAME_OVERLAP,
    );
    const last = before.at(-1);
    if (last === undefined) return 0;
    // Of what came back, the time since an earlier end is not time away.
    this.#ended = this.#ended.filter((ended) => !before.includes(ended));
    const hovers =
      body === null ? last.scores >= last.looks * stay * LINGERING : last.best < (1 + enter) / 2;
    return hovers ? Math.min(MOST_PATIENCE_MS, 2 * (at - last.at + offDelay * 1000)) : 0;
  }
}
