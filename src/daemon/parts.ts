import { uptime } from 'node:os';
import { SCHEMA } from '../config/schema/schema.js';
import { codedError, messageOf } from '../errors.js';
import { createRepeatingLog } from '../log.js';
import { makeFolder } from '../make-folder.js';
import type { Variant } from '../models/variant.js';
import { STATE_FOLDER_MODE } from '../store/database.js';
import { forbiddenError } from '../store/forbidden.js';
import { lockStateFolder } from '../store/lock.js';
import { openStore } from '../store/store.js';
import { isPermission } from '../system-error.js';
import { TimeSync } from '../systemd/time-sync.js';
import { connectCameras } from './cameras/connect.js';
import type { Context } from './context.js';
import { profileInBackground } from './governor/background-profiling.js';
import { BoardGovernor } from './governor/board-governor.js';
import { realThermometer } from './governor/thermometer.js';
import { budgetOf } from './governor-state.js';
import { Line } from './line/line.js';
import { MixedEngine } from './line/mixed-engine.js';
import { Recorder } from './line/recorder.js';
import { TaughtStage } from './line/taught/stage.js';
import { Messaging } from './messaging.js';
import { provideModel } from './model.js';
import { messagingOptionsOf } from './options/broker.js';
import { engineOf, profilingSettingsOf, threadsOf } from './options/engine.js';
import {
  checkGovernor,
  governorSettingsOf,
  overrideLimitsOf,
} from './options/governor-settings.js';
import { databaseFileOf, storeTuningOf } from './options/store.js';
import { keptOf } from './options/wanted-labels.js';
import { outputsThatStart } from './outputs/index.js';
import { Overrides } from './overrides.js';
import { type Part, part } from './part.js';
import { Pictures } from './pictures.js';
import { provideSecond, type SecondModel } from './second-model.js';
import { SecondNetwork } from './second-network.js';
import { Taught } from './taught/taught.js';
import { WantedLabels } from './wanted-labels.js';

/** Keys of the network that every frame is shown to. */
const DETECTOR_KEYS = Object.keys(SCHEMA.model)
  .filter((name) => name !== 'second')
  .map((name) => `model.${name}`);

/**
 * Everything that runs, in the order in which it starts; it is stopped in the reverse order. A reload
 * touches the parts whose keys have changed and those that follow them: what can take a change in place
 * does, the rest is stopped (the last first) and started anew (the first first).
 */
