import type { Example } from './head.js';
import type { HeadReport, LabelReport } from './report.js';

/** What a head is tried again with: its report, and of each label the opposite that looks most like it. */
export interface Tried {
  readonly report: HeadReport;
  /** Ids by label; null where there is none. */
  readonly hardest: readonly (string | null)[];
}

/** A difference of less is no matter of one picture. */
const WORTH_SAYING = 0.2;
const GOOD_RECALL = 0.9;
/** Of fewer pictures a share says little; of more, trying again costs more than it says. */
const EXAMPLES = { least: 5, most: 100 };

/** Of each label, the opposite that is told most like it by a fit that has not seen it. */
export function hardestOf(
  leftOut: readonly Float64Array[],
  examples: readonly Example[],
): (string | null)[] {
  return leftOut.map((told) => {
    let best: { readonly score: number; readonly id: string } | null = null;
    for (const [row, { label, id }] of examples.entries()) {
      const score = told[row] as number;
      if (label !== null || id === undefined || (best !== null && score <= best.score)) continue;
      best = { score, id };
    }
    return best?.id ?? null;
  });
}

/**
 * A threshold is never below the best score of a picture that is none of the labels. So one that shows the thing
 * after all, or as good as shows it, can silence a label, however many others there are. For the label that is
 * told worst the hardest one is left out on trial, and named where that makes much of a difference.
 *
 * @param without makes the report of all examples but one
 */
export function withBarrier(
  { report, hardest }: Tried,
  without: (id: string) => HeadReport,
): HeadReport {
  const { labels } = report;
  const isWeak = ({ recall, examples }: LabelReport) =>
    recall !== null && recall < GOOD_RECALL && examples >= EXAMPLES.least;
  if (report.examples + report.others > EXAMPLES.most) return report;
  const [worst] = labels.filter(isWeak).sort((a, b) => (a.recall ?? 0) - (b.recall ?? 0));
  const id = worst === undefined ? null : hardest[labels.indexOf(worst)];
  if (worst === undefined || id == null) return report;
  const recall = without(id).labels[labels.indexOf(worst)]?.recall ?? 0;
  if (recall - (worst.recall ?? 0) < WORTH_SAYING) return report;
  const heldBack = { id, recall };
  return {
    ...report,
    labels: labels.map((each) => (each === worst ? { ...each, heldBack } : each)),
  };
}
