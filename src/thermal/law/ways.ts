import type { Rung, Way } from '../sample.js';
import type { CleanSample } from './intake.js';

/** A rung as it is run now. */
interface Running extends Rung {
  /** Index of the way in `ways`; 0 where a rung has none. */
  readonly way: number;
}

/** What the last second's work heats, by the knobs it was done with; loads are fractions. */
export interface Work {
  /** All of it by the processor time it takes, as if every knob heated alike. */
  readonly load: number;
  /** The part of each knob but the first. */
  readonly byKnob: readonly number[];
}

/**
 * The ways in which each network can be run: more threads are faster, fewer may heat less a frame. Of those
 * that keep the rate the coolest is taken. Heat counts in milliseconds of the way that keeps most of the
 * processor busy.
 */
export interface Ways {
  /** There is something to choose. */
  readonly any: boolean;
  /** The knobs but the first, by name: what a millisecond of them heats is learnt. */
  readonly knobs: readonly string[];
  /** The rungs with the wall time that they take as they are run now. */
  readonly ladder: readonly Rung[];
  /** The same, with heat in the place of wall time, ms. */
  readonly hot: readonly Rung[];
  /** Index of the way of a rung. */
  wayOf(rung: number): number;
  /** @param parts wall time of each rung as it was run, fraction of a second */
  work(parts: readonly (readonly [rung: number, busy: number])[]): Work;
  /**
   * Chooses anew.
   *
   * @param cooler the coolest way of each is wanted, otherwise the fastest: on a cool board, and until the
   *   board is known, for what that heats is learnt first
   * @param slowdown wall time of a frame relative to what was measured
   * @param factors what a millisecond of each knob heats relative to its processor time
   * @returns whether anything has changed
   */
  update(
    of: { readonly fps: number; readonly slowdown: number; readonly cooler: boolean },
    factors: readonly number[],
  ): boolean;
}

/** A way is taken while a frame of it leaves this much of its time, and left when it needs more than that. */
const ENTER = 0.7;
const STAY = 0.9;
/** Another way must be cooler by this part. */
const WORTH = 0.08;

export function createWays(ladder: readonly Rung[]): Ways {
  return ladder.some((rung) => waysOf(rung).length > 1) ? new Choice(ladder) : fixed(ladder);
}

/** A ladder that takes the place of another; what was learnt of knobs is of those that there were. */
export function waysLike({ knobs }: Ways, ladder: readonly Rung[]): Ways {
  const ways = createWays(ladder);
  if (ways.knobs.join() === knobs.join()) return ways;
  return fixed(ladder.map(({ ways: _, ...rung }) => rung));
}

/** A sample with the own load as it heats: by the processor time that it took. */
export function byHeat(
  seen: CleanSample,
  ways: Ways,
): { readonly clean: CleanSample; readonly byKnob: readonly number[] } {
  if (!ways.any) return { clean: seen, byKnob: [] };
  const { load, byKnob } = ways.work(seen.parts);
  return { clean: { ...seen, load: load + Math.min(seen.load, seen.secondLoad ?? 0) }, byKnob };
}

function fixed(ladder: readonly Rung[]): Ways {
  return {
    any: false,
    knobs: [],
    ladder,
    hot: ladder,
    wayOf: () => 0,
    work: (parts) => ({ load: parts.reduce((sum, [, busy]) => sum + busy, 0), byKnob: [] }),
    update: () => false,
  };
}

class Choice implements Ways {
  readonly any = true;
  readonly knobs: readonly string[];
  ladder: readonly Running[];
  hot: readonly Rung[];
  /** Of each rung, the fastest first; one that has none is run as the busiest way is. */
  readonly #ways: readonly (readonly Way[])[];
  /** Processor time a millisecond of the busiest way. */
  readonly #most: number;
  #factors: readonly number[];

  constructor(ladder: readonly Rung[]) {
    const all = ladder.flatMap(waysOf);
    const busiest = all.reduce((a, b) => (density(b) > density(a) ? b : a));
    this.#most = density(busiest);
    this.knobs = [...new Set(all.map(({ knob }) => knob))].filter((knob) => knob !== busiest.knob);
    this.#ways = ladder.map((rung) => {
      const ways = waysOf(rung);
      const { costMs } = rung;
      return ways.length > 0 ? ways : [{ ...busiest, costMs, cpuMs: costMs * this.#most }];
    });
    this.#factors = this.knobs.map(() => 1);
    this.ladder = ladder.map((rung) => ({ ...rung, way: 0 }));
    this.hot = this.#heated();
  }

  wayOf(rung: number): number {
    return this.ladder[rung]?.way ?? 0;
  }

  work(parts: readonly (readonly [rung: number, busy: number])[]): Work {
    const byKnob = this.knobs.map(() => 0);
    let load = 0;
    for (const [index, busy] of parts) {
      const way = this.#now(index);
      const share = way === undefined ? busy : (busy * density(way)) / this.#most;
      const knob = way === undefined ? -1 : this.knobs.indexOf(way.knob);
      load += share;
      if (knob >= 0) byKnob[knob] = (byKnob[knob] ?? 0) + share;
    }
    return { load, byKnob };
  }

  update(
    { fps, slowdown, cooler }: Parameters<Ways['update']>[0],
    factors: readonly number[],
  ): boolean {
    this.#factors = factors;
    let changed = false;
    this.ladder = this.ladder.map((running, index) => {
      const way = cooler ? this.#choose(index, fps * slowdown) : 0;
      const costMs = this.#ways[index]?.[way]?.costMs;
      if (way === running.way || costMs === undefined) return running;
      changed = true;
      return { ...running, way, costMs };
    });
    const before = this.hot;
    this.hot = this.#heated();
    return changed || this.hot.some(({ costMs }, i) => costMs !== before[i]?.costMs);
  }

  /** The coolest way that keeps the rate, or the fastest; the present one unless another is worth it. */
  #choose(index: number, fps: number): number {
    const ways = this.#ways[index] ?? [];
    const now = this.wayOf(index);
    const fits = (way: number, most: number) => ((ways[way]?.costMs ?? 0) * fps) / 1000 <= most;
    const heat = (way: number) => this.#heatMs(ways[way] as Way);
    const stays = now === 0 || fits(now, STAY);
    return ways.reduce(
      (best, _, way) => (fits(way, ENTER) && heat(way) < heat(best) * (1 - WORTH) ? way : best),
      stays ? now : 0,
    );
  }

  #now(index: number): Way | undefined {
    return this.#ways[index]?.[this.wayOf(index)];
  }

  #heated(): readonly Rung[] {
    return this.ladder.map((running, index) => {
      const way = this.#now(index);
      return way === undefined ? running : { ...running, costMs: this.#heatMs(way) };
    });
  }

  #heatMs(way: Way): number {
    const knob = this.knobs.indexOf(way.knob);
    return (way.cpuMs / this.#most) * (knob < 0 ? 1 : (this.#factors[knob] ?? 1));
  }
}

/** The ways of a rung; none where one of them is no way. */
function waysOf({ ways = [] }: Rung): readonly Way[] {
  const isSound = ({ costMs, cpuMs }: Way) =>
    costMs > 0 && cpuMs > 0 && Number.isFinite(cpuMs / costMs);
  return ways.every(isSound) ? ways : [];
}

/** Processor milliseconds a millisecond. */
function density({ cpuMs, costMs }: Way): number {
  return cpuMs / costMs;
}
