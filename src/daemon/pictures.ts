import sharp, { type Sharp } from 'sharp';
import { encodeJpeg } from '../camera/pixels/jpeg.js';
import type { Frame } from '../camera/source.js';
import type { Clock } from '../time.js';
import { resizeBilinear } from '../vision/resize.js';
import { createSamplingPlan } from '../vision/sampling.js';
import type { Signals } from './signals.js';

const JPEG_QUALITY = 80;
/** How long memory for a copy is kept for the next one: somebody who looks asks again by then, ms. */
const SPARE_MS = 5000;

/** A labelled frame as a JPEG. */
export interface FramePicture {
  readonly jpeg: Uint8Array;
  /** Of the frame. */
  readonly sequence: number;
  /** Wall time of its capture, ms. */
  readonly time: number;
}

interface Request {
  readonly picture: Promise<FramePicture>;
  readonly resolve: (picture: Promise<FramePicture>) => void;
}

/**
 * Pictures of single labelled frames as JPEG. A frame is copied only when one was asked for, and at
 * most one of a camera is encoded at a time, so a burst of requests costs one picture.
 */
export class Pictures {
  readonly #requests = new Map<string, Request>();
  readonly #encoding = new Map<string, Promise<unknown>>();
  /** Counts how often a camera was built anew: a frame of before may show what is masked now. */
  readonly #generations = new Map<string, number>();
  readonly #stops: readonly (() => void)[];
  /** Memory for the next copy: a new one each time would stay until a garbage collection. */
  #spare: Uint8Array | null = null;
  #forgetSpare: () => void = () => {};
  readonly #clock: Clock;

  constructor(signals: Signals, clock: Clock) {
    this.#clock = clock;
    this.#stops = [
      signals.on('labelled', ({ frame }) => this.#offer(frame)),
      signals.on('cameras', ({ rebuilt, removed }) => {
        for (const name of [...rebuilt, ...removed]) {
          this.#generations.set(name, this.#generationOf(name) + 1);
        }
      }),
    ];
  }

  /** A picture of the camera's next labelled frame; waits for as long as there is none. */
  next(camera: string): Promise<FramePicture> {
    const asked = this.#requests.get(camera);
    if (asked !== undefined) return asked.picture;
    let resolve: Request['resolve'] = () => {};
    const picture = new Promise<FramePicture>((done) => {
      resolve = done;
    });
    this.#requests.set(camera, { picture, resolve });
    return picture;
  }

  /** Resolves when what was begun is done. */
  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    await Promise.allSettled(this.#encoding.values());
    this.#forgetSpare();
  }

  /** The frame's bytes are only valid now. */
  #offer(frame: Frame): void {
    const { camera } = frame;
    const request = this.#requests.get(camera);
    if (request === undefined || this.#encoding.has(camera)) return;
    this.#requests.delete(camera);
    const generation = this.#generationOf(camera);
    const copy = this.#copyOf(frame);
    const encoding = encode(copy).finally(() => {
      this.#encoding.delete(camera);
      this.#keepSpare(copy.bytes);
    });
    this.#encoding.set(camera, encoding);
    const isCurrent = () => generation === this.#generationOf(camera);
    request.resolve(encoding.then((jpeg) => (isCurrent() ? jpeg : this.next(camera))));
  }

  #copyOf(frame: Frame): Frame {
    const spare = this.#spare;
    if (spare?.length !== frame.bytes.length) return copyOf(frame);
    this.#spare = null;
    spare.set(frame.bytes);
    return { ...frame, bytes: spare };
  }

  #keepSpare(bytes: Uint8Array): void {
    this.#spare = bytes;
    this.#forgetSpare();
    this.#forgetSpare = this.#clock.setTimer(() => {
      this.#spare = null;
    }, SPARE_MS);
  }

  #generationOf(camera: string): number {
    return this.#generations.get(camera) ?? 0;
  }
}

/** A frame whose bytes stay. */
export function copyOf(frame: Frame): Frame {
  return { ...frame, bytes: Uint8Array.from(frame.bytes) };
}

async function encode(frame: Frame): Promise<FramePicture> {
  const { sequence, time } = frame;
  return { jpeg: await encodeJpeg(pictureOf(frame), JPEG_QUALITY), sequence, time };
}

/** A frame as a picture, upright and in RGB. */
export function pictureOf(frame: Frame): Sharp {
  // Encoded again: what a source calls a picture may be a PNG, or carry a camera's metadata.
  if (frame.format === 'jpeg') return sharp(frame.bytes).autoOrient();
  const { width, height } = frame;
  const rgb = frame.format === 'rgb24' ? frame.bytes : toRgb(frame);
  return sharp(rgb, { raw: { width, height, channels: 3 } });
}

/** A resize to the frame's own size converts and changes nothing else. */
function toRgb(frame: Frame): Uint8Array {
  const { width, height } = frame;
  const whole = [0, 0, width, height] as const;
  const rgb = new Uint8Array(width * height * 3);
  resizeBilinear(
    frame.bytes,
    createSamplingPlan({ ...frame, format: 'yuv420p' }, whole, width, height),
    rgb,
  );
  return rgb;
}
