import type { Frame } from '../../camera/source.js';
import type { CameraStatus } from '../../camera/supervisor.js';
import { isCodedError, messageOf } from '../../errors.js';
import type { Result } from '../../inference/result.js';
import { createRepeatingLog, type Log, type RepeatingLog } from '../../log.js';
import type { Clock } from '../../time.js';
import { createMeter, type Meter } from './meter.js';
import type { RecordedCamera, Recorder } from './recorder.js';
import { type ScheduledCamera, Scheduler } from './scheduler.js';
import type { TaughtStage } from './taught/stage.js';

/** A camera as the whole way of its frames sees it. */
export interface LineCamera extends ScheduledCamera, RecordedCamera {
  readonly meter: Meter;
  status(): CameraStatus;
  /** Whether it has been stopped for good: its last frame may still be looked at. */
  isStopped(): boolean;
}

export interface LineOptions {
  readonly clock: Clock;
  /** The network, and what adds labels that were taught. */
  readonly engine: TaughtStage;
  readonly recorder: Recorder;
  /** Labels of a result, the best ones. */
  readonly topK: number;
  readonly log: Log;
}

/** The way of a frame: from the camera whose turn it is through the network to the recorder. */
export class Line {
  readonly recorder: Recorder;
  /** What looks for taught labels. */
  readonly taught: TaughtStage;
  readonly scheduler: Scheduler<LineCamera>;
  /** Of all cameras together. */
  readonly meter: Meter;
  readonly #clock: Clock;
  readonly #repeating: RepeatingLog;

  constructor({ clock, engine, recorder, topK, log }: LineOptions) {
    this.#clock = clock;
    this.meter = createMeter(clock.now());
    this.taught = engine;
    this.recorder = recorder;
    this.#repeating = createRepeatingLog(log, { clock });
    this.scheduler = new Scheduler<LineCamera>({
      topK,
      infer: (frame, run) => engine.infer(frame, run),
      onResult: (camera, result, frame) => this.#onResult(camera, result, frame),
      onError: (camera, error) => this.#onError(camera, error),
    });
  }

  #onResult(camera: LineCamera, result: Result, frame: Frame): void {
    // A camera that was stopped while its last frame was looked at has ended already; nor does the
    // last frame count of one that has just been switched off, by hand or by its schedule.
    if (camera.isStopped() || camera.status() === 'disabled') return;
    const now = this.#clock.now();
    this.meter.add(result, now);
    camera.meter.add(result, now);
    this.recorder.record(camera, result, frame);
  }

  #onError(camera: LineCamera, error: unknown): void {
    this.#repeating.warn(
      `${camera.name} ${messageOf(error)}`,
      `a frame was not labelled: ${messageOf(error)}`,
      // A coded error says it all; where it was made is for the others.
      { camera: camera.name, ...(!isCodedError(error) && { err: error }) },
    );
  }
}
