import { median } from '../../inference/median.js';
import type { Result } from '../../inference/result.js';

/** What the last seconds were like. */
export interface MeterReading {
  /** Labelled frames a second. */
  readonly fps: number;
  /** Median milliseconds from a frame's start in the worker to its labels; null without frames. */
  readonly latencyMs: number | null;
  /** Median milliseconds from capture to labels; null without frames. */
  readonly ageMs: number | null;
}

export interface Meter {
  /** `labelledAt`: monotonic milliseconds. */
  add(result: Result, labelledAt: number): void;
  read(now: number): MeterReading;
}

interface Entry {
  readonly at: number;
  readonly latency: number;
  readonly age: number;
}

const WINDOW_MS = 10_000;
/** Bounds memory at any frame rate. */
const MAX_ENTRIES = 1024;

/** Frame rate, latency and age over the last ten seconds. */
export function createMeter(startedAt: number): Meter {
  let entries: Entry[] = [];

  return {
    add(result, labelledAt) {
      const { decode, preprocess, inference, postprocess } = result.timings;
      entries.push({
        at: labelledAt,
        latency: decode + preprocess + inference + postprocess,
        age: labelledAt - result.capturedAt,
      });
      if (entries.length > MAX_ENTRIES) entries = entries.slice(-MAX_ENTRIES / 2);
    },
    read(now) {
      entries = entries.filter(({ at }) => now - at <= WINDOW_MS);
      const span = Math.min(WINDOW_MS, Math.max(1, now - startedAt));
      return {
        fps: (entries.length * 1000) / span,
        latencyMs: entries.length === 0 ? null : median(entries.map(({ latency }) => latency)),
        ageMs: entries.length === 0 ? null : median(entries.map(({ age }) => age)),
      };
    },
  };
}
