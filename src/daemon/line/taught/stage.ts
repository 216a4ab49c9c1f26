import type { Frame } from '../../../camera/source.js';
import type { RunOptions } from '../../../inference/engine.js';
import { median } from '../../../inference/median.js';
import type { Box, Result, ScoredLabel } from '../../../inference/result.js';
import type { Head } from '../../../teach/head.js';
import { type Clock, systemClock } from '../../../time.js';
import { Allowance } from '../second/allowance.js';
import { bestFirst, bestOfEach, FIRST_INDEX, judge } from './judge.js';

/** What is looked for in the frames of a camera, with the heads that tell it. */
export interface Looking {
  /** Names it among all. */
  readonly id: string;
  /** The part of the frame that is looked at, and the frame that it is measured in; null: all of it. */
  readonly area: { readonly box: Box; readonly size: readonly [number, number] } | null;
  /** By the name of the variant. */
  readonly heads: ReadonlyMap<string, Head>;
}

export interface TaughtStageOptions {
  /** What is looked for in front of a camera now. */
  readonly lookingOf: (camera: string) => readonly Looking[];
  readonly infer: (frame: Frame, run: RunOptions, variant?: string) => Promise<Result>;
  /** Fraction of each second that the governor leaves to inference; null: nothing while it is too hot. */
  readonly budget: () => number | null;
  readonly onError: (error: unknown) => void;
  readonly clock?: Clock;
}

/** What looking for taught labels has cost since the start. */
export interface TaughtCounts {
  /** Frames that were judged by their own embedding, and further runs for parts of frames. */
  readonly frames: number;
  readonly runs: number;
  /** Wall time of those runs, ms. */
  readonly busyMs: number;
  /** Frames whose parts had to wait for the governor's budget. */
  readonly held: number;
  /** Frames that a variant without a head looked at: what was said last stood. */
  readonly unjudged: number;
  /** Further runs that failed. */
  readonly failed: number;
}

interface Memory {
  /** Scores of the last looks, by label. */
  looks: readonly ReadonlyMap<string, number>[];
  at: number;
}

/** Looks that are smoothed over, where one look stands for several frames. */
const SMOOTHED = 3;
/** What was said last stands for so long, ms; a variant that cannot tell must not end a label at once. */
const STANDS_MS = 10_000;
/** Least time between two looks at a part of a frame, ms. */
const PART_MS = 400;

/**
 * Adds taught labels to what the network says of a frame. Of the whole frame they cost no run: the head reads
 * the embedding of the frame's own. A part of the frame is shown to the same variant by a further run,
 * one part a frame, within a share of the governor's budget.
 */
export class TaughtStage {
  readonly #options: TaughtStageOptions;
  readonly #clock: Clock;
  readonly #allowance = new Allowance();
  readonly #memory = new Map<string, Memory>();
  readonly #counts = { frames: 0, runs: 0, busyMs: 0, held: 0, unjudged: 0, failed: 0 };

  constructor(options: TaughtStageOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  counts(): TaughtCounts {
    return this.#counts;
  }

  /** Runs the network on a frame, and adds what was taught. */
  async infer(frame: Frame, run: RunOptions): Promise<Result> {
    const { infer, lookingOf } = this.#options;
    const looking = lookingOf(frame.camera);
    if (looking.length === 0) return infer(frame, run);
    const wholes = looking.filter(({ area }) => area === null);
    const result = await infer(frame, wholes.length === 0 ? run : { ...run, embedding: true });
    const found = wholes.flatMap((whole) => this.#judgeWhole(whole, result));
    const parts = looking.filter(({ area }) => area !== null);
    await this.#lookAtOne(parts, frame, result);
    for (const part of parts) found.push(...this.#smoothed(keyOf(part, frame.camera)));
    if (found.length === 0) return result;
    const { embedding: _embedding, ...rest } = result;
    return { ...rest, labels: bestFirst([...result.labels, ...bestOfEach(found)]) };
  }

  #judgeWhole(looking: Looking, { camera, model, embedding }: Result): readonly ScoredLabel[] {
    const key = keyOf(looking, camera);
    const head = looking.heads.get(model);
    if (head === undefined || embedding === undefined || embedding.length !== head.dimension) {
      this.#counts.unjudged += 1;
      return this.#last(key);
    }
    this.#counts.frames += 1;
    const labels = judge(head, embedding);
    this.#remember(key, labels, 1);
    return labels;
  }

  /** The part that has waited longest, if any may be looked at now. */
  async #lookAtOne(parts: readonly Looking[], frame: Frame, result: Result): Promise<void> {
    const now = this.#clock.now();
    const at = (part: Looking) => this.#memory.get(keyOf(part, frame.camera))?.at ?? -PART_MS;
    const [next] = parts.filter((part) => now - at(part) >= PART_MS).sort((a, b) => at(a) - at(b));
    const head = next?.heads.get(result.model);
    if (next?.area == null) return;
    if (head === undefined) {
      this.#counts.unjudged += 1;
      return;
    }
    if (!this.#allowance.allows(this.#options.budget() ?? 0, now)) {
      this.#counts.held += 1;
      return;
    }
    const { box, size } = next.area;
    const run = { topK: 1, threshold: 1, crop: box, cropOf: size, embedding: true } as const;
    const embedding = await this.#embedPart(frame, run, result.model);
    const ms = this.#clock.now() - now;
    this.#allowance.spend(ms);
    this.#counts.runs += 1;
    this.#counts.busyMs += ms;
    if (embedding?.length !== head.dimension) {
      this.#counts.unjudged += 1;
      return;
    }
    this.#remember(keyOf(next, frame.camera), judge(head, embedding), SMOOTHED);
  }

  /** What fails here must not cost the frame what the network has said of it. */
  async #embedPart(
    frame: Frame,
    run: RunOptions,
    variant: string,
  ): Promise<Float32Array | undefined> {
    try {
      return (await this.#options.infer(frame, run, variant)).embedding;
    } catch (error) {
      this.#counts.failed += 1;
      this.#options.onError(error);
      return undefined;
    }
  }

  #remember(key: string, labels: readonly ScoredLabel[], most: number): void {
    const scores = new Map(labels.map(({ label, score }) => [label, score]));
    const before = this.#memory.get(key)?.looks ?? [];
    this.#memory.set(key, { looks: [scores, ...before].slice(0, most), at: this.#clock.now() });
  }

  /** What was said last, while it stands. */
  #last(key: string): ScoredLabel[] {
    const memory = this.#standing(key);
    const [last = new Map<string, number>()] = memory?.looks ?? [];
    return [...last].map(([label, score]) => told(label, score));
  }

  /** The middle of the last looks, of each label that any of them saw. */
  #smoothed(key: string): ScoredLabel[] {
    const looks = this.#standing(key)?.looks ?? [];
    const labels = new Set(looks.flatMap((look) => [...look.keys()]));
    return [...labels].map((label) =>
      told(label, median(padded(looks.map((look) => look.get(label) ?? 0)))),
    );
  }

  #standing(key: string): Memory | undefined {
    const memory = this.#memory.get(key);
    return memory !== undefined && this.#clock.now() - memory.at <= STANDS_MS ? memory : undefined;
  }
}

/** A first look is not believed alone, for it stands for several frames. */
function padded(scores: readonly number[]): readonly number[] {
  return scores.length < 2 ? [...scores, 0] : scores;
}

function keyOf({ id }: Looking, camera: string): string {
  return `${camera} ${id}`;
}

function told(label: string, score: number): ScoredLabel {
  return { index: FIRST_INDEX, label, score, box: null };
}
