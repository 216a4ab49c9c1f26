import type { MeterReading } from './meter.js';
import type { PipelineStats } from './pipeline.js';

export interface HealthSample {
  readonly time: number;
  readonly uptimeMs: number;
  readonly reading: MeterReading;
  readonly pipeline: PipelineStats;
  /** Frames that gave way to newer ones, of all cameras. */
  readonly droppedFrames: number;
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
  return {
    time: new Date(sample.time).toISOString(),
    temperature: sample.temperature,
    throttled: sample.throttled,
    undervoltage: sample.undervoltage,
    fps: tenth(reading.fps),
    latency_ms: reading.latencyMs === null ? null : tenth(reading.latencyMs),
    age_ms: reading.ageMs === null ? null : tenth(reading.ageMs),
    rss_mb: tenth(sample.rssBytes / 1e6),
    outbox: sample.outbox,
    dropped: sample.droppedFrames,
    dropped_messages: sample.droppedMessages,
    failed: sample.pipeline.failed,
    uptime_s: Math.round(sample.uptimeMs / 1000),
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
