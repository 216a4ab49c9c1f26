/** The bars the governor is held to, measured on every board, scenario and seed. */
import { boardLadder } from '#mobilenetd/simulator/board-ladder.js';
import type { Board } from '#mobilenetd/simulator/boards.js';
import { type Point, simulate } from '#mobilenetd/simulator/run.js';
import { createScenario, type Scenario } from '#mobilenetd/simulator/scenarios.js';
import { type RunScore, scoreRun } from '#mobilenetd/simulator/score.js';
import { type ContestantName, createContestant } from './references.js';
import { isFeasible, recoveryS } from './score.js';

export interface BenchRun {
  readonly board: string;
  readonly scenario: string;
  readonly seed: number;
  readonly feasible: boolean;
  readonly score: RunScore;
  readonly oracle: RunScore;
  readonly floor: RunScore;
  /** Quality points below the oracle. */
  readonly gap: number;
  /** Seconds at the limit in which neither the oracle nor the floor is. */
  readonly avoidableS: number;
  /** Peak beyond limit − 0.5 °C or what the oracle or the floor reach, °C; ≤ 0 is well. */
  readonly peakOverC: number;
  /** The scenario has a sensor fault. */
  readonly faulty: boolean;
  /** Seconds in fault while the sensor was sound. */
  readonly falseAlarmS: number;
  /** Seconds to 99 % of the earlier quality, beyond 3 minutes or the oracle's; ≤ 0 is well. */
  readonly recoveryOverS: number | null;
  /**
   * Budget variation that no neighbour's step explains, relative to all of step_wise's; null where
   * that hardly moves. Where a greedy governor reaches the limit, sun or neighbour alone take nearly
   * everything: what the planning oracle varies there is explained, too.
   */
  readonly variationRatio: number | null;
  /** Changes of the rung pair an hour in the second half; nominal only. */
  readonly steadyPairChanges: number | null;
}

export interface Figure {
  readonly bar: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  readonly runs: number;
  readonly pass: boolean;
  /** The run that decides. */
  readonly worst: string;
}

/** After a fault the governor may need this long to believe the sensor again. */
const BELIEVE_AGAIN_S = 60;
/** step_wise below this variation (per hour) is no yardstick. */
const LEAST_VARIATION = 6;
const RECOVERY_S = 180;

const MARGIN_C = 1.5;

/** A contestant on a board through a scenario, each drawn from the seed. */
export function contest(
  board: Board,
  name: string,
  contestant: ContestantName,
  seed: number,
): Point[] {
  const { limitC, requestedFps } = board;
  const ladder = boardLadder(board);
  const options = { ladder, limitC, requestedFps, marginC: MARGIN_C };
  const pilot = createContestant(contestant, options);
  return simulate({ board, scenario: scenarioOf(name, seed), pilot, seed });
}

export function benchRun(board: Board, name: string, seed: number): BenchRun {
  const run = (contestant: ContestantName) => contest(board, name, contestant, seed);
  const scenario = scenarioOf(name, seed);
  const oraclePoints = run('oracle');
  const points = run('mobilenetd');
  const oracle = scoreRun(oraclePoints, board.limitC);
  const floorPoints = run('floor');
  const floor = scoreRun(floorPoints, board.limitC);
  const score = scoreRun(points, board.limitC);
  const allowedPeak = Math.max(-0.5, oracle.peakC, floor.peakC);
  return {
    board: board.name,
    scenario: name,
    seed,
    feasible: isFeasible(oracle, floor),
    score,
    oracle,
    floor,
    gap: oracle.quality - score.quality,
    avoidableS: points.filter((p, i) => {
      const others = Math.max(oraclePoints[i]?.peakC ?? 0, floorPoints[i]?.peakC ?? 0);
      return p.peakC >= board.limitC && others < board.limitC;
    }).length,
    peakOverC: score.peakC - allowedPeak,
    faulty: scenario.faults.length > 0,
    falseAlarmS: points.filter((p) => isFalseAlarm(p, scenario)).length,
    recoveryOverS: recoveryOver(points, oraclePoints, scenario),
    variationRatio: scenario.restless
      ? variationRatio(
          unexplained(points) - (isFeasible(oracle, floor) ? 0 : unexplained(run('planner'))),
          scoreRun(run('step-wise'), board.limitC),
        )
      : null,
    steadyPairChanges:
      name === 'nominal'
        ? scoreRun(points.slice(points.length / 2), board.limitC).pairChanges
        : null,
  };
}

function scenarioOf(name: string, seed: number): Scenario {
  const scenario = createScenario(name, seed);
  if (scenario === undefined) throw new RangeError(`no scenario ${name}`);
  return scenario;
}

