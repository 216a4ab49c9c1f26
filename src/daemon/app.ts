import type { Config } from '../config/config.js';
import { codedError, messageOf } from '../errors.js';
import { type Clock, createBackoff, sleep, systemClock, waitAtMost } from '../time.js';
import { Context, type Given, type Phase, type Steering } from './context.js';
import type { Log } from './diagnostics/log.js';
import type { Part } from './part.js';
import { PARTS } from './parts.js';
import { describePlan, partsTouchedBy, planReload, type ReloadPlan } from './reload.js';
import { type Install, RunningParts } from './running-parts.js';
import { Signals } from './signals.js';

export interface AppOptions extends Partial<Omit<Given, 'abort' | 'env' | 'log'>> {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly config: Config;
  /** Reads the configuration again; absent: it cannot change while the daemon runs. */
  readonly load?: () => Config;
  /** Aborts the start, e.g. while a model is fetched; afterwards use `stop`. */
  readonly signal?: AbortSignal;
}

const RESTART_DEADLINE_MS = 5000;
/** What a failed start may take to stop what it had begun. */
const FAILED_START_MS = 2000;
/** Before a restart that was asked for the answer must still go out. */
const ANSWER_MS = 200;

/** The daemon: everything that runs, how it starts, takes another configuration, and stops. */
export class App {
  /** All parts by name. */
  readonly context: Context;
  readonly #load: (() => Config) | null;
  /** Aborts the first start. */
  readonly #signal: AbortSignal | null;
  readonly #parts: RunningParts;
  readonly #clock: Clock;
  #phase: { readonly name: Phase; readonly since: number };
  #startedAt: number;
  #hasLabelled = false;
  readonly #ending = new AbortController();
  #doing: string | null = null;
  #isPreparing = false;
  /** Aborts what is being started or prepared: a newer configuration has come. */
  #attempt = new AbortController();
  /** A configuration that came during a start, which is begun again with it. */
  #next: Config | null = null;
  /** Whatever is being done now; never rejects. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: AppOptions) {
    const { log, config, load = null, clock = systemClock } = options;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#phase = { name: 'starting', since: clock.now() };
    const signals = options.signals ?? new Signals(log, clock);
    this.#load = load;
    this.#signal = options.signal ?? null;
    const given: Given = {
      env: options.env,
      clock,
      log,
      signals,
      logLevel: options.logLevel ?? null,
      service: options.service ?? null,
      abort: options.signal,
      onProgress: (text) => {
        this.#doing = text;
        // A start that gets on is given its time anew.
        if (this.#phase.name === 'starting') this.#enter('starting');
        options.onProgress?.(text);
      },
      isPatient: options.isPatient ?? false,
      thermometer: options.thermometer ?? null,
      sources: options.sources ?? {},
      inspection: options.inspection ?? null,
      profileAfterMs: options.profileAfterMs,
    };
    this.context = new Context(given, this.#steering(), config);
    this.#parts = new RunningParts(this.context);
    const stopListening = signals.on('labelled', () => {
      this.#hasLabelled = true;
      stopListening();
    });
  }

  /** Address of the broker, without a password. */
  get broker(): string {
    return this.context.messaging.address;
  }

  /** Address of the page; null: there is none. */
  get page(): string | null {
    return this.context.addresses.page;
  }

  /** `<base>/<node>`. */
  get topic(): string {
    return this.context.messaging.topics.root;
  }

  /** Name of the configured variant, which runs first. */
  get model(): string {
    return this.context.model.variant.name;
  }

  /**
   * Resolves when cameras run. Throws what makes a start impossible: a model, a database of a newer
   * version, another daemon on the same state folder, an address that is taken. A camera or a broker
   * that is away is not.
   */
  async start(): Promise<void> {
    const starting = this.#bringUp(PARTS, { retries: false });
    this.#work = settled(starting);
    try {
      await starting;
    } catch (error) {
      this.#enter('stopping');
      await this.#parts.stop(PARTS, FAILED_START_MS);
      throw error;
    }
    this.context.log.info({ model: this.model, broker: this.broker }, 'started');
  }

