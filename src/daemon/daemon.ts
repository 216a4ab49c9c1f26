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
  readonly notifier?: Notifier;
  readonly onProgress?: (text: string) => void;
  /** Stands in for the machine's own sensor. */
  readonly thermometer?: Thermometer;
  readonly onDecision?: GoverningOptions['onDecision'];
  readonly onEvents?: (events: readonly PresenceEvent[], result: Result | null) => void;
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
/** A camera that is away is no reason for a service manager to end the daemon. */
const READY_WITHOUT_FRAME_MS = 30_000;

/**
 * Starts the daemon; resolves when cameras run. Throws what makes a start impossible: a model, a
 * database of a newer version, an address that is taken. A camera or a broker that is away is not.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { log, notifier } = options;
  let config = options.config;
  let ready = false;
  let stopping = false;
  let work: Promise<void> = Promise.resolve();

  async function start(chosen: Config): Promise<Runtime> {
    return startRuntime({
      ...options,
      config: chosen,
      onReload: () => inTurn(change),
      // Not awaited: the answer to the request must still go out.
      onRestart: () => void setTimeout(() => void inTurn(() => restart(config)), ANSWER_MS),
      onResult: sayReady,
    });
  }

  function sayReady(): void {
    if (ready) return;
    ready = true;
    void notifier?.ready();
  }

  async function restart(next: Config): Promise<void> {
    // Fetched before anything is stopped: labels must not go off for the time of a download.
    await provideModel({ ...options, config: next });
    if (stopping) return;
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

  const patience = setTimeout(sayReady, READY_WITHOUT_FRAME_MS).unref();

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
      await notifier?.reloading();
      // What went wrong has been logged.
      await inTurn(change).catch(() => {});
      await notifier?.ready();
    },
    async stop(deadlineMs) {
      stopping = true;
      clearTimeout(patience);
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
