import type { TaughtAdvice, TaughtFigures } from '../../control/report.js';
import { worthOf } from '../../taught/heads.js';
import type { Intake } from '../../taught/intake.js';
import { advice } from '../../teach/advice.js';
import type { HeadReport } from '../../teach/report.js';
import { figuresOf } from './figures.js';

/** Least time between two looks at what pictures are worth, ms. */
const LEAST_MS = 2000;
/** Of one core, a look takes at most a part of so many: frames go first. */
const SHARE = 4;

/** What pictures are worth while they are recorded, of those that have come so far. Kept nowhere. */
export class Worth {
  readonly #label: string | null;
  readonly #intake: Intake;
  readonly #negatives: () => Promise<readonly Float32Array[]>;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  #working: Promise<void> | null = null;
  /** Pictures of the last look, and when the next one may be. */
  #looked = 0;
  #next = Number.NEGATIVE_INFINITY;
  #figures: TaughtFigures | null = null;
  #report: HeadReport | undefined;

  /** @param label what the recording shows; null: the opposite */
  constructor(
    label: string | null,
    intake: Intake,
    negatives: () => Promise<readonly Float32Array[]>,
    now: () => number,
  ) {
    this.#label = label;
    this.#intake = intake;
    this.#negatives = negatives;
    this.#now = now;
  }

  figures(): TaughtFigures | null {
    return this.#figures;
  }

  /** By the counts of now, and the figures of the last look. */
  advice(): readonly TaughtAdvice[] {
    const counts = new Map<string, number>();
    let others = 0;
    for (const { crop } of this.#intake.seen()) {
      if (crop.label === null) others += 1;
      else counts.set(crop.label, (counts.get(crop.label) ?? 0) + 1);
    }
    if (counts.size === 0) return [];
    const side = this.#intake.smallest();
    const sizes = side === null || this.#label === null ? [] : [[this.#label, side] as const];
    const report = this.#report;
    return advice({ counts, others, sizes: new Map(sizes), ...(report && { report }) });
  }

  /** Looks again where pictures have come since, unless it was just now. */
  look(): void {
    const count = this.#intake.seen().length;
    const isSame = count === this.#looked;
    if (isSame || this.#working !== null || this.#now() < this.#next) return;
    this.#looked = count;
    this.#working = this.#lookAt([...this.#intake.seen()]).finally(() => {
      this.#working = null;
    });
  }

  /** Ends a look that is at work. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#working;
  }

  async #lookAt(seen: ReturnType<Intake['seen']>): Promise<void> {
    const begun = this.#now();
    try {
      const worth = await worthOf(seen, await this.#negatives(), this.#abort.signal);
      this.#figures = figuresOf(worth);
      this.#report = worth.report;
    } catch {
      // Nothing can be said of these pictures yet; those that are kept are judged when the recording ends.
    }
    const end = this.#now();
    this.#next = end + Math.max(LEAST_MS, SHARE * (end - begun));
  }
}
