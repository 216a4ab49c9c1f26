import type { Config } from '../config/config.js';
import { codedError, messageOf } from '../errors.js';
import { createBackoff, sleep, systemClock } from '../time.js';
import { Context, type Given, type Phase, type Steering } from './context.js';
import type { Log } from './diagnostics/log.js';
import { stopInTurn } from './lifecycle.js';
import type { Part } from './part.js';
import { PARTS } from './parts.js';
import { describePlan, partsTouchedBy, planReload } from './reload.js';
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
  readonly #running = new Set<Part>();
  #phase: { readonly name: Phase; readonly since: number } = phase('starting');
  #startedAt = performance.now();
  #hasLabelled = false;
  readonly #ending = new AbortController();
  /** Whatever is being done now; never rejects. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: AppOptions) {
    const { log, config, load = null } = options;
    const signals = options.signals ?? new Signals(log);
    this.#load = load;
    const given: Given = {
      env: options.env,
      log,
      signals,
      logLevel: options.logLevel ?? null,
      service: options.service ?? null,
      abort: options.signal,
      onProgress: options.onProgress ?? (() => {}),
      thermometer: options.thermometer ?? null,
      sources: options.sources ?? {},
      profileAfterMs: options.profileAfterMs,
    };
    this.context = new Context(given, this.#steering(), config);
    const stopListening = signals.on('labelled', () => {
      this.#hasLabelled = true;
      stopListening();
    });
  }

  /** Address of the broker, without a password. */
  get broker(): string {
    return this.context.messaging.address;
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
    const { log } = this.context;
    const starting = this.#startParts(PARTS);
    // A reload that is asked for over the control socket waits for the start.
    this.#work = settled(starting);
    try {
      await starting;
    } catch (error) {
      this.#phase = phase('stopping');
      await this.#stopParts(PARTS, FAILED_START_MS);
      throw error;
    }
    log.info({ model: this.model, broker: this.broker }, 'started');
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
    await this.#inTurn(() => this.#reread()).catch(() => {});
    await notifier?.ready();
  }

  /** Ends everything in order, within the deadline (ms). */
  async stop(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    this.#phase = phase('stopping');
    this.#ending.abort(new Error('the daemon is stopping'));
    // A change that is under way ends first, or it would start anew what has been stopped.
    await Promise.race([this.#work, sleep(systemClock, deadlineMs / 2)]);
    await this.#stopParts(PARTS, until - performance.now());
    this.context.log.info('stopped');
  }

  #steering(): Steering {
    return {
      reload: () => this.#inTurn(() => this.#reread()),
      restart: () => this.#restartSoon(),
      hasLabelled: () => this.#hasLabelled,
      phase: () => this.#phase.name,
      phaseSince: () => this.#phase.since,
      startedAt: () => this.#startedAt,
    };
  }

  /** Starts parts that do not run yet, in the order of the table. */
  async #startParts(parts: readonly Part[]): Promise<void> {
    this.#startedAt = performance.now();
    for (const part of parts) {
      this.context.abort?.throwIfAborted();
      this.#ending.signal.throwIfAborted();
      if (this.#running.has(part)) continue;
      await part.start(this.context);
      this.#running.add(part);
    }
    this.#ending.signal.throwIfAborted();
    this.#phase = phase('running');
    this.context.signals.emit('running', {});
  }

  /** Stops parts that run, the last one first, each within its share of the deadline (ms). */
  async #stopParts(parts: readonly Part[], deadlineMs: number): Promise<void> {
    const { log } = this.context;
    const running = parts.filter((part) => this.#running.has(part)).reverse();
    for (const part of running) this.#running.delete(part);
    await stopInTurn(
      running.map((part) => ({ name: part.name, stop: () => part.stop(this.context) })),
      deadlineMs,
      (name, error) => log.warn({ err: error }, `stopping ${name}: ${messageOf(error)}`),
    );
  }

  async #reread(): Promise<string> {
    const { config, log, logLevel } = this.context;
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
    const plan = planReload(config, this.#load());
    if (plan.changed.length > 0)
      await this.#apply(plan.config, partsTouchedBy(config, plan.config));
    logLevel?.set(plan.config.log.level);
    const done = describePlan(plan);
    log.info(`configuration read again; ${done}`);
    return done;
  }

  /** Makes another configuration so; when it cannot be, what ran before runs again, and this throws. */
  async #apply(next: Config, touched: ReadonlySet<Part>): Promise<void> {
    const { context } = this;
    const before = context.config;
    for (const part of touched) part.check?.(next);
    const old = [...touched].flatMap((part) => part.keep?.(context) ?? []);
    const fresh = await this.#prepare(touched, next);
    try {
      await this.#change(next, touched, fresh);
    } catch (error) {
      await this.#change(before, touched, old).catch((again: unknown) => {
        const { log } = context;
        log.error({ err: again }, `starting anew, for going back failed: ${messageOf(again)}`);
        this.#restartSoon();
      });
      throw error;
    }
  }

  /** What can be built before anything is touched, and how each is put in its place. */
  async #prepare(touched: Iterable<Part>, next: Config): Promise<(() => void)[]> {
    const installs: (() => void)[] = [];
    for (const part of touched) {
      if (part.prepare !== undefined) installs.push(await part.prepare(this.context, next));
    }
    return installs;
  }

  /**
   * Stops what cannot change while it runs, the last part first; then changes or starts every touched
   * part, the first one first. Any step may throw; called once more with what ran before, this brings
   * that back.
   */
  async #change(next: Config, touched: ReadonlySet<Part>, installs: readonly (() => void)[]) {
    const { context } = this;
    context.config = next;
    const exchanged = [...touched].filter(
      (part) => part.change === null && part.prepare === undefined,
    );
    for (const part of exchanged.reverse()) {
      if (this.#running.delete(part)) await part.stop(context);
    }
    for (const install of installs) install();
    for (const part of touched) {
      if (part.prepare !== undefined) continue;
      if (this.#running.has(part)) await part.change?.(context);
      else {
        await part.start(context);
        this.#running.add(part);
      }
    }
  }

  #restartSoon(): void {
    // What went wrong has been logged, and what ran before runs.
    const restart = () => this.#inTurn(() => this.#restart()).catch(() => {});
    systemClock.setTimer(() => void restart(), ANSWER_MS);
  }

  /** Starts everything anew but what outlives that. */
  async #restart(): Promise<void> {
    const { config } = this.context;
    const parts = PARTS.filter(({ isLasting }) => !isLasting);
    const fresh = await this.#prepare(parts, config);
    if (this.#phase.name === 'stopping') return;
    this.#phase = phase('changing');
    await this.#stopParts(parts, RESTART_DEADLINE_MS);
    await this.#startAnew(parts, fresh);
  }

  /** Tries again, however often that takes. */
  async #startAnew(parts: readonly Part[], installs: readonly (() => void)[]): Promise<void> {
    const { log } = this.context;
    const backoff = createBackoff();
    for (const part of parts) if (part.prepare !== undefined) this.#running.add(part);
    for (const install of installs) install();
    while (!this.#ending.signal.aborted) {
      try {
        await this.#startParts(parts);
        return;
      } catch (error) {
        log.error({ err: error }, `nothing runs; trying again: ${messageOf(error)}`);
        await this.#stopParts(parts, FAILED_START_MS);
        await sleep(systemClock, backoff.next(), this.#ending.signal);
      }
    }
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

function phase(name: Phase): { readonly name: Phase; readonly since: number } {
  return { name, since: performance.now() };
}

/** Resolves when the work is over, however it ended. */
function settled(work: Promise<unknown>): Promise<void> {
  return work.then(
    () => {},
    () => {},
  );
}
