import { bounded } from '../options.js';
import { type Decision, INPUTS, type Inputs, type Rung, type Sample } from '../sample.js';
import { createAccount } from './account.js';

/** A sample made safe: every number finite and in range. */
export interface CleanSample extends Inputs {
  /** Seconds since the last sample, > 0. */
  readonly dtS: number;
  /** The clock went backwards or stood far apart: what was expected is void. */
  readonly jumped: boolean;
  /** As given: the fault detector judges it. */
  readonly readingC: number | null;
  readonly requestedFps: number;
  readonly rung: number;
  /** Own load of the last second, fraction. */
  readonly load: number;
  /** What each rung made of it; a second network's part is not in them. */
  readonly parts: readonly (readonly [rung: number, busy: number])[];
  /** Wall time per frame relative to its measured cost; null when unknown. */
  readonly slowdown: number | null;
  readonly cpuUtil: number | null;
  readonly flags: number | null;
}

const JUMP_S = 15;
const LONGEST_S = 7 * 24 * 3600;
/** A rung that is not the one decided on, between two that are mixed, is the word of a mixer. */
const MIXER_SAMPLES = 90;
/** Fewer frames than this part of those decided on, from a busy CPU, are all there is time for. */
const SHORT = 0.93;
const BUSY_CPU = 0.88;
/** Nobody waits on a CPU less busy than this; on one busier than that, everybody. */
const FREE_CPU = 0.65;
const CROWDED_CPU = 0.85;

type Last = Pick<Decision, 'mix' | 'rung' | 'fps'> | null;

interface Work {
  readonly delivered: number;
  readonly busy: number | null;
  readonly cpuUtil: number | null;
}

export interface Intake {
  /** @param last what was decided last; null before the first decision */
  take(sample: Sample, last: Last): CleanSample;
}

/** Whole frames of a second say little of a low rate: one more or less may be counted. */
function frameRate(counted: number, last: Last, latencyMs: number): number {
  if (last === null || !Number.isInteger(counted) || Math.abs(counted - last.fps) >= 1) {
    return counted;
  }
  return latencyMs > 0 ? Math.min(last.fps, 1000 / latencyMs) : last.fps;
}

/**
 * A frame that waits for the CPU takes longer, but heats no more: the busier the CPU, the more the frames'
 * measured cost counts instead of the time that passed. Gradually: noise of the utilisation around one
 * threshold would look like a neighbour that comes and goes.
 */
function ownLoad(busy: number, byFrames: number, cpuUtil: number | null): number {
  if (cpuUtil === null || Number.isNaN(cpuUtil)) return busy;
  const crowded = (cpuUtil - FREE_CPU) / (CROWDED_CPU - FREE_CPU);
  return busy - Math.min(1, Math.max(0, crowded)) * Math.max(0, busy - byFrames);
}

function inputsOf(sample: Partial<Sample>): Inputs {
  const names = Object.keys(INPUTS) as (keyof Inputs)[];
  const entries = names.map((name) => {
    const { min, max } = INPUTS[name];
    const value = sample[name];
    const isSound = typeof value === 'number' && value >= min && value <= max;
    return [name, isSound ? value : null];
  });
  return Object.fromEntries(entries) as Inputs;
}

