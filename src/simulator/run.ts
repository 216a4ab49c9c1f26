import { createGovernor } from '../thermal/governor.js';
import type { GovernorMode, Rung, Sample, SensorFault } from '../thermal/sample.js';
import { type Board, boardLadder } from './boards.js';
import { createOracle, mixCommand } from './oracle.js';
import {
  type Controller,
  createReference,
  REFERENCE_NAMES,
  type ReferenceName,
} from './references.js';
import { logHeader, logLine } from './replay.js';
import type { Scenario } from './scenarios.js';
import { type Command, createWorld, type World } from './world.js';

export type GovernorName = 'mobilenetd' | 'oracle' | 'floor' | ReferenceName;
export const GOVERNOR_NAMES: readonly GovernorName[] = [
  'mobilenetd',
  'oracle',
  'floor',
  ...REFERENCE_NAMES,
];

/** One second of a run. */
export interface Point {
  readonly timeS: number;
  readonly dieC: number;
  readonly peakC: number;
  readonly readingC: number | null;
  readonly requestedFps: number;
  readonly deliveredFps: number;
  readonly score: number;
  /** Load made, fraction of a second per second. */
  readonly load: number;
  readonly budget: number;
  readonly rung: number;
  readonly low: number;
  readonly high: number;
  readonly fps: number;
  readonly ambientC: number;
  readonly foreign: number;
  readonly reason: string;
  readonly mode: GovernorMode | null;
  readonly fault: SensorFault | null;
}

export interface RunOptions {
  readonly board: Board;
  readonly scenario: Scenario;
  readonly governor: GovernorName;
  readonly seed: number;
  readonly ladder?: readonly Rung[];
  readonly heat?: readonly number[];
  readonly hideUtil?: boolean;
  readonly marginC?: number;
  /** Draws each second's frames from both rungs; otherwise one rung a second. */
  readonly mixFrames?: boolean;
  /** Takes the governor log (see replay.ts), line by line. */
  readonly log?: (line: string) => void;
}

/** Runs a governor on a board through a scenario, one second at a time. */
export function simulate(options: RunOptions): Point[] {
  const { board, scenario } = options;
  const ladder = options.ladder ?? boardLadder(board);
  const world = createWorld({
    board,
    ladder,
    scenario,
    seed: options.seed,
    ...(options.heat === undefined ? {} : { heat: options.heat }),
    ...(options.hideUtil === true ? { hideUtil: true } : {}),
  });
  const pilot = createPilot(options, ladder);
  const points: Point[] = [];
  let sample = world.first();
  while (world.timeS < scenario.durationS) {
    const move = pilot(world, sample);
    const outcome = world.advance(move.command);
    const point: Point = {
      timeS: outcome.timeS,
      dieC: world.dieC(),
      peakC: outcome.peakC,
      readingC: outcome.sample.tempC,
      requestedFps: outcome.requestedFps,
      deliveredFps: outcome.deliveredFps,
      score: outcome.score,
      load: loadOf(move.command, ladder),
      budget: move.budget ?? loadOf(move.command, ladder),
      rung: move.command.frames[0]?.[0] ?? 0,
      low: move.low,
      high: move.high,
      fps: move.fps,
      ambientC: outcome.conditions.ambientC,
      foreign: outcome.conditions.foreign,
      reason: move.reason,
      mode: move.mode,
      fault: move.fault,
    };
    points.push(point);
    sample = outcome.sample;
  }
  return points;
}

function loadOf(command: Command, ladder: readonly Rung[]): number {
  return command.frames.reduce((sum, [r, fps]) => sum + (fps * (ladder[r]?.costMs ?? 0)) / 1000, 0);
}

interface Move {
  readonly command: Command;
  readonly low: number;
  readonly high: number;
  readonly fps: number;
  readonly budget?: number;
  readonly reason: string;
  readonly mode: GovernorMode | null;
  readonly fault: SensorFault | null;
}

function createPilot(
  options: RunOptions,
  ladder: readonly Rung[],
): (world: World, sample: Sample) => Move {
  const { board, governor } = options;
  if (governor === 'oracle') {
    const oracle = createOracle(ladder, board.limitC, options.heat);
    return (world, sample) => moveOf(oracle(world, sample.requestedFps));
  }
  if (governor === 'floor') {
    return (_, sample) => moveOf({ frames: [[0, sample.requestedFps]] });
  }
  const marginC = options.marginC ?? 1.5;
  if (governor === 'mobilenetd') {
    const governorOptions = {
      ladder,
      limitC: board.limitC,
      requestedFps: board.requestedFps,
      marginC,
    };
    const g = createGovernor(governorOptions);
    options.log?.(logHeader(governorOptions));
    return (_, sample) => {
      const d = g.decide(sample);
      options.log?.(logLine(sample, d));
      const command =
        options.mixFrames === true ? mixCommand(d) : { frames: [[d.rung, d.fps] as const] };
      const { fps, budget, reason, mode, fault } = d;
      return { command, low: d.mix.low, high: d.mix.high, fps, budget, reason, mode, fault };
    };
  }
  const reference: Controller = createReference(governor, {
    ladder,
    limitC: board.limitC,
    marginC,
  });
  return (_, sample) => {
    const d = reference.decide(sample);
    return moveOf({ frames: [[d.rung, d.fps]] });
  };
}

function moveOf(command: Command): Move {
  const low = command.frames[0];
  const high = command.frames[command.frames.length - 1];
  return {
    command,
    low: low?.[0] ?? 0,
    high: high?.[0] ?? 0,
    fps: command.frames.reduce((sum, [, fps]) => sum + fps, 0),
    reason: '',
    mode: null,
    fault: null,
  };
}