export const PARTS: readonly Part[] = [
  part('lock', {
    keys: [],
    needs: [],
    isLasting: true,
    start: ({ log }, config) => lockStateFolder(config.state_dir, log),
    stop: (lock) => lock.release(),
  }),
  ...outputsThatStart('first'),
  part('store', {
    keys: ['store', 'mqtt.max_age', 'presence', ...DETECTOR_KEYS, 'cameras'],
    needs: [],
    start({ log }, config) {
      makeStateFolder(config.state_dir);
      const timeSync = new TimeSync();
      return openStore({
        file: databaseFileOf(config),
        ...storeTuningOf(config),
        // Unlike the monotonic clock it counts the time that a machine sleeps.
        uptime: () => uptime() * 1000,
        isSynchronised: () => timeSync.isSynchronised(),
        log: log.child({ part: 'store' }),
      });
    },
    change: (store, { config }) => store.configure(storeTuningOf(config)),
    stop: (store) => store.close(),
  }),
  part('model', {
    keys: [...DETECTOR_KEYS, 'models_dir'],
    needs: [],
    // Fetched before anything is stopped: labels must not go off for the time of a download.
    isPrepared: true,
    start: ({ env, log, abort, onProgress, isPatient }, config) =>
      provideModel({ config, env, log, signal: abort, onProgress, isPatient }),
  }),
  part('secondModel', {
    keys: ['model.second', 'models_dir'],
    needs: [],
    // What cannot be is refused before anything is stopped.
    isPrepared: true,
    start: ({ env }, config) => provideSecond(config, env),
  }),
  part('engine', {
    keys: [...DETECTOR_KEYS, 'models_dir'],
    needs: ['model'],
    follows: ['model'],
    async start({ model, clock, log }, config) {
      const repeating = createRepeatingLog(log, { clock });
      const engine = new MixedEngine({
        start: engineOf(config),
        onFault: (err) => repeating.error('engine', `inference: ${err.message}`, { err }),
        keptOf: keptOf(config, []),
        onWhole: (variant, error) =>
          log.warn({ model: variant.model }, `it looks for every label: ${messageOf(error)}`),
      });
      await engine.open(model.variant);
      return engine;
    },
    async change(engine, { model, config, signals }) {
      await engine.replace(engineOf(config), model.variant);
      signals.emit('model', { variant: model.variant });
    },
    stop: (engine) => engine.close(),
  }),
  part('messaging', {
    keys: ['mqtt', 'node'],
    needs: ['store'],
    start: ({ store, log, eventPictures }, config) =>
      Messaging.open(messagingOptionsOf(config), {
        outbox: store.outbox,
        pictureTimeOf: (id) => eventPictures.shelf?.timeOf(id) ?? null,
        log,
      }),
    change: (messaging, { config }) => messaging.replace(messagingOptionsOf(config)),
    stop: (messaging) => messaging.close(),
  }),
  part('pictures', {
    keys: [],
    needs: [],
    start: ({ signals, clock }) => new Pictures(signals, clock),
    stop: (pictures) => pictures.stop(),
  }),
  part('taught', {
    keys: ['teach', ...DETECTOR_KEYS, 'models_dir', 'cameras', 'presence.groups'],
    needs: ['model', 'engine'],
    follows: ['model'],
    // The context: governor and cameras come after it, and may be others by the time they are asked.
    start: (context, config) => Taught.open(context as Context, config),
    stop: (taught) => taught.close(),
  }),
  // Before the cameras: what they want to see is looked for by the time they ask.
  part('wantedLabels', {
    keys: ['cameras', 'presence.groups', 'notify', 'model.second.of'],
    needs: ['model', 'engine', 'taught'],
    follows: ['model', 'engine', 'taught'],
    async start({ model, engine, taught, log }, config) {
      const wanted = new WantedLabels(engine, log);
      await wanted.apply(config, model.variant, taught.objectLabels());
      return wanted;
    },
    change: (wanted, { config, model, taught }) =>
      wanted.apply(config, model.variant, taught.objectLabels()),
  }),
  ...outputsThatStart('before cameras'),
  part('line', {
    keys: ['model.top'],
    needs: ['engine', 'store', 'messaging'],
    start(context, config) {
      const { clock, store, messaging, signals, log, eventPictures, notifications } = context;
      const recorder = new Recorder({
        store,
        messagesOf: (events, result) =>
          messaging.publisher.eventMessages(
            events,
            result === null ? [] : events.filter(eventPictures.isWanted),
          ),
        noticesOf: (events) => notifications.noticesOf(events),
        signals,
      });
      const taught = taughtStage(context as Context);
      const line = new Line({ clock, engine: taught, recorder, topK: config.model.top, log });
      line.scheduler.start();
      return line;
    },
    change: (line, { config }) => line.scheduler.setTopK(config.model.top),
    stop: (line) => line.scheduler.stop(),
  }),
  part('cameras', {
    // The least rate tells presence how far apart frames may be.
    keys: ['cameras', 'location', 'presence', 'governor.min_fps'],
    needs: ['line', 'model', 'messaging', 'taught'],
    follows: ['model', 'messaging', 'taught'],
    async start(context, config) {
      const { clock, line, model, signals, log } = context;
      const cameras = connectCameras({
        ...{ line, signals, log },
        sources: { clock, ...context.sources },
        // Another one may be in its place by then.
        taught: () => context.taught.labels(),
      });
      await cameras.apply(config, model.variant);
      const ended = line.recorder.recover(new Set(Object.keys(config.cameras)));
      if (ended > 0) log.info({ events: ended }, 'ended what an earlier run left open');
      return cameras;
    },
    change: (cameras, { config, model }) => cameras.apply(config, model.variant),
    stop: (cameras) => cameras.stop(),
  }),
  part('governor', {
    keys: ['governor', ...DETECTOR_KEYS, 'models_dir'],
    needs: ['model', 'engine', 'line', 'cameras', 'store'],
    follows: ['model'],
    check: checkGovernor,
    start(context, config) {
      const { model, engine, line, cameras, store, signals, log, thermometer } = context;
      const { second, clock } = context;
      line.recorder.setMixed(model.ladder.variants.length > 1);
      return new BoardGovernor({
        settings: governorSettingsOf(config),
        ladder: model.ladder,
        thermometer: thermometer ?? realThermometer(config),
        engine,
        cameras: () => cameras.list(),
        stats: () => line.scheduler.stats(),
        second: () => second.network?.load() ?? null,
        taughtQuality: (variant) => (context as Context).taught.qualityOf(variant),
        threads: threadsOf(config),
        record: (entry) => store.recordGovernor(entry),
        ...{ signals, clock, log },
      });
    },
    stop: (governor) => governor.stop(),
  }),
  part('profiling', {
    keys: [...DETECTOR_KEYS, 'models_dir'],
    needs: ['model', 'governor'],
    follows: ['model'],
    start(context, config) {
      const { model, log, profileAfterMs, thermometer } = context;
      // Figures of a simulated board are given.
      if (thermometer?.simulated != null) return null;
      return profileInBackground(model, profilingSettingsOf(config), {
        log,
        delayMs: profileAfterMs,
        heat: realThermometer(config),
        // Another governor may be in its place by then.
        limitC: () => context.governor.limitC(),
        async onMeasured(profiles) {
          model.ladder = model.choose(profiles);
          await context.governor.adopt(model.ladder);
          (context as Context).taught.remake();
        },
      });
    },
    stop: (profiling) => profiling?.stop(),
  }),
  part('secondNetwork', {
    keys: ['model.second', 'models_dir'],
    needs: ['secondModel', 'line', 'cameras', 'governor'],
    follows: ['secondModel'],
    start(context, config) {
      const { secondModel, line, cameras, signals, clock, log } = context;
      const { taught, model: first } = context as Context;
      const of = taught.objectLabels();
      context.second.network = null;
      const model = secondModel ?? (of.length > 0 ? standIn(first.variant) : null);
      if (model === null) return null;
      const network = new SecondNetwork({
        ...{ model, config, signals, clock, log },
        recorder: line.recorder,
        taught: {
          of,
          headsFor: (...asked) => (context as Context).taught.headsFor(...asked),
          onStarted: () => (context as Context).taught.remake(),
        },
        cameraOf: (name) => cameras.list().find((camera) => camera.name === name),
        // Another governor may be in its place by then.
        budget: () => budgetOf(context.governor.state()),
      });
      context.second.network = network;
      return network;
    },
    async stop(network) {
      await network?.stop();
    },
  }),
  part('overrides', {
    keys: [],
    needs: ['store', 'cameras', 'governor', 'model'],
    follows: ['governor', 'model'],
    start: ({ store, cameras, governor, model, signals, log }, config) =>
      new Overrides({
        settings: store.settings,
        cameras,
        governor,
        limits: overrideLimitsOf(config, model.variants),
        signals,
        log,
      }),
    stop: (overrides) => overrides.close(),
  }),
  ...outputsThatStart('last'),
];

/** The network of the frames looks at objects as well, where something was taught of them and no second is configured. */
function standIn(variant: Variant): SecondModel {
  return { name: variant.name, ready: async () => variant };
}

/** Asks for everything anew at every frame: parts are exchanged by a reload. */
function taughtStage(context: Context): TaughtStage {
  const repeating = createRepeatingLog(context.log, { clock: context.clock });
  return new TaughtStage({
    lookingOf: (camera) => context.taught.lookingOf(camera),
    infer: (frame, run, variant) => context.engine.infer(frame, run, variant),
    budget: () => budgetOf(context.governor.state()),
    onError: (error) =>
      repeating.warn('taught', `taught: a zone was not looked at: ${messageOf(error)}`),
  });
}

function makeStateFolder(folder: string): void {
  try {
    makeFolder(folder, STATE_FOLDER_MODE);
  } catch (cause) {
    if (isPermission(cause)) throw forbiddenError(folder, cause);
    throw codedError('MND_STORE_OPEN', {
      subject: folder,
      expected: 'a folder that can be made and written',
      found: messageOf(cause),
      next: 'set state_dir or MOBILENETD_STATE to another folder',
      cause,
    });
  }
}
