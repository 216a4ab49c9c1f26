import type { Store } from '../../store/store.js';
import type { HeatReading } from '../../thermal/thermometer.js';
import { decodeThrottled } from '../../thermal/throttle-flags.js';
import type { CameraUnit } from '../cameras/camera-unit.js';
import { type Fleet, publicStatus } from '../cameras/fleet.js';
import type { Flow } from '../line/flow.js';
import type { Meter } from '../line/meter.js';
import type { Pipeline } from '../line/pipeline.js';
import { type CameraHealth, healthPayload } from './health.js';
import type { Messaging } from './messaging.js';

export interface HealthSources {
  readonly store: Store;
  readonly fleet: Fleet;
  readonly pipeline: Pipeline;
  readonly meter: Meter;
  /** The last reading of the sensor. */
  readonly heat: () => HeatReading | null;
}

export interface TimersOptions {
  readonly messaging: Messaging;
  readonly fleet: Fleet;
  readonly flow: Flow;
  readonly health: () => Record<string, unknown>;
}

const TICK_MS = 1000;
const HEALTH_MS = 60_000;
/** The first figures come early, so that a new subscriber finds some. */
const FIRST_HEALTH_MS = 5000;

/** Starts what happens by the clock; returns how to stop it. */
export function startTimers(options: TimersOptions): () => void {
  const tick = setInterval(() => {
    const now = { capturedAt: performance.now(), time: Date.now() };
    options.flow.tick(options.fleet.units(), now);
  }, TICK_MS);
  const report = () => options.messaging.publisher.setHealth(options.health());
  const first = setTimeout(report, FIRST_HEALTH_MS);
  const health = setInterval(report, HEALTH_MS);
  return () => {
    clearInterval(tick);
    clearTimeout(first);
    clearInterval(health);
  };
}

/** Makes the payload of `<base>/health` whenever it is asked. */
export function createHealth(options: HealthSources): () => Record<string, unknown> {
  const startedAt = performance.now();
  return () => sample(options, startedAt);
}

function sample(options: HealthSources, startedAt: number): Record<string, unknown> {
  const { store, fleet, pipeline, meter } = options;
  const now = performance.now();
  const heat = options.heat();
  const flags = heat?.flags ?? null;
  const cameras = fleet.units().map((unit) => [unit.name, cameraHealth(unit, now)] as const);
  return healthPayload({
    time: Date.now(),
    uptimeMs: now - startedAt,
    reading: meter.read(now),
    pipeline: pipeline.stats(),
    cameras: Object.fromEntries(cameras),
    outbox: store.outbox.depth(),
    droppedMessages: store.outbox.dropped(),
    rssBytes: process.memoryUsage.rss(),
    temperature: heat?.tempC ?? null,
    throttled: flags === null ? null : decodeThrottled(flags).heat,
    undervoltage: flags === null ? null : decodeThrottled(flags).undervoltage,
  });
}

function cameraHealth(unit: CameraUnit, now: number): CameraHealth {
  const { slot, meter } = unit;
  return {
    status: publicStatus(unit.status()),
    reason: unit.reason(),
    reading: meter.read(now),
    frames: slot.stats(),
  };
}
