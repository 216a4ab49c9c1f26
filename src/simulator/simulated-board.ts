import { codedError } from '../errors.js';
import { BOARDS, type Board, findBoard } from './boards.js';
import { settledPlant, stepPlant, throttleFlags } from './plant.js';
import { createRandom } from './random.js';

/** A board that stands in for the machine's sensor, e.g. in the demo. */
export interface SimulatedBoard {
  readonly board: Board;
  /** Simulated time, s. */
  readonly timeS: number;
  /** The die itself, without the sensor's lag, noise and steps, °C. */
  readonly dieC: number;
  /** Name of the weather of now; empty where there is none. */
  readonly weather: string;
  /**
   * Advances by `dtS` of real time (`dtS · speed` simulated) under a CPU utilisation (0 to 1), and
   * reads the sensor.
   */
  step(dtS: number, load: number): { readonly tempC: number; readonly throttledFlags: number };
}

export interface SimulatedBoardOptions {
  /** Name of a board of boards.ts. */
  readonly board: string;
  /** Simulated seconds per second, default 1. */
  readonly speed?: number;
  readonly seed?: number;
  readonly ambientC?: number;
  /** What comes over the board, again and again; default: nothing. */
  readonly weather?: readonly Weather[];
}

/** A stretch of weather. */
export interface Weather {
  readonly name: string;
  readonly forS: number;
  /** Sunlight absorbed by the housing, W. */
  readonly sunW: number;
  /** Added to the air's temperature, °C. */
  readonly warmerC: number;
}

/** A quarter of an hour of sun, then as long of shade and cooler air. */
export const SUN_AND_SHADE: readonly Weather[] = [
  { name: 'in the sun', forS: 900, sunW: 1, warmerC: 0 },
  { name: 'in the shade', forS: 900, sunW: 0, warmerC: -18 },
];

/** Throws MND_USAGE when no board has this name. */
export function simulatedBoard(options: SimulatedBoardOptions): SimulatedBoard {
  const board = requireBoard(options.board);
  const speed = options.speed ?? 1;
  const random = createRandom(options.seed ?? 1);
  const ambientC = options.ambientC ?? 25;
  const course = options.weather ?? [];
  const around = { ambientC, sunW: 0, fanWorks: true };
  const plant = settledPlant(board.plant, around, 0.03);
  let seen = plant.dieC;
  let timeS = 0;
  return {
    board,
    get timeS() {
      return timeS;
    },
    get weather() {
      return weatherAt(course, timeS)?.name ?? '';
    },
    get dieC() {
      return plant.dieC;
    },
    step(dtS, load) {
      const simulated = Number.isFinite(dtS) ? Math.min(86_400, Math.max(0, dtS * speed)) : 0;
      const util = Number.isFinite(load) ? Math.min(1, Math.max(0, load)) : 0;
      if (simulated > 0) {
        const now = weatherAt(course, timeS);
        const air = {
          ...around,
          ambientC: ambientC + (now?.warmerC ?? 0),
          sunW: now?.sunW ?? 0,
        };
        stepPlant(board.plant, plant, air, util, simulated);
      }
      timeS += simulated;
      const { lagS, noiseC, stepC } = board.sensor;
      seen += (plant.dieC - seen) * (lagS > 0 ? 1 - Math.exp(-simulated / lagS) : 1);
      const noisy = seen + noiseC * random.normal();
      return {
        tempC: stepC > 0 ? Math.round(noisy / stepC) * stepC : noisy,
        throttledFlags: throttleFlags(plant),
      };
    },
  };
}

/** The board with this name. Throws MND_USAGE and names the boards there are. */
export function requireBoard(name: string): Board {
  const board = findBoard(name);
  if (board !== undefined) return board;
  throw codedError('MND_USAGE', {
    subject: `--board ${name}`,
    expected: `one of ${BOARDS.map((b) => b.name).join(', ')}`,
    found: 'no such board',
  });
}

function weatherAt(course: readonly Weather[], timeS: number): Weather | undefined {
  const all = course.reduce((sum, { forS }) => sum + forS, 0);
  let left = all > 0 ? timeS % all : 0;
  return course.find(({ forS }) => {
    left -= forS;
    return left < 0;
  });
}
