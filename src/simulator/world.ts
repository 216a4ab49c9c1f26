import type { Rung, Sample } from '../thermal/sample.js';
import type { Board } from './boards.js';
import {
  type PlantState,
  type Surroundings,
  settledPlant,
  stepPlant,
  throttleFlags,
} from './plant.js';
import { createRandom, type Random } from './random.js';
import type { Conditions, Fault, Scenario } from './scenarios.js';

/** Share of the CPU that inference keeps busy while it runs. */
const INFERENCE_SHARE = 0.9;
/** What inference keeps when other programs want the whole CPU. */
const LEAST_SHARE = 0.5;

/** Disks and radios have sensors of whole degrees. */
const SECOND_NOISE_C = 0.3;
const SECOND_SEED = 7793;

/** What a controller asks of the next second. */
export interface Command {
  /** Frames a second, by rung (index → fps). One entry for a caller that does not mix. */
  readonly frames: readonly (readonly [rung: number, fps: number])[];
}

const NOTHING: Command = { frames: [] };

/** What a second brought. */
export interface Outcome {
  readonly timeS: number;
  readonly requestedFps: number;
  readonly deliveredFps: number;
  /** Σ accuracy · delivered frames. */
  readonly score: number;
  /** Hottest the die was in this second, °C. */
  readonly peakC: number;
  readonly sample: Sample;
  readonly conditions: Conditions;
}

/** A simulated board in simulated surroundings, advanced second by second. */
export interface World {
  readonly ladder: readonly Rung[];
  readonly timeS: number;
  /** The first sample, before anything was run. */
  first(): Sample;
  advance(command: Command): Outcome;
  /**
   * Hottest die temperature the command would bring in the next second and, with `restS`, in so many
   * seconds after it without any frame. What comes after `enoughC` is passed is not looked at.
   */
  foresee(command: Command, after?: { readonly restS: number; readonly enoughC: number }): number;
  /** Part of a second's inference that can be done in the next second (contention, clock). */
  capacity(): number;
  dieC(): number;
}

export interface WorldOptions {
  readonly board: Board;
  readonly ladder: readonly Rung[];
  readonly scenario: Scenario;
  readonly seed: number;
  /** Heat of each rung relative to what its cost suggests; 1 where missing. */
  readonly heat?: readonly number[];
  /** Withholds the CPU utilisation from the samples. */
  readonly hideUtil?: boolean;
}

interface Work {
  readonly deliveredFps: number;
  readonly score: number;
  readonly util: number;
  /** What inference took of the CPU. */
  readonly own: number;
  readonly cpuUtil: number;
  readonly latencyMs: number | null;
  readonly busy: number;
}

export function createWorld(options: WorldOptions): World {
  const { board, ladder, scenario } = options;
  const random = createRandom(options.seed);
  const plant: PlantState = settledPlant(
    board.plant,
    surroundings(scenario.at(0)),
    scenario.startUtil,
  );
  const sensor = createSensor(board, random, plant.dieC);
  // Draws of its own: with it or without, everything else is the same.
  const chance = createRandom(options.seed + SECOND_SEED);
  const second = () => Math.round(plant.boardC + SECOND_NOISE_C * chance.normal());
  let timeS = 0;
  const read = (): number | null => faulty(scenario.faults, timeS, sensor.read(), random, sensor);
  return {
    ladder,
    get timeS() {
      return timeS;
    },
    dieC: () => plant.dieC,
    capacity: () => speedOf(scenario.at(timeS), plant.clock),
    first: () => ({
      timeS,
      tempC: read(),
      requestedFps: board.requestedFps * scenario.at(0).demand,
      deliveredFps: 0,
      latencyMs: null,
      rung: 0,
      throttledFlags: scenario.senses.flags ? throttleFlags(plant) : null,
      cpuUtil: scenario.at(0).foreign,
      busy: 0,
    }),
    advance(command) {
      const conditions = scenario.at(timeS);
      const work = doWork(options, command, conditions, plant.clock);
      const peakC = run(board, plant, conditions, work.util, (dt) => sensor.track(plant.dieC, dt));
      timeS += 1;
      const requestedFps = board.requestedFps * conditions.demand;
      const { senses } = scenario;
      const sample: Sample = {
        timeS,
        tempC: read(),
        requestedFps: board.requestedFps * scenario.at(timeS).demand,
        deliveredFps: work.deliveredFps,
        latencyMs: work.latencyMs,
        rung: command.frames[0]?.[0] ?? 0,
        throttledFlags: senses.flags ? throttleFlags(plant) : null,
        cpuUtil:
          options.hideUtil === true
            ? null
            : Math.min(1, Math.max(0, work.cpuUtil + 0.02 * random.normal())),
        ...(command.frames.length > 1 ? { busy: work.busy } : {}),
        ...(senses.ownCpu && { ownCpu: Math.min(1, work.own) }),
        ...(senses.second && { otherC: second() }),
        ...(senses.clock && { clock: plant.clock }),
      };
      return {
        timeS,
        requestedFps,
        deliveredFps: work.deliveredFps,
        score: work.score,
        peakC,
        sample,
        conditions,
      };
    },
    foresee(command, { restS, enoughC } = { restS: 0, enoughC: 0 }) {
      const copy = { ...plant };
      let peakC = Number.NEGATIVE_INFINITY;
      for (let ahead = 0; ahead <= restS; ahead += 1) {
        const conditions = scenario.at(timeS + ahead);
        const work = doWork(options, ahead === 0 ? command : NOTHING, conditions, copy.clock);
        peakC = Math.max(
          peakC,
          run(board, copy, conditions, work.util, () => {}),
        );
        if (peakC > enoughC) break;
      }
      return peakC;
    },
  };
}