export function createIntake(ladder: () => readonly Rung[], requestedFps: number): Intake {
  let timeS: number | null = null;
  let requested = requestedFps;
  let rung = 0;
  // Samples left in which the caller is taken to mix frame by frame.
  let mixerFor = 0;
  const account = createAccount();
  const costOf = (index: number): number => ladder()[index]?.costMs ?? 0;

  /** Mean cost of a frame in the last second. A caller may mix frames and yet name one rung. */
  const costPerFrame = (latencyMs: number, last: Last, isFree: boolean): number => {
    const named = costOf(rung);
    if (last === null || last.mix.low === last.mix.high) {
      account.pause();
      return named;
    }
    const { low, high, fraction } = last.mix;
    const mixed = costOf(high) * fraction + costOf(low) * (1 - fraction);
    const odd = rung !== last.rung && (rung === low || rung === high);
    mixerFor = odd ? MIXER_SAMPLES : mixerFor - 1;
    if (!(latencyMs > 0 && named > 0 && mixed > 0)) return mixerFor > 0 ? mixed : named;
    account.update({ latencyMs, named, mixed }, isFree);
    return mixerFor > 0 || account.isMixed ? mixed : named;
  };

  /**
   * How much longer a frame took than measured: by its latency, or else by the frames that were
   * left out although the CPU was busy. Null when nothing tells.
   */
  const slowdownOf = (latencyMs: number, cost: number, work: Work, last: Last): number | null => {
    if (cost <= 0 || work.delivered <= 0) return null;
    if (latencyMs > 0) return latencyMs / cost;
    if (last === null || last.fps <= 0) return null;
    if (work.delivered >= SHORT * Math.min(last.fps, requested)) return 1;
    const busy = work.busy ?? work.cpuUtil;
    if (busy !== null && busy < BUSY_CPU) return null;
    return 1000 / (work.delivered * cost);
  };

  /** A load, by the rungs that were run: the one named, or both of the mix. */
  const partsOf = (load: number, isMixed: boolean, last: Last): CleanSample['parts'] => {
    if (last === null || last.mix.low === last.mix.high || !isMixed) return [[rung, load]];
    const { low, high, fraction } = last.mix;
    const mixed = costOf(high) * fraction + costOf(low) * (1 - fraction);
    const share = mixed > 0 ? (costOf(high) * fraction) / mixed : fraction;
    return [
      [low, load * (1 - share)],
      [high, load * share],
    ];
  };

  return {
    take(raw, last) {
      const sample = (raw ?? {}) as Partial<Sample>;
      const now =
        typeof sample.timeS === 'number' && Number.isFinite(sample.timeS) ? sample.timeS : null;
      const passed = now === null || timeS === null ? 1 : now - timeS;
      const jumped = passed <= 0 || passed > JUMP_S;
      const dtS = passed <= 0 ? 1 : Math.min(passed, LONGEST_S);
      if (now !== null) timeS = now;
      requested = bounded(sample.requestedFps, { min: 0, max: 1000 }, requested);
      rung = Math.round(bounded(sample.rung, { min: 0, max: ladder().length - 1 }, rung));
      const latency = bounded(sample.latencyMs, { min: 0, max: 60_000 }, 0);
      const counted = bounded(sample.deliveredFps, { min: 0, max: 1000 }, requested);
      const delivered = frameRate(counted, last, latency);
      const busy = typeof sample.busy === 'number' ? sample.busy : null;
      const cpuUtil = typeof sample.cpuUtil === 'number' ? sample.cpuUtil : null;
      const cost = costPerFrame(latency, last, (cpuUtil ?? 0) < FREE_CPU);
      const byFrames = Math.min(1, (delivered * cost) / 1000);
      const inputs = inputsOf(sample);
      const second = inputs.secondLoad ?? 0;
      const load =
        busy === null
          ? Math.min(1, byFrames + second)
          : ownLoad(bounded(busy, { min: 0, max: 1 }, byFrames), byFrames + second, cpuUtil);
      return {
        dtS,
        jumped: jumped && timeS !== null,
        readingC: typeof sample.tempC === 'number' ? sample.tempC : null,
        requestedFps: requested,
        rung,
        load,
        parts: partsOf(Math.max(0, load - second), busy !== null || cost !== costOf(rung), last),
        slowdown: slowdownOf(latency, cost, { delivered, busy, cpuUtil }, last),
        cpuUtil,
        ...inputs,
        flags: typeof sample.throttledFlags === 'number' ? sample.throttledFlags : null,
      };
    },
  };
}
