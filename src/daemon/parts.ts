import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { SourceSurroundings } from '../camera/sources/description.js';
import type { Config } from '../config/config.js';
import { parseSize } from '../config/schema/formats.js';
import { isCodedError, messageOf } from '../errors.js';
import { startEngine } from '../inference/engine.js';
import type { Result } from '../inference/result.js';
import { createRepeatingLog } from '../log.js';
import type { Variant } from '../models/variant.js';
import { checkLabelNames } from '../mqtt/topics.js';
import type { PresenceEvent } from '../presence/event.js';
import { openStore, type Store, type StoreTuning } from '../store/store.js';
import { buildCamera, readingOf } from './cameras/cameras.js';
import { createFleet, type Fleet, publicStatus } from './cameras/fleet.js';
import type { Log } from './diagnostics/log.js';
import { createFlow, type Flow } from './line/flow.js';
import { shortName } from './line/labels.js';
import { createMeter, type Meter } from './line/meter.js';
import { createNetwork, type Network, type StartEngine } from './line/network.js';
import { createPipeline, type Pipeline } from './line/pipeline.js';
import type { Messaging } from './outputs/messaging.js';
import { createSnapshots, type Snapshots } from './outputs/snapshots.js';
import { threadsOf, thresholdOf } from './settings.js';

const OUTBOX_ROWS = 10_000;
const REPEAT_MS = 60_000;
/** Labels of a detector that are announced as OFF before they are ever seen. */
const MAX_ANNOUNCED = 100;

export function openDatabase(config: Config, log: Log): Store {
  return openStore({
    file: join(config.state_dir, 'mobilenetd.db'),
    ...storeTuning(config),
    log: log.child({ part: 'store' }),
  });
}

export function storeTuning(config: Config): StoreTuning {
  return {
    commitInterval: config.store.commit_interval,
    detectionInterval: config.store.detection_interval,
    minScore: thresholdOf(config),
    retention: {
      days: config.store.retention.days,
      maxBytes: parseSize(config.store.retention.max_size),
    },
    outbox: { maxAge: config.mqtt.max_age, maxRows: OUTBOX_ROWS },
  };
}

export function engineOf(config: Config): StartEngine {
  return (onFault) => startEngine({ threads: threadsOf(config), onFault });
}

export function createNetworkOf(config: Config, log: Log): Network {
  const repeating = createRepeatingLog(log, { interval: REPEAT_MS });
  return createNetwork({
    start: engineOf(config),
    onFault: (error) => repeating.error('network', `inference: ${error.message}`, { err: error }),
  });
}

export interface PartsOptions {
  readonly config: Config;
  readonly log: Log;
  readonly store: Store;
  readonly network: Network;
  readonly messaging: Messaging;
  readonly variant: Variant;
  readonly onEvents?: (events: readonly PresenceEvent[], result: Result | null) => void;
  readonly onResult?: (result: Result) => void;
  /** Clock, processes and the like for the cameras' sources. */
  readonly sources?: SourceSurroundings;
}

/** What a frame passes through, wired up. */
export interface Parts {
  readonly fleet: Fleet;
  readonly pipeline: Pipeline;
  readonly flow: Flow;
  readonly meter: Meter;
  readonly snapshots: Snapshots;
  /** Another network labels frames from now on; what its labels do not name has ended. */
  adopt(config: Config, variant: Variant): void;
}

export function connectParts(options: PartsOptions): Parts {
  const { config, log, store, network, messaging } = options;
  let { variant } = options;
  let topK = config.model.top;
  const repeating = createRepeatingLog(log, { interval: REPEAT_MS });
  const meter = createMeter(performance.now());
  const snapshots = createSnapshots({
    publish: (camera, jpeg) => messaging.publisher.setSnapshot(camera, jpeg),
    onError: (camera, error) =>
      repeating.warn(`snapshot ${camera}`, `no snapshot of ${camera}: ${messageOf(error)}`),
  });
  const flow = createFlow({
    store,
    messaging,
    onEvents(events, result) {
      for (const { type, camera } of events) if (type === 'new') snapshots.request(camera);
      options.onEvents?.(events, result);
    },
  });

  const pipeline: Pipeline = createPipeline({
    get topK() {
      return topK;
    },
    infer: (frame, run) => network.infer(frame, run),
    onResult(lane, result, frame) {
      const unit = fleet.get(lane.camera);
      // A camera that was stopped while its last frame was looked at has ended already.
      if (unit?.lane !== lane) return;
      // Nor does the last frame of one that has just been switched off, by hand or by its schedule.
      if (unit.status() === 'disabled') return;
      meter.add(result, performance.now());
      unit.meter.add(result, performance.now());
      flow.result(unit, result, frame.unmoved);
      snapshots.offer(frame);
      options.onResult?.(result);
    },
    onError: (lane, error) =>
      repeating.warn(
        `${lane.camera} ${messageOf(error)}`,
        `a frame was not labelled: ${messageOf(error)}`,
        // A coded error says it all; where it was made is for the others.
        { camera: lane.camera, ...(!isCodedError(error) && { err: error }) },
      ),
  });

  const fleet: Fleet = createFleet({
    check: (name, current) => checkLabelNames(announcedLabels(current, name, variant)),
    configure: (unit, current) => unit.configure(readingOf(unit.name, current, () => randomUUID())),
    build(name, current) {
      return buildCamera(name, current, {
        log,
        createId: () => randomUUID(),
        onAvailable: () => pipeline.wake(),
        onStatus(camera, status, reason) {
          const unit = fleet.get(camera);
          if (status === 'disabled' && unit !== undefined) flow.end(unit);
          messaging.publisher.setCameraState(camera, publicStatus(status), reason);
        },
        sources: options.sources,
      });
    },
    onChange(units, current) {
      messaging.publisher.setCameras(
        units.map(({ name }) => ({ name, labels: announcedLabels(current, name, variant) })),
      );
      pipeline.setLanes(units.map(({ lane }) => lane));
    },
    onStopped: (unit) => flow.end(unit),
  });
  return {
    fleet,
    pipeline,
    flow,
    meter,
    snapshots,
    adopt(current, next) {
      topK = current.model.top;
      if (!isDeepStrictEqual(next.labels, variant.labels)) {
        for (const unit of fleet.units()) flow.end(unit);
      }
      variant = next;
    },
  };
}

/** Labels of a camera that have a topic from the start: those it keeps, or a detector's own. */
function announcedLabels(config: Config, name: string, variant: Variant): string[] {
  const camera = config.cameras[name];
  if (camera !== undefined && camera.labels !== 'all') return [...camera.labels];
  const groups = Object.keys(config.presence.groups);
  const labels = variant.labels.slice(variant.task === 'detect' ? 1 : 0).filter(Boolean);
  return labels.length > MAX_ANNOUNCED ? groups : [...groups, ...labels.map(shortName)];
}