  /**
   * Reads the configuration again and makes it so (parts.ts says what is touched). What cannot be used
   * is logged, and what ran before runs on. Never rejects.
   */
  async reload(): Promise<void> {
    const { service } = this.context;
    // A manager that still waits for READY must not take the end of a reload for it.
    const notifier = service?.notifier.isReady() ? service.notifier : null;
    await notifier?.reloading();
    // What went wrong has been logged.
    await this.#reload().catch(() => {});
    await notifier?.ready();
  }

  /** Ends everything in order, within the deadline (ms). */
  async stop(deadlineMs: number): Promise<void> {
    const until = this.#clock.now() + deadlineMs;
    this.#enter('stopping');
    this.#ending.abort(new Error('the daemon is stopping'));
    // A change that is under way ends first, or it would start anew what has been stopped.
    await waitAtMost(this.#clock, deadlineMs / 2, this.#work);
    await this.#parts.stop(PARTS, until - this.#clock.now());
    this.context.log.info('stopped');
  }

  #enter(name: Phase): void {
    this.#phase = { name, since: this.#clock.now() };
  }

  #steering(): Steering {
    return {
      reload: () => this.#reload(),
      refreshLabels: () => this.#inTurn(() => this.#refreshLabels()),
      restart: () => this.#restartSoon(),
      hasLabelled: () => this.#hasLabelled,
      phase: () => this.#phase.name,
      phaseSince: () => this.#phase.since,
      doing: () => this.#doing,
      startedAt: () => this.#startedAt,
    };
  }

  /**
   * Starts parts until they run. A configuration that comes meanwhile is taken at once: what has been
   * begun ends, and it begins again with that one. With `retries` it also does after a failure.
   */
  async #bringUp(parts: readonly Part[], { retries }: { retries: boolean }): Promise<void> {
    const { context } = this;
    const backoff = createBackoff();
    for (let isUp = false; !isUp; ) {
      context.config = this.#next ?? context.config;
      this.#next = null;
      this.#beginAttempt();
      try {
        this.#startedAt = this.#clock.now();
        await this.#parts.start(parts);
        isUp = true;
      } catch (error) {
        const passing = parts.filter(({ isLasting }) => !isLasting);
        await this.#parts.stop(passing, FAILED_START_MS);
        this.#ending.signal.throwIfAborted();
        if (this.#next === null) {
          if (!retries) throw error;
          context.log.error({ err: error }, `nothing runs; trying again: ${messageOf(error)}`);
          await sleep(this.#clock, backoff.next(), context.abort);
        }
        this.#ending.signal.throwIfAborted();
      }
    }
    this.#doing = null;
    this.#enter('running');
    context.signals.emit('running', {});
  }

  /** What is begun from now on ends when something newer comes, or the daemon stops. */
  #beginAttempt(): void {
    this.#attempt = new AbortController();
    const signals = [this.#attempt.signal, this.#ending.signal];
    if (this.#signal !== null) signals.push(this.#signal);
    this.context.abort = AbortSignal.any(signals);
  }

  /** A start or a download that is under way gives way; else one change is made after the other. */
  #reload(): Promise<string> {
    const superseded = codedError('MND_CONTROL_REQUEST', {
      subject: 'reload',
      found: 'a newer one, which takes its place',
    });
    if (this.#phase.name === 'running') {
      if (this.#isPreparing) this.#attempt.abort(superseded);
      return this.#inTurn(() => this.#reread());
    }
    return this.#rereadWhileStarting(superseded);
  }

  async #rereadWhileStarting(superseded: Error): Promise<string> {
    const { log } = this.context;
    try {
      const plan = this.#plan();
      const done = describePlan(plan);
      if (plan.changed.length > 0) {
        this.#next = plan.config;
        this.#attempt.abort(superseded);
      }
      log.info({ starting: true }, `configuration read again; ${done}`);
      return done;
    } catch (error) {
      log.error({ err: error }, `the start goes on as it was: ${messageOf(error)}`);
      throw error;
    }
  }

  async #reread(): Promise<string> {
    const { config, log, logLevel } = this.context;
    const plan = this.#plan();
    if (plan.changed.length > 0)
      await this.#apply(plan.config, partsTouchedBy(config, plan.config));
    logLevel?.configure(plan.config.log.level);
    const done = describePlan(plan);
    log.info(`configuration read again; ${done}`);
    return done;
  }

  #plan(): ReloadPlan {
    if (this.#load === null || this.#phase.name === 'stopping') {
      throw codedError('MND_CONTROL_REQUEST', {
        subject: 'reload',
        expected: 'a daemon that reads configuration files, as `mobilenetd run` does',
        found:
          this.#load === null
            ? 'one whose configuration is fixed, as in the demo'
            : 'one that is stopping',
      });
    }
    return planReload(this.#next ?? this.context.config, this.#load());
  }

  /** Makes another configuration so; when it cannot be, what ran before runs again, and this throws. */
  async #apply(next: Config, touched: ReadonlySet<Part>): Promise<void> {
    const { context } = this;
    const before = context.config;
    for (const part of touched) part.check?.(next);
    const old = this.#parts.keep(touched);
    const fresh = await this.#prepare(touched, next);
    try {
      await this.#parts.change(next, touched, fresh);
    } catch (error) {
      await this.#parts.change(before, touched, old).catch((again: unknown) => {
        const { log } = context;
        log.error({ err: again }, `starting anew, for going back failed: ${messageOf(again)}`);
        this.#restartSoon();
      });
      throw error;
    }
  }

  /** What can be built before anything is touched; a newer reload aborts that. */
  async #prepare(touched: Iterable<Part>, next: Config): Promise<Install[]> {
    this.#beginAttempt();
    this.#isPreparing = true;
    try {
      return await this.#parts.prepare(touched, next);
    } finally {
      this.#isPreparing = false;
      this.#doing = null;
    }
  }

  /** A start, or a stop, that is under way finds the labels by itself. */
  async #refreshLabels(): Promise<void> {
    if (this.#phase.name !== 'running') return;
    const { cameras, config, model, taught, wantedLabels } = this.context;
    await wantedLabels.apply(config, model.variant, taught.objectLabels());
    await cameras.apply(config, model.variant);
    // What looks at objects may be wanted now, or not any more.
    const second = PARTS.filter(({ name }) => name === 'secondNetwork');
    await this.#parts.change(config, new Set(second), []);
  }

  #restartSoon(): void {
    // What went wrong has been logged, and what ran before runs.
    const restart = () => this.#inTurn(() => this.#restart()).catch(() => {});
    this.#clock.setTimer(() => void restart(), ANSWER_MS);
  }

  /** Starts everything anew but what outlives that. */
  async #restart(): Promise<void> {
    const { config } = this.context;
    const parts = PARTS.filter(({ isLasting }) => !isLasting);
    const fresh = await this.#prepare(parts, config);
    if (this.#phase.name === 'stopping') return;
    this.#enter('changing');
    await this.#parts.stop(parts, RESTART_DEADLINE_MS);
    this.#parts.install(parts, fresh);
    await this.#bringUp(parts, { retries: true });
  }

  /** One change at a time; what fails is logged and thrown to whoever asked. */
  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const next = this.#work.then(step).catch((error: unknown) => {
      const { log } = this.context;
      log.error({ err: error }, `the running configuration stays: ${messageOf(error)}`);
      throw error;
    });
    this.#work = settled(next);
    return next;
  }
}

/** Resolves when the work is over, however it ended. */
function settled(work: Promise<unknown>): Promise<void> {
  return work.then(
    () => {},
    () => {},
  );
}
