import type { Variant } from '../../models/variant.js';
import type { EnergyState } from '../../thermal/energy/account.js';
import type { Decision, Sample } from '../../thermal/governor.js';
import type { HeatReading, Thermometer } from '../../thermal/thermometer.js';
import type { Clock } from '../../time.js';
import type { MeasuredRung } from '../governor-state.js';
import type { SchedulerStats } from '../line/scheduler.js';
import type { EnergyKeeper } from './energy.js';

/** A camera as the governor's inputs see it. */
export interface AskingCamera {
  /** Frames a second asked for. */
  readonly fps: number;
  status(): string;
  enabled(): boolean;
}

export interface GovernorInputsOptions {
  readonly thermometer: Thermometer;
  /** Frames labelled and the engine's busy time since the start. */
  readonly stats: () => SchedulerStats;
  readonly cameras: () => readonly AskingCamera[];
  /** Keeps an energy budget; null without one. */
  readonly energy: EnergyKeeper | null;
  /** What a second network has cost since the start; null: there is none. */
  readonly second?: () => SecondLoad | null;
  /** Threads of one inference of the ladder: the second network's one is that part of it. */
  readonly threads?: number;
  readonly clock: Pick<Clock, 'now'>;
}

/** What a second network has done since it was started. */
export interface SecondLoad {
  readonly runs: number;
  /** Wall time of all its runs, ms, of one thread. */
  readonly busyMs: number;
  readonly variant: Variant | null;
}

const NO_SECOND: SecondLoad = { runs: 0, busyMs: 0, variant: null };
/** Seconds over which the load of the second network is averaged. */
const SECOND_SECONDS = 30;

/** Seconds over which the share of the wanted frames that were labelled is averaged. */
const USE_SECONDS = 30;

/** Collects what the governor decides on: everything that happened since the last sample. */
export class GovernorInputs {
  readonly #options: GovernorInputsOptions;
  readonly #startedAt: number;
  #last: { readonly at: number; readonly stats: SchedulerStats };
  #heat: HeatReading | null = null;
  #use = 0;
  #second = NO_SECOND;
  /** Load of the second network, averaged. */
  #secondLoad = 0;

  constructor(options: GovernorInputsOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#last = { at: this.#startedAt, stats: options.stats() };
  }

  /** The last reading; null before the first. */
  heat(): HeatReading | null {
    return this.#heat;
  }

  /** The energy budget's books; null without one, or before the first sample. */
  energy(): EnergyState | null {
    return this.#options.energy?.state() ?? null;
  }

  /** Share of the frames that were asked for and let pass which were labelled, 0 to 1, averaged. */
  use(): number {
    return this.#use;
  }

  /** Frames a second all cameras that deliver ask for. */
  requestedFps(): number {
    return requestedFps(this.#options.cameras());
  }

  /** @param decision what was in force since the last sample; null at the first */
  async sample(decision: Decision | null, rungs: readonly MeasuredRung[]): Promise<Sample> {
    const { thermometer, energy, clock } = this.#options;
    const at = clock.now();
    const stats = this.#options.stats();
    const dtS = (at - this.#last.at) / 1000;
    const frames = stats.labelled - this.#last.stats.labelled;
    const busyMs = stats.busyMs - this.#last.stats.busyMs;
    const isReal = thermometer.simulated === null;
    const fps = this.requestedFps();
    const second = this.#secondBusy(dtS);
    // On a simulated board frames take its time, not ours.
    const first = isReal ? busyMs / (at - this.#last.at) : expectedBusy(decision, rungs);
    const busy = Math.min(1, first + second);
    this.#heat = await thermometer.read(dtS, busy);
    this.#last = { at, stats };
    this.#averageUse(frames, Math.min(fps, decision?.fps ?? fps) * dtS, dtS);
    const { cpuUtil, inputs } = this.#heat;
    const ownCpu = inputs?.ownCpu ?? null;
    const books = await energy?.take({ dtS, cpuUtil, ownCpu, busy });
    return {
      ...inputs,
      mostLoad: books?.mostLoad ?? null,
      timeS: ((at - this.#startedAt) / 1000) * thermometer.speed,
      tempC: this.#heat.tempC,
      throttledFlags: this.#heat.flags,
      cpuUtil,
      requestedFps: fps,
      deliveredFps: isReal ? frames / dtS : (decision?.fps ?? fps),
      latencyMs: isReal && frames > 0 ? busyMs / frames : null,
      rung: decision?.rung ?? rungs.length - 1,
      busy,
      secondLoad: this.#secondLoad,
    };
  }

  /** Part of the last seconds that the second network took, of all threads of an inference. */
  #secondBusy(dtS: number): number {
    const { thermometer, second = () => null, threads = 1 } = this.#options;
    const now = second() ?? NO_SECOND;
    // Another one counts from nothing.
    const before = now.runs < this.#second.runs ? NO_SECOND : this.#second;
    this.#second = now;
    const givenMs = now.variant === null ? null : thermometer.costMs(now.variant);
    const ms =
      givenMs === null
        ? (now.busyMs - before.busyMs) / threads
        : (now.runs - before.runs) * givenMs;
    const load = dtS > 0 ? Math.min(1, ms / 1000 / (dtS * thermometer.speed)) : 0;
    this.#secondLoad += Math.min(1, dtS / SECOND_SECONDS) * (load - this.#secondLoad);
    return load;
  }

  #averageUse(frames: number, wanted: number, dtS: number): void {
    if (wanted <= 0) return;
    this.#use += Math.min(1, dtS / USE_SECONDS) * (Math.min(1, frames / wanted) - this.#use);
  }
}

/** Frames a second all cameras that deliver ask for. */
export function requestedFps(cameras: readonly AskingCamera[]): number {
  return cameras
    .filter((camera) => camera.status() === 'online' && camera.enabled())
    .reduce((sum, { fps }) => sum + fps, 0);
}

/** Busy fraction of a simulated board under the last decision. */
function expectedBusy(decision: Decision | null, rungs: readonly MeasuredRung[]): number {
  if (decision === null) return 0;
  const { low, high, fraction } = decision.mix;
  const costOf = (index: number) => rungs[index]?.costMs ?? 0;
  const cost = costOf(high) * fraction + costOf(low) * (1 - fraction);
  return Math.min(1, (decision.fps * cost) / 1000);
}
