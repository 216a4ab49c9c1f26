import type { SourceSurroundings } from '../camera/create.js';
import type { Config } from '../config/config.js';
import type { RunningReport } from '../control/protocol.js';
import { codedError, messageOf } from '../errors.js';
import { thisProcessor } from '../inference/processor.js';
import type { Result } from '../inference/result.js';
import { makeFolder } from '../make-folder.js';
import type { Variant } from '../models/variant.js';
import type { PresenceEvent } from '../presence/event.js';
import { limitFor, readBoardModel } from '../thermal/limit.js';
import type { Fleet } from './fleet.js';
import type { GoverningOptions } from './governing.js';
import { startGovernor } from './governor.js';
import { infoPayload } from './info.js';
import { createLifecycle } from './lifecycle.js';
import type { Log } from './log.js';
import { type Messaging, startMessaging } from './messaging.js';
import { type Ladder, type ProvidedModel, provideModel } from './model.js';
import { connectParts, createNetworkOf, openDatabase, type Parts } from './parts.js';
import { shippedPictures } from './probe-pictures.js';
import {
  measureForms,
  type Profiling,
  type ProfilingOptions,
  startProfiling,
  threadCounts,
} from './profiling.js';
import type { Progress } from './progress.js';
import type { LivePart } from './reload.js';
import { startRemote } from './remote.js';
import { runningReport } from './report.js';
import { statusLine } from './status-line.js';
import { realThermometer, type Thermometer } from './thermometer.js';
import { createHealth, startTimers } from './timers.js';

export interface RuntimeOptions {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Aborts the start; what has been started is stopped and the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
  /** Told of every event once it is recorded. */
  readonly onEvents?: (events: readonly PresenceEvent[], result: Result | null) => void;
  /** Stands in for the machine's own sensor. */
  readonly thermometer?: Thermometer;
  readonly onDecision?: GoverningOptions['onDecision'];
  /** Asked over MQTT: read the configuration again, start anew. */
  readonly onReload: () => Promise<void>;
  readonly onRestart: () => void;
  /** Clock, processes and the like for the cameras' sources; default: the machine's own. */
  readonly sources?: SourceSurroundings;
  /** Called with every labelled frame. */
  readonly onResult?: (result: Result) => void;
  /** Milliseconds after the start until forms without a profile are measured; default 30 s. */
  readonly profileAfterMs?: number;
}

/** Everything that runs for one configuration. */
export interface Runtime {
  readonly messaging: Messaging;
  readonly variant: Variant;
  /**
   * Applies changes to the parts named, while the others run on. Throws and changes nothing when they
   * cannot be: a camera that cannot be built, a limit that leaves no room for the margin.
   */
  apply(config: Config, parts: ReadonlySet<LivePart>): Promise<void>;
  report(): RunningReport;
  /** Where frames have got to. */
  progress(): Progress;
  /** One line for people: variant, rate, temperature, labels. */
  statusLine(): string;
  stop(deadlineMs: number): Promise<void>;
}

