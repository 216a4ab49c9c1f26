import { setTimeout as delay } from 'node:timers/promises';
import type { SourceSurroundings } from '../camera/sources/description.js';
import type { Config } from '../config/config.js';
import { startControlServer } from '../control/server.js';
import { controlSocket } from '../control/socket.js';
import { codedError, messageOf } from '../errors.js';
import type { Result } from '../inference/result.js';
import type { PresenceEvent } from '../presence/event.js';
import { lockStateFolder } from '../store/lock.js';
import type { Notifier } from '../systemd/notify.js';
import type { Thermometer } from '../thermal/thermometer.js';
import type { LevelSwitch, Log } from './diagnostics/log.js';
import type { GoverningOptions } from './governor/governing.js';
import { createLifecycle, type Lifecycle } from './lifecycle.js';
import { provideModel } from './model.js';
import { controlHandler } from './outputs/control.js';
import { createProgressJudge, type Verdict } from './outputs/progress.js';
import { type Reports, startReports } from './outputs/reports.js';
import { describePlan, planReload } from './reload.js';
import { type Runtime, startRuntime } from './runtime.js';

export interface DaemonOptions {
  readonly config: Config;
  /** Reads the configuration again; absent: it cannot change while the daemon runs. */
  readonly load?: () => Config;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts the start, e.g. while a model is fetched; afterwards use `stop`. */
  readonly signal?: AbortSignal;
  readonly log: Log;
  /** The log's least severity; absent: it cannot be changed. */
  readonly logLevel?: LevelSwitch;
  /** The service manager; absent: nobody is told anything. */
  readonly service?: ServiceOptions;
  readonly onProgress?: (text: string) => void;
  /** Stands in for the machine's own sensor. */
  readonly thermometer?: Thermometer;
  /** Clock, processes and the like for the cameras' sources; default: the machine's own. */
  readonly sources?: SourceSurroundings;
  /** Milliseconds after the start until forms without a profile are measured; default 30 s. */
  readonly profileAfterMs?: number;
  readonly onDecision?: GoverningOptions['onDecision'];
  readonly onEvents?: (events: readonly PresenceEvent[], result: Result | null) => void;
  /** Called with every labelled frame. */
  readonly onResult?: (result: Result) => void;
}

export interface ServiceOptions {
  readonly notifier: Notifier;
  /** Milliseconds between signs of life that it wants; null: it does not watch. */
  readonly watchdogMs: number | null;
  /** READY as soon as the cameras have been started, not only after the first labelled frame. */
  readonly readyWithoutFrame: boolean;
}

export interface Daemon {
  /** Address of the broker, without a password. */
  readonly broker: string;
  /** `<base>/<node>`. */
  readonly topic: string;
  /** Name of the variant in use. */
  readonly model: string;
  /**
   * Reads the configuration again and makes it so (reload.ts says what is touched). What cannot be
   * used is logged, and what ran before runs on. Never rejects.
   */
  reload(): Promise<void>;
  /** Ends everything in order, within the deadline (ms). */
  stop(deadlineMs: number): Promise<void>;
}

const RESTART_DEADLINE_MS = 5000;
const ANSWER_MS = 200;
const LAST_RETRY_MS = 60_000;
/** Stopping what ran and starting what is to run takes less, or it hangs. */
const CHANGE_LIMIT_MS = 120_000;

