import { mulberry32 } from '#mobilenetd/simulator/random.js';
import type { Photograph } from './pictures.js';

/** A photograph with its embedding. */
export interface Seen extends Photograph {
  readonly embedding: Float32Array;
}

export interface Draw {
  readonly labels: readonly string[];
  readonly train: readonly Seen[];
  readonly test: readonly Seen[];
  /** Pictures of labels that are not taught. */
  readonly others: readonly Seen[];
  /** Photographs of the bank that are not fitted, by their place in it: a fifth of them. */
  readonly heldOut: ReadonlySet<number>;
}

export interface DrawOptions {
  readonly labels: number;
  readonly each: number;
  readonly test: number;
  readonly others: number;
  readonly sources: number;
  readonly seed: number;
  /** Photographs that a label has to have; default: as many as a draw takes. */
  readonly least?: number;
}

/** Of five draws in turn, each holds out another fifth of the bank's photographs. */
const FIFTHS = 5;

/** Labels, pictures to learn from and others to test with: no picture is in both. */
export function drawTask(all: readonly Seen[], options: DrawOptions): Draw {
  const { seed } = options;
  const random = mulberry32(seed);
  const byLabel = new Map<string, Seen[]>();
  for (const seen of all) byLabel.set(seen.label, [...(byLabel.get(seen.label) ?? []), seen]);
  const taken = options.each + options.test;
  const least = Math.max(taken, options.least ?? 0);
  const rich = [...byLabel.keys()].filter((label) => (byLabel.get(label)?.length ?? 0) >= least);
  const labels = shuffled(rich.sort(), random).slice(0, options.labels);
  const train: Seen[] = [];
  const test: Seen[] = [];
  for (const label of labels) {
    const own = shuffled(byLabel.get(label) ?? [], random);
    train.push(...own.slice(0, options.each));
    test.push(...own.slice(options.each, taken));
  }
  const rest = all.filter(({ label }) => !labels.includes(label));
  const numbers = Array.from({ length: options.sources }, (_, index) => index);
  const fifth = options.sources / FIFTHS;
  const from = (seed % FIFTHS) * fifth;
  return {
    labels,
    train,
    test,
    others: shuffled(rest, random).slice(0, options.others),
    heldOut: new Set(
      shuffled(numbers, mulberry32(Math.ceil(seed / FIFTHS))).slice(from, from + fifth),
    ),
  };
}

/** Fisher–Yates. */
function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const mixed = [...values];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const at = Math.floor(random() * (last + 1));
    [mixed[last], mixed[at]] = [mixed[at] as T, mixed[last] as T];
  }
  return mixed;
}