/** What a neighbour takes or leaves is answered within so many seconds. */
const ANSWER_S = 3;
/** Share of the CPU that a full inference load takes here. */
const SHARE = 0.9;

/** Σ |change of the budget| an hour beyond what the neighbours' changes just before explain. */
function unexplained(points: readonly Point[]): number {
  let sum = 0;
  points.forEach((point, i) => {
    const before = points[i - 1];
    if (before === undefined) return;
    let explained = 0;
    for (let back = 0; back < ANSWER_S; back += 1) {
      const [now, then] = [points[i - back], points[i - back - 1]];
      if (now !== undefined && then !== undefined) {
        explained += Math.abs(now.foreign - then.foreign) / SHARE;
      }
    }
    sum += Math.max(0, Math.abs(point.budget - before.budget) - explained);
  });
  return sum / (points.length / 3600);
}

function isFalseAlarm(point: Point, scenario: Scenario): boolean {
  if (point.fault === null) return false;
  return !scenario.faults.some(
    (f) => point.timeS >= f.fromS && point.timeS <= f.untilS + BELIEVE_AGAIN_S,
  );
}

function recoveryOver(
  points: readonly Point[],
  oracle: readonly Point[],
  scenario: Scenario,
): number | null {
  const { calmFromS, disturbedFromS } = scenario;
  if (calmFromS === null || disturbedFromS === null) return null;
  const own = recoveryS(points, disturbedFromS, calmFromS);
  const best = recoveryS(oracle, disturbedFromS, calmFromS);
  return own - Math.max(RECOVERY_S, best);
}

function variationRatio(variation: number, stepWise: RunScore): number | null {
  if (stepWise.budgetVariation < LEAST_VARIATION) return null;
  return variation / stepWise.budgetVariation;
}

/** Every bar with its figure over the runs given. */
export function figures(runs: readonly BenchRun[]): Figure[] {
  const feasible = runs.filter((r) => r.feasible);
  const sound = feasible.filter((r) => !r.faulty);
  const faults = feasible.filter((r) => r.faulty);
  const restless = runs.filter((r) => ['square-wave', 'spikes', 'sun-shade'].includes(r.scenario));
  const worst = (
    bar: string,
    unit: string,
    limit: number,
    of: readonly BenchRun[],
    value: (r: BenchRun) => number | null,
  ): Figure => {
    const valued = of.flatMap((r) => {
      const v = value(r);
      return v === null ? [] : [{ r, v }];
    });
    const top = valued.reduce<{ r: BenchRun; v: number } | null>(
      (best, x) => (best === null || x.v > best.v ? x : best),
      null,
    );
    const label = top === null ? '' : `${top.r.board} ${top.r.scenario} ${top.r.seed}`;
    return {
      bar,
      unit,
      limit,
      value: top?.v ?? 0,
      runs: valued.length,
      pass: (top?.v ?? 0) <= limit,
      worst: label,
    };
  };
  const mean = (bar: string, limit: number, of: readonly BenchRun[]): Figure => {
    const value = of.reduce((sum, r) => sum + r.gap, 0) / Math.max(1, of.length);
    const widest = worst('', '', 0, of, (r) => r.gap);
    const runs = of.length;
    return { bar, unit: 'points', limit, value, runs, pass: value <= limit, worst: widest.worst };
  };
  return [
    worst('feasible: seconds at or above the limit', 's', 0, sound, (r) => r.score.secondsAtLimit),
    worst('feasible: peak beyond limit − 0.5 °C', '°C', 0, sound, (r) => r.peakOverC),
    mean('feasible: mean quality gap to the oracle', 1.4, feasible),
    worst(
      'infeasible: avoidable seconds',
      's',
      5,
      runs.filter((r) => !r.feasible),
      (r) => r.avoidableS,
    ),
    worst(
      'sensor fault: seconds at or above the limit',
      's',
      2,
      faults,
      (r) => r.score.secondsAtLimit,
    ),
    mean('sensor fault: mean quality gap to the oracle', 2.5, faults),
    worst('sound sensor: seconds of false alarm', 's', 0, runs, (r) => r.falseAlarmS),
    worst('restless: avoidable seconds', 's', 0, restless, (r) => Math.max(0, r.avoidableS)),
    worst(
      "restless: unexplained budget variation / step_wise's",
      '',
      1 / 3,
      restless,
      (r) => r.variationRatio,
    ),
    worst(
      'feasible: recovery beyond 3 min or the oracle',
      's',
      0,
      feasible,
      (r) => r.recoveryOverS,
    ),
    worst('steady: rung pair changes an hour', '1/h', 12, runs, (r) => r.steadyPairChanges),
  ];
}