/**
 * Starts the daemon; resolves when cameras run. Throws what makes a start impossible: a model, a
 * database of a newer version, another daemon on the same state folder, an address that is taken. A
 * camera or a broker that is away is not.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { log, service } = options;
  let config = options.config;
  let reports: Reports | null = null;
  let labelled = false;
  let stopping = false;
  let judge = createProgressJudge();
  /** Since when nothing runs because of a start or a change; null while something does. */
  let changingSince: number | null = performance.now();
  let work: Promise<void> = Promise.resolve();

  async function start(chosen: Config): Promise<Runtime> {
    const started = await startRuntime({
      ...options,
      config: chosen,
      onReload: async () => void (await inTurn(change)),
      // Not awaited: the answer to the request must still go out.
      onRestart: () => void setTimeout(startAnew, ANSWER_MS),
      onResult(result) {
        labelled = true;
        reports?.sayReady();
        options.onResult?.(result);
      },
    });
    judge = createProgressJudge();
    changingSince = null;
    return started;
  }

  /** Whether frames make progress; while a change is made, whether that does. */
  function verdict(): Verdict {
    if (changingSince === null) return judge(runtime.progress());
    const sound = performance.now() - changingSince < CHANGE_LIMIT_MS;
    return { sound, reason: 'the configuration is being changed', awaitsFrames: true };
  }

  async function restart(next: Config): Promise<void> {
    // Fetched before anything is stopped: labels must not go off for the time of a download.
    await provideModel({ ...options, config: next });
    if (stopping) return;
    changingSince = performance.now();
    await runtime.stop(RESTART_DEADLINE_MS);
    try {
      runtime = await start(next);
      config = next;
    } catch (error) {
      log.error({ err: error }, `the new configuration does not run: ${messageOf(error)}`);
      await goBack();
      throw error;
    }
  }

  function startAnew(): void {
    // What went wrong has been logged, and what ran before runs.
    inTurn(() => restart(config)).catch(() => {});
  }

  /** Starts what ran before, however often that takes. */
  async function goBack(): Promise<void> {
    for (let wait = 1000; !stopping; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
      changingSince = performance.now();
      try {
        runtime = await start(config);
        return;
      } catch (error) {
        log.error({ err: error }, `nothing runs; trying again: ${messageOf(error)}`);
        await delay(wait);
      }
    }
  }

  async function apply(next: Config): Promise<string> {
    const plan = planReload(config, next);
    if (plan.live.size > 0) {
      await runtime.apply(plan.config, plan.live);
      config = plan.config;
    }
    options.logLevel?.set(next.log.level);
    return describePlan(plan);
  }

  const outer = await openSurroundings();
  const starting = start(config);
  // A reload that is asked for over the control socket waits for the start.
  work = settled(starting);
  let runtime = await starting.catch(async (error: unknown) => {
    stopping = true;
    await outer.stop(RESTART_DEADLINE_MS);
    throw error;
  });
  log.info({ model: runtime.variant().name, broker: runtime.messaging.broker }, 'started');

  if (service !== undefined) {
    reports = startReports({
      ...service,
      judge: verdict,
      status: () => (changingSince === null ? runtime.statusLine() : 'changing the configuration'),
      onVerdict: ({ sound, reason }) =>
        sound ? log.info('progress again') : log.error(`no progress: ${reason}`),
    });
    if (labelled || service.readyWithoutFrame) reports.sayReady();
    else await reports.report();
  }

  async function change(): Promise<string> {
    if (options.load === undefined || stopping) {
      throw codedError('MND_CONTROL_REQUEST', {
        subject: 'reload',
        expected: 'a daemon that reads configuration files, as `mobilenetd run` does',
        found: stopping
          ? 'one that is stopping'
          : 'one whose configuration is fixed, as in the demo',
      });
    }
    const done = await apply(options.load());
    log.info(`configuration read again; ${done}`);
    return done;
  }

  /** One change at a time; what fails is logged and thrown to whoever asked. */
  function inTurn<T>(step: () => Promise<T>): Promise<T> {
    const next = work.then(step).catch((error: unknown) => {
      log.error({ err: error }, `the running configuration stays: ${messageOf(error)}`);
      throw error;
    });
    work = settled(next);
    return next;
  }

  /** What outlives a restart inside the process: the lock on the state folder, the control socket. */
  async function openSurroundings(): Promise<Lifecycle> {
    const lifecycle = createLifecycle({
      onError: (part, error) => log.warn({ err: error }, `stopping ${part}: ${messageOf(error)}`),
    });
    const lock = lockStateFolder(config.state_dir, log);
    lifecycle.started('the lock', () => lock.release());
    if (!config.control.enabled) return lifecycle;
    const path = config.control.socket ?? controlSocket(config.state_dir, options.env);
    try {
      const server = await startControlServer({
        path,
        handle: controlHandler({
          config: () => config,
          ready: () => labelled,
          running: () => (changingSince === null ? runtime.report() : null),
          reload: () => inTurn(change),
          logLevel: options.logLevel ?? null,
          log,
        }),
      });
      lifecycle.started('the control socket', () => server.close());
    } catch (error) {
      log.warn(`mobilenetd status will not work: ${messageOf(error)}`);
    }
    return lifecycle;
  }

  return {
    get broker() {
      return runtime.messaging.broker;
    },
    get topic() {
      return runtime.messaging.topics.root;
    },
    get model() {
      return runtime.variant().name;
    },
    async reload() {
      // A manager that still waits for READY must not take the end of a reload for it.
      const told = reports?.ready() ? service?.notifier : undefined;
      await told?.reloading();
      // What went wrong has been logged.
      await inTurn(change).catch(() => {});
      await told?.ready();
    },
    async stop(deadlineMs) {
      stopping = true;
      reports?.stop();
      // A change that is under way ends first, or it would start anew what has been stopped.
      const until = performance.now() + deadlineMs;
      await Promise.race([work, delay(deadlineMs / 2, undefined, { ref: false })]);
      await runtime.stop(until - performance.now());
      await outer.stop(until - performance.now());
      log.info('stopped');
    },
  };
}

/** Resolves when the work is over, however it ended. */
function settled(work: Promise<unknown>): Promise<void> {
  return work.then(
    () => {},
    () => {},
  );
}
