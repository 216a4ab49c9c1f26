import { overlapOf } from '../presence/objects/box.js';
import type { ScoredLabel } from './result.js';

/**
 * How near the answers of one numeric form are to those of the reference form, on the same pictures.
 *
 * A decisive answer is one that a little noise cannot turn: a classifier's first label if its score
 * is at least {@link CLEAR_LEAD} above the second's, a detector's object of at least
 * {@link SURE_SCORE}.
 */
export interface Agreement {
  readonly pictures: number;
  /** Decisive answers of the reference, and how many of them the form gives too. */
  readonly decisive: number;
  readonly matched: number;
  /** A detector's sure objects that the reference does not have; 0 for a classifier. */
  readonly extra: number;
  /** Mean change of the score of what both name, 0 to 1. */
  readonly scoreChange: number;
  /** Whether this is near enough to run the form in the reference's place. */
  readonly agrees: boolean;
}

/** Lead of the first label's score over the second's. */
export const CLEAR_LEAD = 0.1;
export const SURE_SCORE = 0.5;
/** What a sure object may have lost in the other form without being lost. */
const FAINT_SCORE = 0.4;
const LEAST_OVERLAP = 0.5;
/** Share of the decisive answers that may differ; one always may. */
export const MISSES = 0.1;
export const MOST_SCORE_CHANGE = 0.05;

/** Answers to one picture, best first. Detections: all of at least {@link FAINT_SCORE}. */
export type Answers = readonly ScoredLabel[];

/** What to ask a network for so that its answers can be compared. */
export const COMPARED = { topK: 2, threshold: FAINT_SCORE } as const;

interface Count {
  decisive: number;
  matched: number;
  extra: number;
  compared: number;
  change: number;
}

/** @param found as many as `expected`, in the same order */
export function compareAnswers(expected: readonly Answers[], found: readonly Answers[]): Agreement {
  const count: Count = { decisive: 0, matched: 0, extra: 0, compared: 0, change: 0 };
  for (const [index, answers] of expected.entries()) {
    const others = found[index] ?? [];
    const isDetection = [...answers, ...others].some(({ box }) => box !== null);
    if (isDetection) compareObjects(count, answers, others);
    else compareLabels(count, answers, others);
  }
  const { decisive, matched, extra, compared, change } = count;
  const allowed = Math.max(1, Math.floor(decisive * MISSES));
  const scoreChange = compared === 0 ? 0 : change / compared;
  const agrees =
    decisive - matched <= allowed && extra <= allowed && scoreChange <= MOST_SCORE_CHANGE;
  return { pictures: expected.length, decisive, matched, extra, scoreChange, agrees };
}

function compareLabels(count: Count, [first, second]: Answers, found: Answers): void {
  if (first === undefined) return;
  const same = found.find(({ index }) => index === first.index);
  count.compared += 1;
  // A label that fell out of the first two lost at least what it had above the second of them.
  const score = same?.score ?? Math.min(first.score, found.at(-1)?.score ?? 0);
  count.change += Math.abs(first.score - score);
  if (first.score - (second?.score ?? 0) < CLEAR_LEAD) return;
  count.decisive += 1;
  if (found[0]?.index === first.index) count.matched += 1;
}

function compareObjects(count: Count, expected: Answers, found: Answers): void {
  count.decisive += expected.filter(({ score }) => score >= SURE_SCORE).length;
  const left = new Set(found);
  for (const [object, match] of matchedObjects(expected, found)) {
    left.delete(match);
    count.compared += 1;
    count.change += Math.abs(match.score - object.score);
    if (object.score >= SURE_SCORE) count.matched += 1;
  }
  count.extra += [...left].filter(({ score }) => score >= SURE_SCORE).length;
}

/** The objects that are in both answers, each once; of labels without a place those of one class. */
export function matchedObjects(
  expected: Answers,
  found: Answers,
): (readonly [ScoredLabel, ScoredLabel])[] {
  const left = new Set(found);
  return expected.flatMap((object) => {
    const match = [...left].find((other) => isSame(object, other));
    if (match === undefined) return [];
    left.delete(match);
    return [[object, match] as const];
  });
}

function isSame(a: ScoredLabel, b: ScoredLabel): boolean {
  if (a.index !== b.index) return false;
  if (a.box === null || b.box === null) return a.box === b.box;
  return overlapOf(a.box, b.box) > LEAST_OVERLAP;
}