/** Starts the parts from the database outwards; what has been started is stopped if one fails. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, log, signal } = options;
  const lifecycle = createLifecycle({
    onError: (part, error) => log.warn({ err: error }, `stopping ${part}: ${messageOf(error)}`),
  });
  try {
    makeStateFolder(config.state_dir);
    signal?.throwIfAborted();
    const store = openDatabase(config, log);
    lifecycle.started('the database', () => store.close());
    const model = await provideModel(options);
    const { variant, variants } = model;
    signal?.throwIfAborted();
    const network = createNetworkOf(config, log);
    await network.open(variant);
    lifecycle.started('the network', () => network.close());
    const messaging = await startMessaging(config, store, log);
    lifecycle.started('MQTT', () => messaging.close());
    const parts = connectParts({ ...options, store, network, messaging, variant });
    lifecycle.started('labelling', () => parts.pipeline.stop());
    lifecycle.started('the cameras', () => parts.fleet.stop());
    await parts.fleet.apply(config);
    const recovered = parts.flow.recover(new Set(Object.keys(config.cameras)));
    if (recovered > 0) log.info({ events: recovered }, 'ended what an earlier run left open');
    const board = await readBoardModel(config.governor.proc_root);
    messaging.publisher.setInfo(infoPayload(config, variant, board));
    parts.pipeline.start();
    const shared = { ...options, ...parts, network, messaging, store, variants, board };
    let ladder: Ladder = model;
    let governor = startGovernor({ ...shared, ladder });
    lifecycle.started('the governor', () => governor.stop());
    const health = createHealth({ ...parts, store, heat: () => governor.heat() });
    const { onReload: reload, onRestart: restart } = options;
    const connectRemote = (current: Config) =>
      startRemote({ ...shared, config: current, governor, health, reload, restart });
    let remote = connectRemote(config);
    lifecycle.started('the commands', () => remote.close());

    async function restartGovernor(changed: Config): Promise<void> {
      await governor.stop();
      governor = startGovernor({ ...shared, ladder, config: changed });
    }

    /** Commands and entities are those of the governor and prefix they were made for. */
    async function restartRemote(changed: Config): Promise<void> {
      if (shown.homeassistant.prefix !== changed.homeassistant.prefix) remote.withdraw();
      await remote.close();
      remote = connectRemote(changed);
    }

    if (options.thermometer?.simulated == null) {
      const profiling = profileInBackground(model, options, {
        limitC: () => governor.limitC(),
        async onMeasured(profiles) {
          ladder = model.choose(profiles);
          await governor.adopt(ladder);
        },
      });
      lifecycle.started('the profiling', () => profiling.stop());
    }

    let shown = config;
    // Only now: whoever sees `online` finds commands listened to and states that are true.
    messaging.publisher.start();
    lifecycle.started('the timers', startTimers({ ...parts, messaging, health }));
    return {
      messaging,
      variant,
      async apply(changed, touched) {
        if (touched.has('governor')) await checkLimit(changed);
        if (touched.has('cameras')) await parts.fleet.apply(changed);
        if (touched.has('governor')) await restartGovernor(changed);
        if (touched.has('governor') || touched.has('homeassistant')) await restartRemote(changed);
        else remote.refresh(changed);
        shown = changed;
        messaging.publisher.setInfo(infoPayload(changed, variant, board));
      },
      progress: () => progressOf(parts),
      statusLine: () =>
        statusLine({
          ...(network.mix()?.high ?? variant),
          fps: parts.meter.read(performance.now()).fps,
          temperature: governor.heat()?.tempC ?? null,
          ...shownBy(parts.fleet),
        }),
      report: () =>
        runningReport({
          ...parts,
          store,
          governor,
          messaging,
          variant,
          embedded: config.mqtt.url === null,
        }),
      stop: (deadlineMs) => lifecycle.stop(deadlineMs),
    };
  } catch (error) {
    await lifecycle.stop(2000);
    throw error;
  }
}

/** Figures of a simulated board are given; on a real one forms are measured while frames go on. */
function profileInBackground(
  { forms, board }: ProvidedModel,
  { config, log, profileAfterMs }: RuntimeOptions,
  hooks: Pick<ProfilingOptions, 'limitC' | 'onMeasured'>,
): Profiling {
  const { threads } = config.model;
  const counts = threads === 'auto' ? threadCounts(thisProcessor().cores) : [threads];
  const thermometer = realThermometer(config);
  return startProfiling({
    ...hooks,
    heat: () => thermometer.read(0, 0),
    stateDir: config.state_dir,
    board,
    forms: async () => forms,
    async measure(variant, signal) {
      const pictures = await shippedPictures();
      return measureForms(variant, { threads: counts, pictures, background: true, signal });
    },
    log,
    delayMs: profileAfterMs,
  });
}

function progressOf({ pipeline, fleet }: Parts): Progress {
  const { labelled, failed, refused, lookingMs } = pipeline.stats();
  return {
    labelled,
    failed: failed - refused,
    lookingMs,
    cameras: fleet.units().map((unit) => ({
      name: unit.name,
      status: unit.status(),
      enabled: unit.enabled(),
      delivered: unit.slot.stats().delivered,
      stallMs: unit.stallTimeout === null ? null : unit.stallTimeout * 1000,
    })),
  };
}

function shownBy(fleet: Fleet): { readonly labels: string[]; readonly away: string[] } {
  const units = fleet.units();
  return {
    labels: units.flatMap(({ presence }) => presence.present().map(({ label }) => label)),
    away: units.flatMap((unit) => {
      if (!unit.enabled()) return [`${unit.name} disabled`];
      return unit.status() === 'online' ? [] : [`${unit.name} ${unit.status()}`];
    }),
  };
}

/** @throws MND_CONFIG_INVALID when the governor could not work with the limit */
async function checkLimit({ governor }: Config): Promise<void> {
  limitFor(await readBoardModel(governor.proc_root), governor.limit, governor.margin);
}

function makeStateFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw codedError('MND_STORE_OPEN', {
      subject: folder,
      expected: 'a folder that can be made and written',
      found: messageOf(cause),
      next: 'set state_dir or MOBILENETD_STATE to another folder',
      cause,
    });
  }
}
