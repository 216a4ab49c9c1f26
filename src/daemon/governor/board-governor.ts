import { messageOf } from '../../errors.js';
import type { Variant } from '../../models/variant.js';
import type { GovernorEntry } from '../../store/store.js';
import {
  createGovernor,
  type ForecastPoint,
  type Governor,
  type GovernorOptions,
} from '../../thermal/governor.js';
import { type Limit, limitFor } from '../../thermal/limit.js';
import type { HeatReading, Thermometer } from '../../thermal/thermometer.js';
import { type Clock, every } from '../../time.js';
import type { Log } from '../diagnostics/log.js';
import type { GovernorState, MeasuredRung } from '../governor-state.js';
import type { MixedEngine } from '../line/mixed-engine.js';
import type { SchedulerStats } from '../line/scheduler.js';
import type { Ladder } from '../model.js';
import type { GovernorSettings } from '../options/governor-settings.js';
import type { Signals } from '../signals.js';
import { Actuators, type GovernedCamera } from './actuators.js';
import { EnergyKeeper } from './energy.js';
import { GovernorHistory } from './history.js';
import { type AskingCamera, GovernorInputs, type SecondLoad } from './inputs.js';
import { readLearnt, saveLearnt } from './learnt.js';
import { GovernorLoop } from './loop.js';
import { RungMeter } from './rung-meter.js';

export interface BoardGovernorOptions {
  readonly settings: GovernorSettings;
  readonly ladder: Ladder;
  readonly thermometer: Thermometer;
  readonly engine: Pick<MixedEngine, 'use' | 'mix' | 'measure'>;
  readonly cameras: () => readonly (AskingCamera & GovernedCamera)[];
  readonly stats: () => SchedulerStats;
  /** See {@link GovernorInputsOptions}. */
  readonly second?: () => SecondLoad | null;
  readonly threads?: number;
  /** What a variant is worth for what was taught on this board, percent; null: nothing is known. */
  readonly taughtQuality?: (variant: Variant) => number | null;
  readonly record: (entry: GovernorEntry) => void;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly log: Log;
}

/** Milliseconds between two savings of what the governor has learnt. */
const SAVE_MS = 300_000;

/** A law at work, and how to end it. */
interface Running {
  readonly law: Governor;
  readonly loop: GovernorLoop;
  readonly inputs: GovernorInputs;
  readonly rungs: readonly MeasuredRung[];
  readonly stop: () => void;
}

/**
 * The governor of this board, or what stands in its place when there is none. Looks for a sensor,
 * measures the variants in the background once a frame has been labelled, and then lets the loop
 * decide; until then the first variant labels frames. Without a sensor there is no governor
 * (`governor.enabled: auto`), which is logged.
 */
export class BoardGovernor {
  /** Resolves when it is known whether there is a sensor to govern by; never rejects. */
  readonly known: Promise<void>;
  /** Resolves when it governs, or when nothing will; never rejects. */
  readonly started: Promise<void>;
  readonly #options: BoardGovernorOptions;
  readonly #stopping = new AbortController();
  readonly #energy: EnergyKeeper | null;
  readonly #meter: RungMeter;
  #running: Running | null = null;
  #firstHeat: HeatReading | null = null;
  /** Why nothing governs; null while something does, or may yet. */
  #offReason: string | null = null;
  /** There is a sensor; rungs may still be measured, which waits for a first frame. */
  #governs = false;
  #pin: string;
  #limit: 'auto' | number;
  #ladder: Ladder;

