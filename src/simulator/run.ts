import type { GovernorMode, Mix, Rung, Sample, SensorFault } from '../thermal/sample.js';
import { boardLadder } from './board-ladder.js';
import type { Board } from './boards.js';
import type { Scenario } from './scenarios.js';
import { type Command, createWorld, type World } from './world.js';

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
  /** Share of the frames that `high` gets, 0 to 1. */
  readonly fraction: number;
  readonly fps: number;
  readonly ambientC: number;
  readonly foreign: number;
  readonly reason: string;
  readonly mode: GovernorMode | null;
  readonly fault: SensorFault | null;
}

/** What a governor asks of the next second, and what it says of it. */
export interface Move {
  readonly command: Command;
  readonly low: number;
  readonly high: number;
  /** Share of the frames that `high` gets, 0 to 1. */
  readonly fraction: number;
  readonly fps: number;
  readonly budget?: number;
  readonly reason: string;
  readonly mode: GovernorMode | null;
  readonly fault: SensorFault | null;
}

/** Decides once a second. Only a clairvoyant looks at the world. */
export type Pilot = (world: World, sample: Sample) => Move;

export interface RunOptions {
  readonly board: Board;
  readonly scenario: Scenario;
  readonly pilot: Pilot;
  readonly seed: number;
  readonly ladder?: readonly Rung[];
  readonly heat?: readonly number[];
  readonly hideUtil?: boolean;
}

/** Runs a governor on a board through a scenario. */
export function simulate(options: RunOptions): Point[] {
  return [...flight(options)];
}

/** The same, one second at a time: whoever draws from it can stop, or show how far it is. */
export function* flight(options: RunOptions): Generator<Point, void, undefined> {
  const { board, scenario, pilot, seed, heat, hideUtil } = options;
  const ladder = options.ladder ?? boardLadder(board);
  const world = createWorld({
    board,
    ladder,
    scenario,
    seed,
    ...(heat === undefined ? {} : { heat }),
    ...(hideUtil === true ? { hideUtil } : {}),
  });
  let sample = world.first();
  while (world.timeS < scenario.durationS) {
    const move = pilot(world, sample);
    const outcome = world.advance(move.command);
    yield {
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
      fraction: move.fraction,
      fps: move.fps,
      ambientC: outcome.conditions.ambientC,
      foreign: outcome.conditions.foreign,
      reason: move.reason,
      mode: move.mode,
      fault: move.fault,
    };
    sample = outcome.sample;
  }
}

function loadOf(command: Command, ladder: readonly Rung[]): number {
  return command.frames.reduce((sum, [r, fps]) => sum + (fps * (ladder[r]?.costMs ?? 0)) / 1000, 0);
}

/** The frames of an allocation, by rung. */
export function mixFrames(a: { readonly mix: Mix; readonly fps: number }): Command['frames'] {
  const { low, high, fraction } = a.mix;
  if (low === high) return [[low, a.fps]];
  return [
    [low, a.fps * (1 - fraction)],
    [high, a.fps * fraction],
  ];
}

/** A move of one who has nothing to say about it. */
export function moveOf(frames: Command['frames']): Move {
  const fps = frames.reduce((sum, [, each]) => sum + each, 0);
  const [high, highFps] = frames[frames.length - 1] ?? [0, 0];
  return {
    command: { frames },
    low: frames[0]?.[0] ?? 0,
    high,
    fraction: fps > 0 ? highFps / fps : 0,
    fps,
    reason: '',
    mode: null,
    fault: null,
  };
}
