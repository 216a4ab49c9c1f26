/** The goals of the governor beside other programs and failing sensors, family by family. */
import { boardLadder } from '#mobilenetd/simulator/board-ladder.js';
import type { Board } from '#mobilenetd/simulator/boards.js';
import { type Point, simulate } from '#mobilenetd/simulator/run.js';
import { createScenario } from '#mobilenetd/simulator/scenarios.js';
import { scoreRun } from '#mobilenetd/simulator/score.js';
import { FAMILIES, FAMILY_DRAFTS, type Family } from './families.js';
import { type ContestantName, createContestant } from './references.js';
import { isFeasible } from './score.js';

/** One board in one course. */
export interface FamilyRun {
  readonly family: string;
  readonly board: string;
  readonly seed: number;
  /** Neither the reference nor the cheapest rung reaches the limit. */
  readonly feasible: boolean;
  /** Points of quality below the reference. */
  readonly gap: number;
  /** Seconds at the limit in which neither the reference nor the cheapest rung is. */
  readonly avoidableS: number;
}

export interface FamilyFigure {
  readonly family: string;
  readonly says: string;
  readonly runs: number;
  readonly meanGap: number;
  readonly worstGap: number;
  readonly goalGap: number;
  readonly worstS: number;
  readonly goalS: number;
  readonly pass: boolean;
  /** The run with the widest gap. */
  readonly widest: string;
}

const MARGIN_C = 1.5;

/**
 * Who asks the governor: one who runs a rung for each whole second, or one who mixes frame by frame and
 * tells its own CPU time, as the daemon does.
 */
export type Caller = 'seconds' | 'frames';

/** Throws RangeError where there is no family of that name. */
export function familyRun(
  board: Board,
  name: string,
  seed: number,
  caller: Caller = 'seconds',
): FamilyRun {
  const family = familyOf(name);
  const run = (contestant: ContestantName) => fly(board, name, contestant, seed, caller);
  const [best, floor, own] = [run(family.reference), run('floor'), run('mobilenetd')];
  const { limitC } = board;
  const [bestScore, floorScore] = [scoreRun(best, limitC), scoreRun(floor, limitC)];
  return {
    family: name,
    board: board.name,
    seed,
    feasible: isFeasible(bestScore, floorScore),
    gap: bestScore.quality - scoreRun(own, limitC).quality,
    avoidableS: own.filter((point, i) => {
      const othersC = Math.max(best[i]?.peakC ?? 0, floor[i]?.peakC ?? 0);
      return point.peakC >= limitC && othersC < limitC;
    }).length,
  };
}

function fly(
  board: Board,
  name: string,
  contestant: ContestantName,
  seed: number,
  caller: Caller,
): Point[] {
  const { limitC, requestedFps } = board;
  const mixFrames = caller === 'frames';
  const ladder = boardLadder(board);
  const scenario = createScenario(name, seed, FAMILY_DRAFTS);
  if (scenario === undefined) throw new RangeError(`no family ${name}`);
  const rules = { ladder, limitC, requestedFps, marginC: MARGIN_C };
  const pilot = createContestant(contestant, { ...rules, mixFrames });
  const senses = { ...scenario.senses, ownCpu: mixFrames };
  return simulate({ board, scenario: { ...scenario, senses }, pilot, seed });
}

function familyOf(name: string): Family {
  const family = FAMILIES[name];
  if (family === undefined) throw new RangeError(`no family ${name}`);
  return family;
}

/** What the runs of each family come to, and whether that is the goal. */
export function familyFigures(runs: readonly FamilyRun[]): FamilyFigure[] {
  return [...new Set(runs.map(({ family }) => family))].map((name) => {
    const { says, gap, atLimitS } = familyOf(name);
    const of = runs.filter(({ family }) => family === name);
    const feasible = of.filter((run) => run.feasible);
    const meanGap = feasible.reduce((sum, run) => sum + run.gap, 0) / Math.max(1, feasible.length);
    const widest = [...feasible].sort((a, b) => b.gap - a.gap)[0];
    const worstS = Math.max(0, ...feasible.map(({ avoidableS }) => avoidableS));
    return {
      family: name,
      says,
      runs: feasible.length,
      meanGap,
      worstGap: widest?.gap ?? 0,
      goalGap: gap,
      worstS,
      goalS: atLimitS,
      pass: meanGap <= gap && worstS <= atLimitS,
      widest: widest === undefined ? '' : `${widest.board} ${widest.seed}`,
    };
  });
}
