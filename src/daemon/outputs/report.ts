import type { CameraReport, RunningReport } from '../../control/protocol.js';
import type { Variant } from '../../models/variant.js';
import type { Store } from '../../store/store.js';
import { decodeThrottled } from '../../thermal/throttle-flags.js';
import type { CameraUnit } from '../cameras/camera-unit.js';
import type { Fleet } from '../cameras/fleet.js';
import type { GovernorPart } from '../governor/governor.js';
import type { Meter } from '../line/meter.js';
import type { Pipeline } from '../line/pipeline.js';
import type { Messaging } from './messaging.js';

export interface ReportSources {
  readonly fleet: Fleet;
  readonly pipeline: Pipeline;
  readonly meter: Meter;
  readonly store: Store;
  readonly governor: GovernorPart;
  readonly messaging: Messaging;
  readonly variant: Variant;
  /** Whether the broker is the embedded one. */
  readonly embedded: boolean;
}

/** What `mobilenetd status` is told of everything that runs. */
export function runningReport(sources: ReportSources): RunningReport {
  const { store, governor, messaging, variant } = sources;
  const reading = sources.meter.read(performance.now());
  const heat = governor.heat();
  const flags = heat?.flags ?? null;
  const state = flags === null ? null : decodeThrottled(flags);
  return {
    model: { name: variant.name, form: variant.form },
    governor: governor.payload(),
    fps: tenth(reading.fps),
    latency_ms: reading.latencyMs === null ? null : tenth(reading.latencyMs),
    age_ms: reading.ageMs === null ? null : tenth(reading.ageMs),
    temperature: heat?.tempC ?? null,
    throttled: state?.heat ?? null,
    undervoltage: state?.undervoltage ?? null,
    cameras: sources.fleet.units().map(cameraReport),
    broker: {
      url: messaging.broker,
      embedded: sources.embedded,
      connected: messaging.connected(),
    },
    outbox: store.outbox.depth(),
    dropped_messages: store.outbox.dropped(),
    failed: sources.pipeline.stats().failed,
  };
}

function cameraReport(unit: CameraUnit): CameraReport {
  return {
    name: unit.name,
    status: unit.status(),
    reason: unit.reason(),
    fps: unit.fps,
    dropped: unit.slot.stats().dropped,
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
