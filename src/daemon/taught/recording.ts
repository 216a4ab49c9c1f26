import { encodeJpeg } from '../../camera/pixels/jpeg.js';
import type { Frame } from '../../camera/source.js';
import type { RecordingPayload } from '../../control/report.js';
import { isCodedError, messageOf } from '../../errors.js';
import type { Box, Result } from '../../inference/result.js';
import type { Intake } from '../../taught/intake.js';
import { copyOf, pictureOf } from '../pictures.js';
import type { Worth } from './worth.js';

/** The part of a frame that is a picture of what is taught; null: this frame shows none. */
export type PartOf = (result: Result, size: readonly [number, number]) => Box | 'whole' | null;

export interface RecordingOptions {
  readonly camera: string;
  readonly intake: Intake;
  readonly worth: Worth;
  readonly part: PartOf;
  /** Monotonic ms at which it ends by itself. */
  readonly until: number;
  readonly now: () => number;
}

export type RecordingState = RecordingPayload;

/** Least time between two pictures, ms: those that follow each other faster are alike. */
const INTERVAL_MS = 250;
const QUALITY = 92;

/** Takes pictures out of a camera's frames for some seconds. Never holds up the way of frames. */
export class Recording {
  readonly id: string;
  readonly #options: RecordingOptions;
  #working: Promise<void> | null = null;
  #last = Number.NEGATIVE_INFINITY;
  #empty = 0;
  /** When a frame of the camera came last. */
  #seen: number;
  #isEnding = false;
  #state: RecordingState['state'] = 'recording';
  #error: string | null = null;
  #code: string | null = null;

  constructor(id: string, options: RecordingOptions) {
    this.id = id;
    this.#options = options;
    this.#seen = options.now();
  }

  isOver(): boolean {
    return this.#state !== 'recording';
  }

  state(): RecordingState {
    const { intake, worth, until, now } = this.#options;
    const left = this.#state === 'recording' ? Math.max(0, until - now()) / 1000 : 0;
    return {
      id: this.id,
      state: this.#state,
      left_s: Math.round(left * 10) / 10,
      ...intake.counts(),
      empty: this.#empty,
      idle_s: this.#state === 'recording' ? Math.round((now() - this.#seen) / 100) / 10 : 0,
      error: this.#error,
      code: this.#code,
      figures: this.#state === 'failed' ? null : worth.figures(),
      advice: this.#state === 'failed' ? [] : worth.advice(),
    };
  }

  /** Looks at a labelled frame; its bytes are only used until this returns. */
  look(result: Result, frame: Frame): void {
    const { camera, now, until, part } = this.#options;
    if (frame.camera !== camera) return;
    this.#seen = now();
    if (this.#isEnding || this.#state !== 'recording' || this.#working !== null) return;
    if (now() >= until || now() - this.#last < INTERVAL_MS) return;
    const size = result.picture ?? ([frame.width, frame.height] as const);
    const found = part(result, size);
    if (found === null) {
      this.#empty += 1;
      return;
    }
    this.#last = now();
    this.#working = this.#take(copyOf(frame), found, size).finally(() => {
      this.#working = null;
    });
  }

  /** Ends it; resolves with what came of it when that is on the disk. */
  async end(): Promise<RecordingState> {
    this.#isEnding = true;
    await this.#working;
    const { worth, intake } = this.#options;
    await worth.stop();
    if (this.#state === 'recording') {
      await intake.requireKept().then(
        () => {
          this.#state = 'done';
        },
        (error: unknown) => this.#fail(error),
      );
      await intake.close();
    }
    return this.state();
  }

  async #take(frame: Frame, part: Box | 'whole', size: readonly [number, number]): Promise<void> {
    const { intake, worth, camera } = this.#options;
    try {
      const picture = pictureOf(frame);
      const region = part === 'whole' ? null : regionOf(part, size);
      if (region !== null) picture.extract(region);
      await intake.offer(await encodeJpeg(picture, QUALITY), `a frame of ${camera}`);
      worth.look();
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** Nothing of it is kept. */
  async #fail(error: unknown): Promise<void> {
    this.#state = 'failed';
    this.#error = messageOf(error);
    this.#code = isCodedError(error) ? error.code : 'MND_INTERNAL';
    await this.#options.intake.withdraw().catch((other: unknown) => {
      this.#error = `${this.#error}; ${messageOf(other)}`;
    });
  }
}

/** Whole pixels inside the frame. */
function regionOf([x, y, width, height]: Box, [across, down]: readonly [number, number]) {
  const left = Math.min(Math.max(0, Math.round(x)), across - 1);
  const top = Math.min(Math.max(0, Math.round(y)), down - 1);
  return {
    left,
    top,
    width: Math.max(1, Math.min(Math.round(width), across - left)),
    height: Math.max(1, Math.min(Math.round(height), down - top)),
  };
}
