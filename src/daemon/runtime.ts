import type { SourceSurroundings } from '../camera/sources/description.js';
import type { Config } from '../config/config.js';
import type { RunningReport } from '../control/protocol.js';
import { codedError, messageOf } from '../errors.js';
import type { Result } from '../inference/result.js';
import { makeFolder } from '../make-folder.js';
import type { Variant } from '../models/variant.js';
import { readBoardModel } from '../platform.js';
import type { PresenceEvent } from '../presence/event.js';
import type { Profiling } from '../profile/profiling.js';
import { limitFor } from '../thermal/limit.js';
import type { Thermometer } from '../thermal/thermometer.js';
import type { Fleet } from './cameras/fleet.js';
import type { Log } from './diagnostics/log.js';
import { profileInBackground } from './governor/background-profiling.js';
import type { GoverningOptions } from './governor/governing.js';
import { startGovernor } from './governor/governor.js';
import { createLifecycle } from './lifecycle.js';
import { type Ladder, type ProvidedModel, provideModel } from './model.js';
import { infoPayload } from './outputs/info.js';
import { type Messaging, startLiveMessaging } from './outputs/messaging.js';
import type { Progress } from './outputs/progress.js';
import { startRemote } from './outputs/remote.js';
import { runningReport } from './outputs/report.js';
import { statusLine } from './outputs/status-line.js';
import { createHealth, startTimers } from './outputs/timers.js';
import {
  connectParts,
  createNetworkOf,
  engineOf,
  openDatabase,
  type Parts,
  storeTuning,
} from './parts.js';
import type { LivePart } from './reload.js';

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
  /** The configured variant, which runs first. */
  variant(): Variant;
  /**
   * Applies changes to the parts named, while the others run on. Throws when they cannot be (a camera
   * that cannot be built, a port that is taken, a model that cannot be loaded), and then what ran before
   * runs again; where even that fails, it asks for a restart.
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
    let model = await provideModel(options);
    const { variant } = model;
    signal?.throwIfAborted();
    const network = createNetworkOf(config, log);
    await network.open(variant);
    lifecycle.started('the network', () => network.close());
    const messaging = await startLiveMessaging(config, store, log);
    lifecycle.started('MQTT', () => messaging.close());
    let sayLabelled = () => {};
    const labelled = new Promise<void>((resolve) => {
      sayLabelled = resolve;
    });
    const labelling = connectParts({
      ...options,
      ...{ store, network, messaging, variant },
      onResult(result) {
        sayLabelled();
        options.onResult?.(result);
      },
    });
    const { fleet } = labelling;
    lifecycle.started('labelling', () => labelling.pipeline.stop());
    lifecycle.started('the cameras', () => fleet.stop());
    await fleet.apply(config);
    const recovered = labelling.flow.recover(new Set(Object.keys(config.cameras)));
    if (recovered > 0) log.info({ events: recovered }, 'ended what an earlier run left open');
    const board = readBoardModel(config.governor.proc_root);
    messaging.publisher.setInfo(infoPayload(config, variant, board));
    labelling.pipeline.start();
    const shared = { ...options, ...labelling, network, messaging, store, board, labelled };
    let ladder: Ladder = model;
    let governor = startGovernor({ ...shared, ladder });
    lifecycle.started('the governor', () => governor.stop());
    const health = createHealth({ ...labelling, store, heat: () => governor.heat() });
    const { onReload: reload, onRestart: restart } = options;
    const connectRemote = (current: Config) => {
      const { variants } = model;
      return startRemote({
        ...shared,
        config: current,
        variants,
        governor,
        health,
        reload,
        restart,
      });
    };
    let remote = connectRemote(config);
    lifecycle.started('the commands', () => remote.close());

    function profile(current: Config): Profiling | null {
      // Figures of a simulated board are given.
      if (options.thermometer?.simulated != null) return null;
      const { choose } = model;
      return profileInBackground(
        model,
        { ...options, config: current },
        {
          limitC: () => governor.limitC(),
          async onMeasured(profiles) {
            ladder = choose(profiles);
            await governor.adopt(ladder);
          },
        },
      );
    }
    let profiling = profile(config);
    lifecycle.started('the profiling', () => profiling?.stop());

    let shown = config;

    /**
     * From the inside outwards: database, network, messaging, cameras; then those who only talk about
     * them. Any step may throw; called once more with what ran before, it brings that back.
     */
    async function change(next: Config, provided: ProvidedModel, parts: ReadonlySet<LivePart>) {
      const anyOf = (...names: LivePart[]) => names.some((name) => parts.has(name));
      // Entities of another prefix are taken away while there is a connection.
      if (shown.homeassistant.prefix !== next.homeassistant.prefix) remote.withdraw();
      const retalks = anyOf('governor', 'homeassistant', 'messaging', 'network');
      if (retalks) await remote.close();
      store.configure(storeTuning(next));
      if (anyOf('governor', 'network')) await governor.stop();
      if (anyOf('network')) {
        await profiling?.stop();
        await network.replace(engineOf(next), provided.variant);
        model = provided;
        ladder = provided;
        labelling.adopt(next, provided.variant);
      }
      if (anyOf('messaging')) await messaging.replace(next);
      if (anyOf('cameras', 'messaging', 'network')) await fleet.apply(next);
      if (anyOf('governor', 'network'))
        governor = startGovernor({ ...shared, ladder, config: next });
      if (anyOf('network')) profiling = profile(next);
      if (retalks) remote = connectRemote(next);
      else remote.refresh(next);
      shown = next;
      messaging.publisher.setInfo(infoPayload(next, model.variant, board));
      if (!anyOf('messaging')) return;
      for (const unit of fleet.units()) labelling.flow.show(unit);
      governor.show();
      messaging.publisher.setHealth(health());
      messaging.publisher.start();
    }
    // Only now: whoever sees `online` finds commands listened to and states that are true.
    messaging.publisher.start();
    lifecycle.started('the timers', startTimers({ ...labelling, messaging, health }));
    return {
      messaging,
      variant: () => model.variant,
      async apply(next, touched) {
        if (touched.has('governor')) await checkLimit(next);
        // A model is fetched before anything is touched.
        const renewed = touched.has('network');
        const provided = renewed ? await provideModel({ ...options, config: next }) : model;
        const before = { config: shown, model };
        try {
          await change(next, provided, touched);
        } catch (error) {
          await change(before.config, before.model, touched).catch((again: unknown) => {
            log.error({ err: again }, `starting anew, for going back failed: ${messageOf(again)}`);
            restart();
          });
          throw error;
        }
      },
      progress: () => progressOf(labelling),
      statusLine: () =>
        statusLine({
          ...(network.mix()?.high ?? model.variant),
          fps: labelling.meter.read(performance.now()).fps,
          temperature: governor.heat()?.tempC ?? null,
          ...shownBy(fleet),
        }),
      report: () =>
        runningReport({
          ...labelling,
          store,
          governor,
          messaging,
          variant: model.variant,
          embedded: shown.mqtt.url === null,
        }),
      stop: (deadlineMs) => lifecycle.stop(deadlineMs),
    };
  } catch (error) {
    await lifecycle.stop(2000);
    throw error;
  }
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
  limitFor(readBoardModel(governor.proc_root), governor.limit, governor.margin);
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
