/**
 * A board as a lumped resistance-capacitance network of two or three nodes (die, circuit board,
 * case), with leakage that grows with temperature, natural convection, a fan and the firmware's
 * throttling. Units: W, K/W, J/K, °C, s.
 */
export interface PlantParameters {
  /** Power of the idle chip. */
  readonly idleDieW: number;
  /** Power of the rest of the board. */
  readonly boardW: number;
  /** Power added by a CPU that is fully busy at full clock. */
  readonly dynamicW: number;
  /** Leakage at 60 °C; it doubles every 30 °C. */
  readonly leakageW: number;
  readonly dieJK: number;
  readonly boardJK: number;
  /** 0 for a board without a case. */
  readonly caseJK: number;
  readonly dieToBoardKW: number;
  /** Board to case air, or to ambient when there is no case; at 30 °C difference, fan off. */
  readonly boardOutKW: number;
  readonly caseOutKW: number;
  readonly fan: Fan | null;
  readonly throttle: Throttle;
}

export interface Fan {
  /** [on at °C, duty 0 to 1], rising; each step switches off 5 °C lower. */
  readonly steps: readonly (readonly [number, number])[];
  /** The board's conductance is multiplied by 1 + boost · duty. */
  readonly boost: number;
}

export interface Throttle {
  /** The clock falls linearly from `softC` (to 1) to `hardC` (to `minClock`). */
  readonly softC: number;
  readonly hardC: number;
  readonly minClock: number;
  /** The 3B+'s soft limit: above it the clock is `softClock`; null where there is none. */
  readonly stepC: number | null;
  readonly stepClock: number;
}

export interface PlantState {
  dieC: number;
  boardC: number;
  caseC: number;
  fanDuty: number;
  clock: number;
  throttled: boolean;
  stepped: boolean;
}

export interface Surroundings {
  readonly ambientC: number;
  readonly sunW: number;
  readonly fanWorks: boolean;
}

const HYSTERESIS_C = 5;
const THROTTLE_HYSTERESIS_C = 2;
const MAX_STEP_S = 0.25;

/** The plant as it stands after long at `util` (0 to 1 of the CPU). */
export function settledPlant(p: PlantParameters, around: Surroundings, util: number): PlantState {
  const state: PlantState = {
    dieC: around.ambientC + 20,
    boardC: around.ambientC + 15,
    caseC: around.ambientC + 8,
    fanDuty: 0,
    clock: 1,
    throttled: false,
    stepped: false,
  };
  // Long steps would be unstable for the fast nodes: relax them towards balance instead.
  for (let i = 0; i < 20_000; i += 1)
    stepOnce(
      { ...p, boardJK: p.dieJK * 3, caseJK: p.caseJK > 0 ? p.dieJK * 6 : 0 },
      state,
      around,
      util,
      MAX_STEP_S,
    );
  return state;
}

/** Advances `state` by `dtS` under a CPU utilisation (heat-weighted, may exceed 1 a little). */
export function stepPlant(
  p: PlantParameters,
  state: PlantState,
  around: Surroundings,
  util: number,
  dtS: number,
): void {
  const steps = Math.max(1, Math.ceil(dtS / MAX_STEP_S));
  for (let i = 0; i < steps; i += 1) stepOnce(p, state, around, util, dtS / steps);
}

function stepOnce(
  p: PlantParameters,
  s: PlantState,
  around: Surroundings,
  util: number,
  dt: number,
): void {
  updateFan(p.fan, s, around.fanWorks);
  updateClock(p.throttle, s);
  // Voltage follows the clock, so dynamic power falls faster than the clock.
  const dynamic = p.dynamicW * Math.max(0, util) * s.clock ** 2;
  const leakage = p.leakageW * 2 ** (Math.min(s.dieC, 130) / 30 - 2);
  const dieToBoard = (s.dieC - s.boardC) / p.dieToBoardKW;
  const boost = p.fan === null ? 1 : 1 + p.fan.boost * s.fanDuty;
  const outside = p.caseJK > 0 ? s.caseC : around.ambientC;
  const boardOut = convection(s.boardC - outside, p.boardOutKW / boost);
  s.dieC += (dt * (p.idleDieW + dynamic + leakage - dieToBoard)) / p.dieJK;
  const sunOnBoard = p.caseJK > 0 ? 0 : around.sunW;
  s.boardC += (dt * (p.boardW + sunOnBoard + dieToBoard - boardOut)) / p.boardJK;
  if (p.caseJK > 0) {
    const caseOut = convection(s.caseC - around.ambientC, p.caseOutKW / (1 + 0.3 * (boost - 1)));
    s.caseC += (dt * (around.sunW + boardOut - caseOut)) / p.caseJK;
  }
}

/** Natural convection and radiation: conductance grows with the fifth root of the difference. */
function convection(deltaC: number, resistanceKW: number): number {
  const scale = Math.max(0.2, Math.abs(deltaC) / 30) ** 0.2;
  return (deltaC / resistanceKW) * scale;
}

function updateFan(fan: Fan | null, s: PlantState, works: boolean): void {
  if (fan === null || !works) {
    s.fanDuty = 0;
    return;
  }
  let duty = 0;
  for (const [onC, stepDuty] of fan.steps) {
    const threshold = s.fanDuty >= stepDuty ? onC - HYSTERESIS_C : onC;
    if (s.dieC >= threshold) duty = stepDuty;
  }
  s.fanDuty = duty;
}

function updateClock(t: Throttle, s: PlantState): void {
  s.throttled = s.dieC >= t.softC || (s.throttled && s.dieC > t.softC - THROTTLE_HYSTERESIS_C);
  s.stepped =
    t.stepC !== null &&
    (s.dieC >= t.stepC || (s.stepped && s.dieC > t.stepC - THROTTLE_HYSTERESIS_C));
  const over = (s.dieC - t.softC) / (t.hardC - t.softC);
  const ramp = s.throttled ? 1 - (1 - t.minClock) * Math.min(1, Math.max(0.1, over)) : 1;
  s.clock = Math.min(ramp, s.stepped ? t.stepClock : 1);
}

/** The firmware's `get_throttled` bits for a state (bits 1 to 3). */
export function throttleFlags(s: PlantState): number {
  return (s.throttled ? 0b110 : 0) | (s.stepped ? 0b1000 : 0);
}
