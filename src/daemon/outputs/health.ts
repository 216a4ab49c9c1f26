import type { SlotStats } from '../../camera/slot.js';
import type { MeterReading } from '../line/meter.js';
import type { PipelineStats } from '../line/pipeline.js';

export interface CameraHealth {
  readonly status: string;
  /** Why it is not online. */
  readonly reason: string | null;
  readonly reading: MeterReading;
  readonly frames: SlotStats;
}

export interface HealthSample {
  readonly time: number;
  readonly uptimeMs: number;
  readonly reading: MeterReading;
  readonly pipeline: PipelineStats;
  readonly cameras: Readonly<Record<string, CameraHealth>>;
  readonly outbox: number;
  readonly droppedMessages: number;
  readonly rssBytes: number;
  /** °C; null without a sensor. */
  readonly temperature: number | null;
  readonly throttled: boolean | null;
  readonly undervoltage: boolean | null;
}

/** Payload of `<base>/health`. Times in milliseconds, memory in MB (10⁶ bytes). */
export function healthPayload(sample: HealthSample): Record<string, unknown> {
  const { reading } = sample;
  const cameras = Object.entries(sample.cameras);
  return {
    time: new Date(sample.time).toISOString(),
    temperature: sample.temperature,
    throttled: sample.throttled,
    undervoltage: sample.undervoltage,
    fps: tenth(reading.fps),
    latency_ms: tenthOrNull(reading.latencyMs),
    age_ms: tenthOrNull(reading.ageMs),
    rss_mb: tenth(sample.rssBytes / 1e6),
    outbox: sample.outbox,
    dropped: cameras.reduce((sum, [, { frames }]) => sum + frames.dropped, 0),
    dropped_messages: sample.droppedMessages,
    failed: sample.pipeline.failed,
    uptime_s: Math.round(sample.uptimeMs / 1000),
    cameras: Object.fromEntries(cameras.map(([name, camera]) => [name, cameraPayload(camera)])),
  };
}

/** `delivered` by the source, of which `skipped` by the motion gate and `dropped` for newer ones. */
function cameraPayload({ status, reason, reading, frames }: CameraHealth): object {
  return {
    status,
    reason,
    fps: tenth(reading.fps),
    age_ms: tenthOrNull(reading.ageMs),
    delivered: frames.delivered,
    skipped: frames.skipped,
    dropped: frames.dropped,
  };
}

function tenthOrNull(value: number | null): number | null {
  return value === null ? null : tenth(value);
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
