/**
 * A governor log: one JSON object a line. The first holds the options (`{"options": …}`), every
 * other one a sample and what was decided (`{"sample": …, "decision": …}`). The governor is
 * deterministic, so a log can be replayed bit by bit.
 */
import { codedError, messageOf } from '../errors.js';
import {
  createGovernor,
  type Decision,
  type GovernorOptions,
  type Sample,
} from '../thermal/governor.js';

/** What of a decision is compared. */
type Kept = Pick<Decision, 'rung' | 'fps' | 'mix' | 'budget' | 'reason'>;

export function logHeader(options: GovernorOptions): string {
  return `${JSON.stringify({ options })}\n`;
}

export function logLine(sample: Sample, decision: Decision): string {
  return `${JSON.stringify({ sample, decision: kept(decision) })}\n`;
}

export interface Replay {
  readonly decisions: number;
  /** Lines (1 is the header) whose decision differs from the recorded one; at most 100. */
  readonly differences: readonly {
    readonly line: number;
    readonly recorded: Kept;
    readonly replayed: Kept;
  }[];
  readonly samples: readonly Sample[];
  readonly replayed: readonly Decision[];
}

const MOST_DIFFERENCES = 100;

/** Runs a log through a new governor. Throws MND_USAGE when the text is no governor log. */
export function replayLog(text: string): Replay {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const header = parse(lines[0] ?? '', 1) as { options?: GovernorOptions };
  if (header.options === undefined || !Array.isArray(header.options.ladder))
    throw notALog(1, 'no options');
  const governor = createGovernor(header.options);
  const differences: Replay['differences'][number][] = [];
  const samples: Sample[] = [];
  const replayed: Decision[] = [];
  lines.slice(1).forEach((line, index) => {
    const entry = parse(line, index + 2) as { sample?: Sample; decision?: Kept };
    if (entry.sample === undefined || entry.decision === undefined)
      throw notALog(index + 2, 'no sample');
    const decision = governor.decide(entry.sample);
    samples.push(entry.sample);
    replayed.push(decision);
    const again = kept(decision);
    const same = JSON.stringify(again) === JSON.stringify(entry.decision);
    if (!same && differences.length < MOST_DIFFERENCES) {
      differences.push({ line: index + 2, recorded: entry.decision, replayed: again });
    }
  });
  return { decisions: replayed.length, differences, samples, replayed };
}

function kept(d: Decision): Kept {
  return { rung: d.rung, fps: d.fps, mix: d.mix, budget: d.budget, reason: d.reason };
}

function parse(line: string, number: number): object {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    throw notALog(number, messageOf(error));
  }
  throw notALog(number, 'not an object');
}

function notALog(line: number, found: string): Error {
  return codedError('MND_USAGE', {
    subject: `governor log, line ${line}`,
    expected: 'a log of `mobilenetd simulate --record`',
    found,
  });
}
