import type { Frame } from '../../camera/source.js';
import { type ErrorCode, isCodedError } from '../../errors.js';
import type { RunOptions } from '../../inference/engine.js';
import type { Box, Result } from '../../inference/result.js';
import { type Clock, systemClock } from '../../time.js';

/** A camera as the scheduler sees it: where its newest frame waits, and how it is looked at. */
export interface ScheduledCamera {
  readonly name: string;
  take(): Frame | null;
  release(frame: Frame): void;
  /** Least milliseconds between the starts of two inferences of this camera. */
  interval(): number;
  /** Frames a second asked for: its share of the engine when there is not enough for all. */
  rate(): number;
  /** Part of the frame that is looked at, in pixels of a frame of that size. */
  readonly crop: { readonly box: Box; readonly size: readonly [number, number] } | null;
  /** Scores below this are not looked at, 0 to 1. */
  leastScore(): number;
}

export interface SchedulerOptions<Camera extends ScheduledCamera> {
  /** Runs the network on a frame; the bytes stay valid until the promise settles. */
  readonly infer: (frame: Frame, options: RunOptions) => Promise<Result>;
  /** The frame's bytes are only valid until it returns. */
  readonly onResult: (camera: Camera, result: Result, frame: Frame) => void;
  readonly onError: (camera: Camera, error: unknown) => void;
  /** Labels of a result, the best ones. */
  readonly topK: number;
  readonly clock?: Clock;
}

export interface SchedulerStats {
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

/** A camera's state in fair queueing. */
interface Flow<Camera> {
  readonly camera: Camera;
  /** Monotonic time before which this camera is not looked at again. */
  due: number;
  /** Frames it has been served, each counted as 1 / rate: whoever is furthest behind is next. */
  startTag: number;
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
export class Scheduler<Camera extends ScheduledCamera> {
  readonly #options: SchedulerOptions<Camera>;
  readonly #clock: Clock;
  readonly #counts = { labelled: 0, failed: 0, refused: 0, busyMs: 0 };
  #topK: number;
  #flows: Flow<Camera>[] = [];
  /** The start tag of the frame served last: where a camera begins that was silent. */
  #virtualTime = 0;
  #stopping = false;
  #serving: Promise<void> | null = null;
  #endPause: (() => void) | null = null;
  #lookingSince: number | null = null;

  constructor(options: SchedulerOptions<Camera>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#topK = options.topK;
  }

  /** Replaces the cameras; the frame being looked at is finished first. */
  setCameras(cameras: readonly Camera[]): void {
    const known = new Map(this.#flows.map((flow) => [flow.camera.name, flow]));
    this.#flows = cameras.map((camera) => {
      const { due = 0, startTag = this.#virtualTime } = known.get(camera.name) ?? {};
      return { camera, due, startTag };
    });
    this.wake();
  }

  setTopK(topK: number): void {
    this.#topK = topK;
  }

  /** A frame has become available. */
  wake(): void {
    this.#endPause?.();
  }

  start(): void {
    this.#stopping = false;
    this.#serving ??= this.#serve();
  }

  /** Resolves when no frame is being looked at any more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.wake();
    await this.#serving;
    this.#serving = null;
  }

  stats(): SchedulerStats {
    const since = this.#lookingSince;
    return { ...this.#counts, lookingMs: since === null ? null : this.#clock.now() - since };
  }

  async #serve(): Promise<void> {
    while (!this.#stopping) {
      const time = this.#clock.now();
      const next = this.#nextFrame(time);
      if (next === null) await this.#pause(time);
      else await this.#look(next.flow, next.frame);
    }
  }

  #nextFrame(time: number): { flow: Flow<Camera>; frame: Frame } | null {
    const due = this.#flows.filter((flow) => flow.due - EARLY_MS <= time);
    for (const flow of due.sort((a, b) => a.startTag - b.startTag)) {
      const frame = flow.camera.take();
      if (frame === null) continue;
      this.#virtualTime = Math.max(this.#virtualTime, flow.startTag);
      flow.startTag = this.#virtualTime + 1 / flow.camera.rate();
      return { flow, frame };
    }
    return null;
  }

  /** Waits for a frame, or for the first camera that is not due yet. */
  #pause(time: number): Promise<void> {
    const due = Math.min(...this.#flows.map((flow) => (flow.due > time ? flow.due : Infinity)));
    return new Promise((resolve) => {
      const cancel = Number.isFinite(due)
        ? this.#clock.setTimer(() => this.wake(), Math.max(1, due - time))
        : () => {};
      this.#endPause = () => {
        cancel();
        this.#endPause = null;
        resolve();
      };
    });
  }

  async #look(flow: Flow<Camera>, frame: Frame): Promise<void> {
    const { camera } = flow;
    const started = this.#clock.now();
    this.#lookingSince = started;
    // A camera that delivers late keeps its rate: the next turn is counted from the due time,
    // unless that has fallen behind by more than one interval.
    const interval = camera.interval();
    flow.due = (started - flow.due > interval ? started : flow.due) + interval;
    try {
      const result = await this.#options.infer(frame, {
        topK: this.#topK,
        threshold: camera.leastScore(),
        crop: camera.crop?.box ?? null,
        cropOf: camera.crop?.size,
      });
      this.#counts.labelled += 1;
      this.#options.onResult(camera, result, frame);
    } catch (error) {
      this.#counts.failed += 1;
      if (isCodedError(error) && FRAME_FAULTS.has(error.code)) this.#counts.refused += 1;
      this.#options.onError(camera, error);
    } finally {
      this.#lookingSince = null;
      this.#counts.busyMs += this.#clock.now() - started;
      camera.release(frame);
    }
  }
}
