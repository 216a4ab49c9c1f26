import type { ScoredLabel } from '../../../inference/result.js';
import type { Head } from '../../../teach/head.js';

/** The score at which a taught label is as sure as its head demands: the default of `presence.enter`. */
export const SURE = 0.6;
/** Scores below it say nothing and are not told. */
const LEAST = 0.05;
/** Class indices of taught labels are no network's. */
export const FIRST_INDEX = 1_000_000;

/**
 * What a head says of an embedding. Scores are on one scale for every head and every variant: 0.6 stands
 * for the threshold that at most one of 1000 unrelated pictures passes.
 */
export function judge(head: Head, embedding: Float32Array): ScoredLabel[] {
  const probabilities = head.probabilities(embedding);
  return head.labels.flatMap((label, at) => {
    const score = scaled(probabilities[at] ?? 0, head.thresholds[at] ?? 1);
    return score < LEAST ? [] : [{ index: FIRST_INDEX + at, label, score, box: null }];
  });
}

/** @param threshold probability that stands for {@link SURE} */
function scaled(probability: number, threshold: number): number {
  if (probability < threshold) return (SURE * probability) / threshold;
  if (threshold >= 1) return SURE;
  return SURE + ((1 - SURE) * (probability - threshold)) / (1 - threshold);
}

/** The better score of each label, the best first. */
export function bestOfEach(labels: readonly ScoredLabel[]): ScoredLabel[] {
  const best = new Map<string, ScoredLabel>();
  for (const scored of labels) {
    const other = best.get(scored.label);
    if (other === undefined || other.score < scored.score) best.set(scored.label, scored);
  }
  return bestFirst([...best.values()]);
}

export function bestFirst(labels: readonly ScoredLabel[]): ScoredLabel[] {
  return [...labels].sort((a, b) => b.score - a.score);
}
