import type { HeadReport } from './report.js';

/** What a person who teaches should do next. */
export interface Advice {
  readonly code:
    | 'too_few'
    | 'imbalance'
    | 'no_opposite'
    | 'small_crops'
    | 'confused'
    | 'held_back'
    | 'weak'
    | 'good';
  /** The label it is about; null for all of it. */
  readonly label: string | null;
  /** A plain sentence. */
  readonly text: string;
}

export interface AdviceInput {
  /** Pictures of each label. */
  readonly counts: ReadonlyMap<string, number>;
  /** Pictures of none of these. */
  readonly others: number;
  /** Shorter side of each label's smallest crop, pixels of the frame; absent: unknown. */
  readonly sizes?: ReadonlyMap<string, number>;
  /** Absent until something could be trained: nothing is called good then. */
  readonly report?: HeadReport;
}

/** Pictures from which on a label's own figures say something. */
const FEW = 5;
const FEW_OTHERS = 20;
const MAX_RATIO = 3;
const MIN_SIDE = 80;
/** Share of a label's pictures that is named rightly. */
const GOOD_RECALL = 0.9;

/** What to do next, the most useful first; `good` alone when it was measured and nothing is left. */
export function advice({ counts, others, sizes, report }: AdviceInput): Advice[] {
  const found: Advice[] = [];
  const say = (code: Advice['code'], label: string | null, text: string) =>
    found.push({ code, label, text });
  for (const [label, count] of counts) {
    if (count >= FEW) continue;
    say(
      'too_few',
      label,
      `${label} has ${pictures(count)}: add ${FEW - count} or more, each from another side or in another light.`,
    );
  }
  if (others < FEW_OTHERS) {
    say(
      'no_opposite',
      null,
      `${others === 1 ? 'There is' : 'There are'} ${others === 0 ? 'no pictures' : pictures(others)} without any of these: add ${FEW_OTHERS - others} or more of the empty place and of what looks alike.`,
    );
  }
  const largest = Math.max(...counts.values());
  for (const [label, count] of counts) {
    if (count * MAX_RATIO >= largest) continue;
    say(
      'imbalance',
      label,
      `${label} has ${pictures(count)}, another label has ${largest}: add some until it has a third of that.`,
    );
  }
  for (const [label, side] of sizes ?? []) {
    if (side >= MIN_SIDE) continue;
    say(
      'small_crops',
      label,
      `${label} is only ${side} pixels small in a picture: come nearer, or use a larger picture.`,
    );
  }
  if (report === undefined) return found;
  found.push(...fromReport(report));
  if (found.length === 0) say('good', null, 'It tells these apart well enough to be used.');
  return found;
}

function fromReport(report: HeadReport): Advice[] {
  return report.labels.flatMap(({ label, recall, examples, rival, heldBack }): Advice[] => {
    if (recall === null || recall >= GOOD_RECALL || examples < FEW) return [];
    const missed = (1 - recall) * examples;
    const share = percent(recall);
    if (heldBack !== null) {
      const rest = percent(heldBack.recall);
      return [
        {
          code: 'held_back',
          label,
          text: `${label} is told in ${share} of its pictures, and in about ${rest} without one picture of the opposite that looks like it, which mobilenetd teach --report names: take that one out if it shows ${label}, else add more of the opposite.`,
        },
      ];
    }
    if (rival !== null && rival.times * 2 >= missed) {
      return [
        {
          code: 'confused',
          label,
          text: `${label} is told in ${share} of its pictures, and ${rival.times} of them look more like ${rival.label}: add pictures of both that show where they differ.`,
        },
      ];
    }
    return [
      {
        code: 'weak',
        label,
        text: `${label} is told in ${share} of its pictures: add pictures like those that are missed.`,
      },
    ];
  });
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function pictures(count: number): string {
  return count === 0 ? 'no picture' : count === 1 ? 'one picture' : `${count} pictures`;
}
