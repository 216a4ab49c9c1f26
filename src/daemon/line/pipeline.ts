import type { Frame } from '../../camera/source.js';
import { type ErrorCode, isCodedError } from '../../errors.js';
import type { RunOptions } from '../../inference/engine.js';
import type { Box, Result } from '../../inference/result.js';

/** A camera as the pipeline sees it: where its newest frame waits and how it is looked at. */
export interface Lane {
  readonly camera: string;
  take(): Frame | null;
  release(frame: Frame): void;
  /** Least milliseconds between the starts of two inferences of this camera. */
  interval(): number;
  /** Frames a second asked for: its share of the engine when there is not enough for all. */
  rate(): number;
  /** Part of the frame that is looked at, in pixels of a frame of that size. */
  readonly crop: { readonly box: Box; readonly size: readonly [number, number] } | null;
  /** Scores below this are not looked at, 0 to 1. */
  threshold(): number;
}

export interface PipelineOptions {
  /** Runs the network on a frame; the bytes stay valid until the promise settles. */
  readonly infer: (frame: Frame, options: RunOptions) => Promise<Result>;
  /** The frame's bytes are only valid until it returns. */
  readonly onResult: (lane: Lane, result: Result, frame: Frame) => void;
  readonly onError: (lane: Lane, error: unknown) => void;
  readonly topK: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

export interface Pipeline {
  /** Replaces the lanes; the frame being looked at is finished first. */
  setLanes(lanes: readonly Lane[]): void;
  /** A frame has become available. */
  wake(): void;
  start(): void;
  /** Resolves when no frame is being looked at any more. */
  stop(): Promise<void>;
  stats(): PipelineStats;
}

export interface PipelineStats {
  /** Frames labelled, and frames whose inference failed, since the start. */
  readonly labelled: number;
  readonly failed: number;
  /** Those of the failed frames that were at fault themselves: damaged, or of a wrong size. */
  readonly refused: number;
  /** Milliseconds the frame being looked at has been in the network; null without one. */
  readonly lookingMs: number | null;
  /** Milliseconds the engine was busy since the start. */
  readonly busyMs: number;
}

interface Seat {
  readonly lane: Lane;
  /** Monotonic time before which this camera is not looked at again. */
  due: number;
  /** Turns it has had, each counted as 1 / rate: whoever is furthest behind is next. */
  pass: number;
}

/** Failures that say nothing about the network. */
const FRAME_FAULTS: ReadonlySet<ErrorCode> = new Set(['MND_FRAME_INVALID', 'MND_IMAGE_INVALID']);
/** Frames arrive on their own clock; one that is at most this early is not made to wait. */
const EARLY_MS = 5;

/**
 * Serves one frame at a time: the engine has one thread, and a second frame in flight would only grow
 * older. When there are more frames than it can look at, cameras share it by the rates they ask for
 * (start-time fair queueing: Goyal, Vin and Cheng, 1996, with a cost of 1 / rate a frame). One that
 * delivers nothing costs the others nothing and saves up nothing.
 */
export function createPipeline(options: PipelineOptions): Pipeline {
  const now = options.now ?? (() => performance.now());
  let seats: Seat[] = [];
  /** The pass of the frame served last: where a camera begins that was silent. */
  let virtualTime = 0;
  let stopping = false;
  let serving: Promise<void> | null = null;
  let rouse: (() => void) | null = null;
  let lookingSince: number | null = null;
  const stats = { labelled: 0, failed: 0, refused: 0, busyMs: 0 };

  function nextSeat(time: number): { seat: Seat; frame: Frame } | null {
    const due = seats.filter((seat) => seat.due - EARLY_MS <= time);
    for (const seat of due.sort((a, b) => a.pass - b.pass)) {
      const frame = seat.lane.take();
      if (frame === null) continue;
      virtualTime = Math.max(virtualTime, seat.pass);
      seat.pass = virtualTime + 1 / seat.lane.rate();
      return { seat, frame };
    }
    return null;
  }

  /** Waits for a frame, or for the first camera that is not due yet. */
  function rest(time: number): Promise<void> {
    const due = Math.min(...seats.map((seat) => (seat.due > time ? seat.due : Infinity)));
    return new Promise((resolve) => {
      const timer = Number.isFinite(due) ? setTimeout(wake, Math.max(1, due - time)) : null;
      rouse = () => {
        if (timer !== null) clearTimeout(timer);
        rouse = null;
        resolve();
      };
    });
  }

  function wake(): void {
    rouse?.();
  }

  async function look({ seat, frame }: { seat: Seat; frame: Frame }): Promise<void> {
    const started = now();
    lookingSince = started;
    // A camera that delivers late keeps its rate: the next turn is counted from the due time,
    // unless that has fallen behind by more than one interval.
    const interval = seat.lane.interval();
    seat.due = (started - seat.due > interval ? started : seat.due) + interval;
    try {
      const result = await options.infer(frame, {
        topK: options.topK,
        threshold: seat.lane.threshold(),
        crop: seat.lane.crop?.box ?? null,
        cropOf: seat.lane.crop?.size,
      });
      stats.labelled += 1;
      options.onResult(seat.lane, result, frame);
    } catch (error) {
      stats.failed += 1;
      if (isCodedError(error) && FRAME_FAULTS.has(error.code)) stats.refused += 1;
      options.onError(seat.lane, error);
    } finally {
      lookingSince = null;
      stats.busyMs += now() - started;
      seat.lane.release(frame);
    }
  }

  async function serve(): Promise<void> {
    while (!stopping) {
      const time = now();
      const next = nextSeat(time);
      if (next === null) await rest(time);
      else await look(next);
    }
  }

  return {
    setLanes(lanes) {
      const known = new Map(seats.map((seat) => [seat.lane.camera, seat]));
      seats = lanes.map((lane) => {
        const { due = 0, pass = virtualTime } = known.get(lane.camera) ?? {};
        return { lane, due, pass };
      });
      wake();
    },
    wake,
    start() {
      stopping = false;
      serving ??= serve();
    },
    async stop() {
      stopping = true;
      wake();
      await serving;
      serving = null;
    },
    stats: () => ({ ...stats, lookingMs: lookingSince === null ? null : now() - lookingSince }),
  };
}
