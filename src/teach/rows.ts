import type { Example } from './head.js';
import type { Part, RidgeProblem } from './ridge.js';
import type { Space } from './space.js';
import { gramMatrix } from './triangle.js';

/** A ridge problem of taught pictures and unrelated ones. */
export interface Rows extends RidgeProblem {
  /** Of examples, then of unrelated embeddings. */
  readonly places: readonly Float64Array[];
  /** Number of a row's label; then "none of these"; then unrelated. */
  readonly groups: Int32Array;
  /** Rows of each group. */
  readonly counts: Int32Array;
}

/** Parts of the unrelated embeddings that are left out together: neighbours may be of one picture. */
const FOLDS = 10;

/**
 * What is fitted: 1 for a label's rows, −1 for all others. Labels weigh the same, however many pictures they
 * have, and so does "none of these". Unrelated pictures weigh as all labels together: of ten labels, each would
 * else learn nine parts what tells it from the others and one part what tells it from all the world. More
 * pictures reach a threshold so, with small networks and many labels twice as many; the choice among ten labels
 * of twenty pictures is worse by a point and a half with the smallest network, and by none with the largest.
 */
export function rowsOf(
  labels: readonly string[],
  examples: readonly Example[],
  negatives: readonly Float32Array[],
  space: Space,
): Rows {
  const embeddings = [...examples.map(({ embedding }) => embedding), ...negatives];
  const places = embeddings.map((embedding) => space.place(embedding));
  const groups = Int32Array.from(places, (_, row) => {
    const example = examples[row];
    if (example === undefined) return labels.length + 1;
    return example.label === null ? labels.length : labels.indexOf(example.label);
  });
  const counts = new Int32Array(labels.length + 2);
  for (const group of groups) counts[group] = (counts[group] as number) + 1;
  const shares = Array.from(counts, (count, group) => {
    if (count === 0) return 0;
    return group === labels.length + 1 ? labels.length : 1;
  });
  const all = shares.reduce((sum, share) => sum + share, 0);
  const kernel = gramMatrix(places);
  // A constant beside each embedding: the bias, with a penalty like the other weights.
  for (let k = 0; k < kernel.values.length; k += 1) {
    kernel.values[k] = (kernel.values[k] as number) + 1;
  }
  return {
    places,
    groups,
    counts,
    kernel,
    parts: partsOf(groups, labels.length + 1),
    weights: Float64Array.from(
      groups,
      (group) => (places.length * (shares[group] as number)) / (all * (counts[group] as number)),
    ),
    targets: labels.map((_, label) =>
      Float64Array.from(groups, (group) => (group === label ? 1 : -1)),
    ),
  };
}

/**
 * Taught pictures are left out one of each label at a time: a label that had to do with one less against others
 * that have all of theirs would look worse than it is. Unrelated ones are left out by tenths.
 */
function partsOf(groups: Int32Array, unrelated: number): Part[] {
  const byGroup = Array.from({ length: unrelated }, (): number[] => []);
  const folds = Array.from({ length: FOLDS }, (): number[] => []);
  const first = groups.indexOf(unrelated);
  for (const [row, group] of groups.entries()) {
    const fold = Math.floor(((row - first) * FOLDS) / (groups.length - first));
    (group === unrelated ? folds[fold] : byGroup[group])?.push(row);
  }
  const several = byGroup.filter(({ length }) => length > 1);
  const alone = [...byGroup.filter(({ length }) => length === 1), ...folds];
  return [
    ...(several.length === 0 ? [] : [{ groups: several, leaveOut: 'in turn' } as const]),
    ...alone.flatMap((rows) =>
      rows.length === 0 ? [] : [{ groups: [rows], leaveOut: 'together' } as const],
    ),
  ];
}

/** At most so many of a list, evenly out of all of it. */
export function evenly<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, k) => all[Math.floor((k * all.length) / most)] as T);
}

/** All examples, or evenly out of each label's so many that there are about `most`. */
export function someOfEach(examples: readonly Example[], most: number): readonly Example[] {
  if (examples.length <= most) return examples;
  const labels = new Set(examples.map(({ label }) => label));
  const quota = Math.max(1, Math.floor(most / labels.size));
  return [...labels].flatMap((label) => {
    return evenly(
      examples.filter((example) => example.label === label),
      quota,
    );
  });
}
