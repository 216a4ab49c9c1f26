import { codedError } from '#mobilenetd/errors.js';
import { type PlantParameters, stepPlant } from '#mobilenetd/simulator/plant.js';

/** One line of a board's log. */
export interface LogPoint {
  readonly timeS: number;
  readonly tempC: number;
  /** CPU utilisation since the line before, 0 to 1. */
  readonly load: number;
}

export interface FitOptions {
  readonly ambientC: number;
  /** Wall power at idle and with all cores busy, W. */
  readonly idleW: number;
  readonly fullW: number;
  /** Start of the search: a similar board. */
  readonly start: PlantParameters;
}

export interface Fit {
  readonly plant: PlantParameters;
  /** Root mean square of (log − plant), °C. */
  readonly errorC: number;
  readonly worstC: number;
}

const LEAST_POINTS = 120;
const KEYS = ['dieToBoardKW', 'boardOutKW', 'caseOutKW', 'dieJK', 'boardJK', 'caseJK'] as const;
const ROUNDS = 60;

/** Reads `time,temperature,load` lines (s, °C, 0 to 1). Throws MND_INPUT_MISSING when too few. */
export function parseLog(text: string): LogPoint[] {
  const points: LogPoint[] = [];
  for (const line of text.split('\n')) {
    const [timeS, tempC, load] = line.split(/[,;\s]+/).map(Number);
    if (timeS === undefined || tempC === undefined || load === undefined) continue;
    if (![timeS, tempC, load].every(Number.isFinite)) continue;
    points.push({ timeS, tempC, load: Math.min(1, Math.max(0, load)) });
  }
  const span = (points[points.length - 1]?.timeS ?? 0) - (points[0]?.timeS ?? 0);
  const loads = points.map((p) => p.load);
  const swing = loads.length === 0 ? 0 : Math.max(...loads) - Math.min(...loads);
  if (points.length < LEAST_POINTS || span < 300 || swing < 0.5) {
    throw codedError('MND_INPUT_MISSING', {
      subject: 'board log',
      expected: `${LEAST_POINTS} lines "seconds,°C,load" over 5 minutes, idle and full load`,
      found: `${points.length} lines over ${span.toFixed(0)} s, loads differ by ${swing.toFixed(2)}`,
    });
  }
  return points;
}

/**
 * Fits the plant's resistances and capacities by a pattern search on their logarithms: every key
 * is tried a step up and down, steps shrink when nothing helps. Throttled stretches are no
 * trouble: the plant throttles too.
 */
export function fitPlant(log: readonly LogPoint[], options: FitOptions): Fit {
  const dynamicW = Math.max(0.5, options.fullW - options.idleW);
  let plant: PlantParameters = {
    ...options.start,
    dynamicW,
    idleDieW: options.idleW * 0.4,
    boardW: Math.max(0.1, options.idleW * 0.6 - options.start.leakageW * 0.5),
  };
  const keys = KEYS.filter((key) => plant.caseJK > 0 || !key.startsWith('case'));
  let step = 0.3;
  let best = residual(plant, log, options.ambientC).squared;
  for (let round = 0; round < ROUNDS && step > 0.005; round += 1) {
    let better = false;
    for (const key of keys) {
      for (const factor of [Math.exp(step), Math.exp(-step)]) {
        const trial = { ...plant, [key]: plant[key] * factor };
        const squared = residual(trial, log, options.ambientC).squared;
        if (squared >= best) continue;
        best = squared;
        plant = trial;
        better = true;
      }
    }
    if (!better) step /= 2;
  }
  const { worstC } = residual(plant, log, options.ambientC);
  return { plant, errorC: Math.sqrt(best / log.length), worstC };
}

function residual(
  plant: PlantParameters,
  log: readonly LogPoint[],
  ambientC: number,
): { readonly squared: number; readonly worstC: number } {
  const first = log[0];
  if (first === undefined) return { squared: 0, worstC: 0 };
  // At the start the board has idled long: heat flows through the resistances in balance.
  const state = balanced(plant, first, ambientC);
  const around = { ambientC, sunW: 0, fanWorks: true };
  let squared = 0;
  let worstC = 0;
  let timeS = first.timeS;
  for (const point of log) {
    const dt = Math.min(60, Math.max(0, point.timeS - timeS));
    if (dt > 0) stepPlant(plant, state, around, point.load, dt);
    timeS = point.timeS;
    const error = state.dieC - point.tempC;
    squared += error * error;
    worstC = Math.max(worstC, Math.abs(error));
  }
  return { squared: Number.isFinite(squared) ? squared : Number.MAX_VALUE, worstC };
}

function balanced(plant: PlantParameters, first: LogPoint, ambientC: number) {
  const chipW = plant.idleDieW + plant.dynamicW * first.load + plant.leakageW * 0.5;
  const boardC = first.tempC - chipW * plant.dieToBoardKW;
  const share = plant.caseJK > 0 ? plant.caseOutKW / (plant.caseOutKW + plant.boardOutKW) : 0;
  return {
    dieC: first.tempC,
    boardC,
    caseC: ambientC + share * Math.max(0, boardC - ambientC),
    fanDuty: 0,
    clock: 1,
    throttled: false,
    stepped: false,
  };
}
