import type { Example } from '#mobilenetd/teach/head.js';

/** Numbers that are the same in every run: a linear congruential generator, in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Nearly normal: a sum of twelve. */
export function normal(next: () => number): number {
  let sum = -6;
  for (let k = 0; k < 12; k += 1) sum += next();
  return sum;
}

/** Embeddings around a place of their own for each label, and unrelated ones around none. */
export function scattered(options: {
  readonly labels: readonly string[];
  readonly each: number;
  readonly negatives: number;
  readonly dimension?: number;
  readonly spread?: number;
  readonly seed?: number;
}): { examples: Example[]; negatives: Float32Array[]; more: (label: string) => Float32Array } {
  const { labels, each, dimension = 32, spread = 0.5 } = options;
  const next = random(options.seed ?? 1);
  const places = new Map(
    labels.map((label) => [label, Float32Array.from({ length: dimension }, () => normal(next))]),
  );
  const more = (label: string) =>
    (places.get(label) as Float32Array).map((value) => value + spread * normal(next));
  const examples = labels.flatMap((label) =>
    Array.from({ length: each }, (_, index) => ({
      label,
      embedding: more(label),
      id: `${label}-${index}`,
    })),
  );
  const negatives = Array.from({ length: options.negatives }, () =>
    Float32Array.from({ length: dimension }, () => normal(next)),
  );
  return { examples, negatives, more };
}