  constructor(options: BoardGovernorOptions) {
    this.#options = options;
    this.#pin = options.settings.pin;
    this.#limit = options.settings.limit;
    this.#ladder = options.ladder;
    const { settings, clock, log, thermometer } = options;
    // A simulated board's hours are minutes of ours.
    const hasBudget = settings.energy !== null && thermometer.simulated === null;
    this.#energy = hasBudget ? new EnergyKeeper(settings.energy, log, clock) : null;
    const { engine, stats, signals, taughtQuality } = options;
    this.#meter = new RungMeter({
      thermometer,
      engine,
      stats,
      signals,
      ...(taughtQuality && { taughtQuality }),
      stopping: this.#stopping.signal,
      log,
    });
    const failed = (error: unknown) => this.#notStarted(error);
    this.known = this.#sense().catch(failed);
    this.started = this.known
      .then(() => (this.#governs ? this.#govern() : this.#pinOnly()))
      .catch(failed);
  }

  /** The last reading of the sensor. */
  heat(): HeatReading | null {
    return this.#running?.inputs.heat() ?? this.#firstHeat;
  }

  /** `auto` or the name of the variant that is pinned. */
  pin(): string {
    return this.#pin;
  }

  /** The last decision, or why there is none; null while that is not known. */
  state(): GovernorState | null {
    if (this.#running !== null) return this.#running.loop.state();
    const variant = this.#options.engine.mix()?.high;
    if (variant === undefined || this.#offReason === null) return null;
    return { governs: false, variant, reason: this.#offReason };
  }

  /** What is expected at moments ahead (seconds of the board); empty where nothing governs. */
  forecast(aheadS: readonly number[]): readonly ForecastPoint[] {
    return this.#running?.loop.forecast(aheadS) ?? [];
  }

  /** Temperature never to reach, °C, while rungs are still measured, too; null without a governor. */
  limitC(): number | null {
    return this.#running !== null || this.#governs ? this.#limitOf(this.#limit).limitC : null;
  }

  setPin(variant: string): void {
    this.#pin = variant;
    if (this.#running !== null) this.#reconfigure();
    else void this.started.then(() => (this.#running === null ? this.#pinOnly() : undefined));
  }

  /** @throws MND_CONFIG_INVALID when the limit leaves no room for the margin */
  setLimit(limit: 'auto' | number): void {
    this.#limitOf(limit);
    this.#limit = limit;
    if (this.#running !== null) this.#reconfigure();
  }

  /** Goes on with the same variants in other forms, or with other costs. */
  async adopt(ladder: Ladder): Promise<void> {
    await this.started;
    if (this.#stopping.signal.aborted) return;
    this.#ladder = ladder;
    if (this.#running === null) return this.#pinOnly();
    this.#running.stop();
    await this.#govern();
  }

  /** Orders the rungs anew, with the costs that are known: what variants are worth has changed. */
  async requalify(): Promise<void> {
    await this.started;
    const { signal } = this.#stopping;
    const running = this.#running;
    if (signal.aborted || running === null) return;
    const known = new Map(running.rungs.map(({ name, costMs }) => [name, costMs]));
    const rungs = await this.#meter.measure(this.#ladder, known);
    const worth = (all: readonly MeasuredRung[]) =>
      all.map(({ name, accuracy }) => [name, accuracy]);
    const isNews = JSON.stringify(worth(rungs)) !== JSON.stringify(worth(running.rungs));
    if (signal.aborted || this.#running !== running || rungs.length === 0 || !isNews) return;
    running.stop();
    this.#running = this.#startLoop(rungs);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.started;
    this.#running?.stop();
  }

  async #sense(): Promise<void> {
    const { settings, thermometer, log } = this.#options;
    if (settings.enabled === false) {
      this.#offReason = 'governor.enabled is false: heat is not looked after';
      log.warn('governor: off (governor.enabled: false): nothing keeps this board from throttling');
      this.#warnOfEnergy();
      return;
    }
    this.#firstHeat = await thermometer.read(0, 0);
    if (this.#firstHeat.tempC === null && settings.enabled === 'auto') {
      this.#offReason = 'no temperature sensor was found: heat is not looked after';
      log.info('governor: off: no temperature sensor was found, so heat is not looked after');
      this.#warnOfEnergy();
      return;
    }
    this.#governs = true;
  }

  /** A budget that nobody keeps is not passed over in silence. */
  #warnOfEnergy(): void {
    const { settings, log } = this.#options;
    if (settings.energy === null) return;
    this.#offReason += '; nor is governor.energy kept';
    log.warn('governor: governor.energy is not kept: nothing governs');
  }

  async #govern(): Promise<void> {
    const rungs = await this.#meter.measure(this.#ladder);
    const { signal } = this.#stopping;
    this.#governs = rungs.length > 0;
    if (signal.aborted || !this.#governs) return;
    this.#running = this.#startLoop(rungs);
    if (signal.aborted) this.#running.stop();
  }

  #startLoop(rungs: readonly MeasuredRung[]): Running {
    const { settings, thermometer, engine, cameras, stats, second, threads } = this.#options;
    const { clock, log } = this.#options;
    const { limitC, why } = this.#limitOf(this.#limit);
    const isReal = thermometer.simulated === null;
    const energy = this.#energy;
    const inputs = new GovernorInputs({
      ...{ thermometer, stats, cameras, energy, second, threads, clock },
    });
    const saved = isReal ? readLearnt(settings.learntFile) : null;
    const law = createGovernor({
      ...this.#lawOptions(rungs, limitC, inputs.requestedFps()),
      ...(saved !== null && {
        restore: saved.snapshot,
        restoreElapsedS: Math.max(0, (clock.wall() - saved.time) / 1000),
      }),
    });
    log.info({ limit: limitC }, `governor: limit ${limitC} °C (${why}), ${rungs.length} rungs`);
    const { simulated, speed } = thermometer;
    const loop = new GovernorLoop(
      { rungs, limitC, simulated, speed },
      {
        law,
        inputs,
        actuators: new Actuators({ engine, cameras, minFps: settings.rules.minFps }),
        history: new GovernorHistory(this.#options.record, clock),
        clock,
        log,
        onChange: (state) => this.#options.signals.emit('decision', state),
      },
    );
    const save = () => {
      if (!isReal) return;
      saveLearnt(settings.learntFile, { time: clock.wall(), snapshot: law.snapshot() }, log);
    };
    const stopSaving = every(clock, SAVE_MS, () => {
      if (loop.takeUsed()) save();
    });
    const stop = () => {
      loop.stop();
      stopSaving();
      save();
      this.#energy?.save();
    };
    return { law, loop, inputs, rungs, stop };
  }

  #lawOptions(
    rungs: readonly MeasuredRung[],
    limitC: number,
    requestedFps: number,
  ): GovernorOptions {
    const { rules } = this.#options.settings;
    return { ...rules, ladder: rungs, limitC, requestedFps, pin: this.#pin };
  }

  #reconfigure(): void {
    if (this.#running === null) return;
    const { law, loop, rungs, inputs } = this.#running;
    const { limitC } = this.#limitOf(this.#limit);
    loop.setLimit(limitC);
    law.reconfigure(this.#lawOptions(rungs, limitC, inputs.requestedFps()));
  }

  async #pinOnly(): Promise<void> {
    const { engine, log, signals } = this.#options;
    const running = engine.mix()?.high.name;
    const wanted = this.#pin === 'auto' ? running : this.#pin;
    const pinned = this.#ladder.variants.find(({ name }) => name === wanted);
    if (pinned !== undefined) await engine.use({ low: pinned, high: pinned, fraction: 1 });
    else if (this.#pin !== 'auto') {
      log.warn(`governor: no installed variant is named ${this.#pin}`);
    }
    const state = this.state();
    if (state !== null) signals.emit('decision', state);
  }

  #limitOf(limit: 'auto' | number): Limit {
    const { settings, thermometer } = this.#options;
    return limitFor(thermometer.simulated ?? settings.board, limit, settings.rules.marginC);
  }

  #notStarted(error: unknown): void {
    this.#governs = false;
    this.#options.log.error({ err: error }, `governor: not started: ${messageOf(error)}`);
  }
}