function surroundings(c: Conditions): Surroundings {
  return { ambientC: c.ambientC, sunW: c.sunW, fanWorks: c.fanWorks };
}

function run(
  board: Board,
  plant: PlantState,
  conditions: Conditions,
  util: number,
  each: (dtS: number) => void,
): number {
  let peak = plant.dieC;
  const around = surroundings(conditions);
  for (let i = 0; i < 4; i += 1) {
    stepPlant(board.plant, plant, around, util, 0.25);
    each(0.25);
    peak = Math.max(peak, plant.dieC);
  }
  return peak;
}

function speedOf(c: Conditions, clock: number): number {
  return clock * Math.min(1, Math.max(LEAST_SHARE, (1 - c.foreign) / INFERENCE_SHARE));
}

/** Frames are run in the order given until the second is full. */
function doWork(options: WorldOptions, command: Command, c: Conditions, clock: number): Work {
  const speed = speedOf(c, clock);
  let left = 1;
  let delivered = 0;
  let score = 0;
  let cost = 0;
  let heat = 0;
  const wanted = command.frames.reduce(
    (sum, [r, fps]) => sum + (fps * (options.ladder[r]?.costMs ?? 0)) / 1000 / speed,
    0,
  );
  const scale = Math.min(1, wanted > 0 ? 1 / wanted : 1);
  for (const [index, fps] of command.frames) {
    const rung = options.ladder[index];
    if (rung === undefined || fps <= 0) continue;
    const frames = fps * scale;
    delivered += frames;
    score += frames * rung.accuracy;
    cost += (frames * rung.costMs) / 1000;
    heat += ((frames * rung.costMs) / 1000) * (options.heat?.[index] ?? 1);
    left -= (frames * rung.costMs) / 1000 / speed;
  }
  const own = (cost * INFERENCE_SHARE) / clock;
  const foreign = Math.min(c.foreign, Math.max(0, 1 - own));
  const ownHeat = (heat * INFERENCE_SHARE) / clock;
  return {
    deliveredFps: delivered,
    score,
    util: ownHeat + foreign,
    own,
    cpuUtil: own + foreign,
    latencyMs: delivered > 0 ? (1000 * cost) / delivered / speed : null,
    busy: Math.min(1, 1 - left),
  };
}

interface SimulatedSensor {
  track(dieC: number, dtS: number): void;
  read(): number;
  frozen: number | null;
}

function createSensor(board: Board, random: Random, startC: number): SimulatedSensor {
  const { lagS, noiseC, stepC } = board.sensor;
  let seen = startC;
  return {
    frozen: null,
    track(dieC, dtS) {
      seen += (dieC - seen) * (lagS > 0 ? 1 - Math.exp(-dtS / lagS) : 1);
    },
    read() {
      const noisy = seen + noiseC * random.normal();
      return stepC > 0 ? Math.round(noisy / stepC) * stepC : noisy;
    },
  };
}

function faulty(
  faults: readonly Fault[],
  timeS: number,
  reading: number,
  random: Random,
  sensor: SimulatedSensor,
): number | null {
  const fault = faults.find((f) => timeS >= f.fromS && timeS < f.untilS);
  if (fault === undefined) {
    sensor.frozen = null;
    return reading;
  }
  if (fault.kind === 'missing') return null;
  if (fault.kind === 'garbage') return random.between(-60, 160);
  if (fault.kind === 'stuck') return 25;
  if (fault.kind === 'drift') {
    const part = (timeS - fault.fromS) / (fault.untilS - fault.fromS);
    return reading + (fault.driftC ?? 0) * Math.sin(Math.PI * part);
  }
  sensor.frozen ??= reading;
  return sensor.frozen;
}
