import { type Example, namedLabel } from './head.js';
import { expectedShare } from './learning-curve.js';

/** A picture of the opposite that alone keeps a label's pictures from being told. */
export interface Barrier {
  readonly id: string;
  /** Of the label's pictures, the share that is told by a head that was made without it. */
  readonly recall: number;
}

/** What a label is worth, by pictures that were left out of the fit that judged them. */
export interface LabelReport {
  readonly label: string;
  readonly examples: number;
  /** Of its pictures, the share that is named so; null with fewer than two. */
  readonly recall: number | null;
  /** Of the taught pictures that are named so, the share that is of it; null where none is. */
  readonly precision: number | null;
  /** The other label that most of its pictures are likelier to be, thresholds aside; null without any. */
  readonly rival: { readonly label: string; readonly times: number } | null;
  /** Of the label that is told worst: the opposite that keeps many of its pictures from being told; else null. */
  readonly heldBack: Barrier | null;
}

/** A taught picture that is named wrongly, or would be with the least doubt. */
export interface WorstExample {
  readonly id: string;
  readonly label: string | null;
  /** What it is named; null for none. */
  readonly said: string | null;
  /** Probability of its own label; of "none of these", 1 − the highest probability. */
  readonly probability: number;
}

/**
 * What a head is worth: every figure is of pictures that were left out of the fit that judged them. Shares of
 * all labels together are continued to a fit of all pictures ({@link expectedShare}); those of one label, of
 * few pictures, are as they were counted.
 */
export interface HeadReport {
  /** Pictures of labels, pictures of none of these, and unrelated embeddings that were used. */
  readonly examples: number;
  readonly others: number;
  readonly negatives: number;
  /** The ridge penalty that was chosen, for the mean row. */
  readonly penalty: number;
  /**
   * Of new pictures of labels that have two or more, the share to be expected whose best label is theirs,
   * thresholds aside; null where no label has two.
   */
  readonly accuracy: number | null;
  /** The same share as it was counted, of fits with one picture of each label less. */
  readonly leftOut: number | null;
  /** Of new pictures, the share to be expected that is named rightly: those that also reach the threshold. */
  readonly recall: number | null;
  /** Of "none of these" and the unrelated embeddings, the share that is given a label; null without any. */
  readonly falseAccepts: number | null;
  readonly labels: readonly LabelReport[];
  /**
   * How many pictures of a row's label are named as a column's: labels in order, then none of these. Labels
   * with one picture have an empty row.
   */
  readonly confusion: readonly (readonly number[])[];
  /** At most {@link WORST} pictures with an id, the worst first. */
  readonly worst: readonly WorstExample[];
}

/** Pictures that a report names. */
export const WORST = 10;

/** What each picture is told by a fit that has not seen it. */
export interface Judged {
  readonly example: Example;
  /** By label. */
  readonly probabilities: Float32Array;
  /** The same by fits with one picture of each label less still; may be none. */
  readonly oneLess: readonly Float32Array[];
}

export interface ReportInput {
  readonly labels: readonly string[];
  readonly thresholds: Float32Array;
  readonly penalty: number;
  readonly examples: readonly Judged[];
  /** Probabilities of the unrelated embeddings, by embedding. */
  readonly negatives: readonly Float32Array[];
}

export function reportOf(input: ReportInput): HeadReport {
  const { labels, thresholds, penalty, negatives } = input;
  const counts = labels.map(
    (label) => input.examples.filter((j) => j.example.label === label).length,
  );
  const isJudged = ({ example }: Judged) =>
    example.label === null || (counts[labels.indexOf(example.label)] ?? 0) > 1;
  const judged = input.examples.filter(isJudged).map((entry) => ({
    ...entry,
    said: namedLabel({ labels, thresholds }, entry.probabilities),
  }));
  const ofLabels = judged.filter(({ example }) => example.label !== null);
  const others = judged.filter(({ example }) => example.label === null);
  const confusion = [...labels, null].map((label) =>
    [...labels, null].map(
      (said) => judged.filter((j) => j.example.label === label && j.said === said).length,
    ),
  );
  const expected = (sayOf: (probabilities: Float32Array) => string | null) =>
    expectedShare(
      ofLabels.map(({ example: { label }, probabilities, oneLess }) => ({
        pictures: counts[labels.indexOf(label as string)] as number,
        isRight: sayOf(probabilities) === label,
        oneLess: share(
          oneLess.filter((each) => sayOf(each) === label),
          oneLess,
        ),
      })),
    );
  const passed = negatives.filter((row) => namedLabel({ labels, thresholds }, row) !== null).length;
  const wrong = passed + others.filter(({ said }) => said !== null).length;
  return {
    examples: input.examples.length - others.length,
    others: others.length,
    negatives: negatives.length,
    penalty,
    accuracy: expected((probabilities) => bestOf(labels, probabilities)),
    leftOut: share(
      ofLabels.filter((j) => bestOf(labels, j.probabilities) === j.example.label),
      ofLabels,
    ),
    recall: expected((probabilities) => namedLabel({ labels, thresholds }, probabilities)),
    falseAccepts:
      others.length + negatives.length === 0 ? null : wrong / (others.length + negatives.length),
    labels: labels.map((label, index) => ({
      label,
      examples: counts[index] as number,
      recall: share(
        judged.filter((j) => j.example.label === label && j.said === label),
        judged.filter((j) => j.example.label === label),
      ),
      precision: share(
        judged.filter((j) => j.example.label === label && j.said === label),
        judged.filter((j) => j.said === label),
      ),
      rival: rivalOf(label, labels, judged),
      heldBack: null,
    })),
    confusion,
    worst: worstOf(labels, judged),
  };
}

function share(part: readonly unknown[], whole: readonly unknown[]): number | null {
  return whole.length === 0 ? null : part.length / whole.length;
}

function bestOf(labels: readonly string[], probabilities: Float32Array): string | null {
  return labels[probabilities.indexOf(Math.max(...probabilities))] ?? null;
}

function rivalOf(
  label: string,
  labels: readonly string[],
  judged: readonly Judged[],
): LabelReport['rival'] {
  const likelier = judged
    .filter(({ example }) => example.label === label)
    .map(({ probabilities }) => bestOf(labels, probabilities));
  const rivals = labels
    .filter((other) => other !== label)
    .map((other) => ({ label: other, times: likelier.filter((best) => best === other).length }))
    .filter(({ times }) => times > 0);
  return rivals.reduce<LabelReport['rival']>(
    (most, rival) => (most === null || rival.times > most.times ? rival : most),
    null,
  );
}

function worstOf(
  labels: readonly string[],
  judged: readonly (Judged & { readonly said: string | null })[],
): WorstExample[] {
  const found = judged.flatMap(({ example, said, probabilities }) => {
    const { id, label } = example;
    if (id === undefined) return [];
    const own =
      label === null ? 1 - Math.max(...probabilities) : probabilities[labels.indexOf(label)];
    return [{ id, label, said, probability: own as number }];
  });
  const isWrong = ({ label, said }: WorstExample) => Number(label !== said);
  // Ids part what is equal, so that the order is always the same.
  return found
    .sort(
      (a, b) => isWrong(b) - isWrong(a) || a.probability - b.probability || (a.id < b.id ? -1 : 1),
    )
    .slice(0, WORST);
}
