import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import { diffConfig } from '../config/reload.js';
import { messageOf } from '../errors.js';
import type { Result } from '../inference/result.js';
import type { PresenceEvent } from '../presence/event.js';
import type { Notifier } from '../systemd/notify.js';
import type { GoverningOptions } from './governing.js';
import type { Log } from './log.js';
import { provideModel } from './model.js';
import { createProgressJudge, type Verdict } from './progress.js';
import { type Reports, startReports } from './reports.js';
import { type Runtime, startRuntime } from './runtime.js';
import type { Thermometer } from './thermometer.js';

export interface DaemonOptions {
  readonly config: Config;
  /** Reads the configuration again; absent: it cannot change while the daemon runs. */
  readonly load?: () => Config;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts the start, e.g. while a model is fetched; afterwards use `stop`. */
  readonly signal?: AbortSignal;
  readonly log: Log;
  /** The service manager; absent: nobody is told anything. */
  readonly service?: ServiceOptions;
  readonly onProgress?: (text: string) => void;
  /** Stands in for the machine's own sensor. */
  readonly thermometer?: Thermometer;
  readonly onDecision?: GoverningOptions['onDecision'];
  readonly onEvents?: (events: readonly PresenceEvent[], result: Result | null) => void;
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
   * Reads the configuration again and makes it so: only cameras are touched when nothing but
   * `cameras`, `presence` or `log` changed, else everything starts anew within this process. What
   * cannot be used is logged, and what ran before runs on. Never rejects.
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
 * database of a newer version, an address that is taken. A camera or a broker that is away is not.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { log, service } = options;
  let config = options.config;
  let reports: Reports | null = null;
  let labelled = false;
  let stopping = false;
  let judge = createProgressJudge();
  /** Since when nothing runs because of a change; null while something does. */
  let changingSince: number | null = null;
  let work: Promise<void> = Promise.resolve();

  async function start(chosen: Config): Promise<Runtime> {
    const started = await startRuntime({
      ...options,
      config: chosen,
      onReload: () => inTurn(change),
      // Not awaited: the answer to the request must still go out.
      onRestart: () => void setTimeout(() => void inTurn(() => restart(config)), ANSWER_MS),
      onResult() {
        labelled = true;
        reports?.sayReady();
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
    return { sound, reason: 'the configuration is being changed' };
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
    }
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
    const changed = changedSections(config, next);
    if (changed.length === 0) return 'nothing has changed';
    if (changed.every((section) => LIVE_SECTIONS.has(section))) {
      await runtime.setCameras(next);
      config = next;
    } else {
      await restart(next);
    }
    log.level = next.log.level;
    return `changed: ${changed.join(', ')}`;
  }

  let runtime = await start(config);
  log.info({ model: runtime.variant.name, broker: runtime.messaging.broker }, 'started');

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

  async function change(): Promise<void> {
    if (options.load === undefined || stopping) return;
    log.info(`configuration read again; ${await apply(options.load())}`);
  }

  /** One change at a time; what fails is logged and thrown to whoever asked. */
  function inTurn(step: () => Promise<void>): Promise<void> {
    const next = work.then(step).catch((error: unknown) => {
      log.error({ err: error }, `the running configuration stays: ${messageOf(error)}`);
      throw error;
    });
    work = next.catch(() => {});
    return next;
  }

  return {
    get broker() {
      return runtime.messaging.broker;
    },
    get topic() {
      return runtime.messaging.topics.root;
    },
    get model() {
      return runtime.variant.name;
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
      log.info('stopped');
    },
  };
}

/** Sections that change without a restart of everything. */
const LIVE_SECTIONS: ReadonlySet<string> = new Set(['cameras', 'presence', 'log']);

function changedSections(before: Config, after: Config): string[] {
  const { sections, cameras } = diffConfig(before, after);
  const touched = cameras.added.length + cameras.removed.length + cameras.changed.length;
  return touched === 0 ? [...sections] : [...sections, 'cameras'];
}
