import { messageOf } from '../../errors.js';
import { type DecodedPicture, decodePicture } from '../../vision/decode.js';
import { planDecoding } from '../../vision/decode-plan.js';
import type { CapturedFrame, Source } from '../source.js';

/** Changes the pixels of a frame; may work in place, and the result is valid until the next call. */
export type PixelStep = (frame: CapturedFrame) => CapturedFrame;

export interface PixelOptions {
  readonly steps: readonly PixelStep[];
  /** Encoded pictures are decoded even where no step asks for it. */
  readonly decode: boolean;
  /** Pixels an encoded picture is decoded to at most. */
  readonly maxPixels: number;
  /** Told of a picture that is left out, by its name where it has one. */
  readonly onRefused: (name: string, reason: string) => void;
}

/**
 * An encoded picture that takes more than this to decode, or has more bytes, is decoded (and made
 * smaller) here, one after the other; others go on as they are, and are decoded if they are looked at.
 */
const DIRECT_COST = 24 * 1024 * 1024;
const DIRECT_BYTES = 4 * 1024 * 1024;

/**
 * A source whose frames go through the steps before anyone sees them. An encoded picture is decoded
 * for that, and goes on as `rgb24`; one that cannot be decoded is left out, since it could not be
 * masked. While one is being decoded the newest waits: a source that waits for `onFrame` loses none.
 */
export function withPixels(source: Source, options: PixelOptions): Source {
  const { steps } = options;
  return {
    async run(signal, onFrame, onAlive) {
      let next: CapturedFrame | null = null;
      let decoding: Promise<void> | null = null;
      const decodeNewest = async (): Promise<void> => {
        while (next !== null && !signal.aborted) {
          const frame: CapturedFrame = next;
          next = null;
          const ready = await prepare(frame, options);
          if (ready !== null && !signal.aborted) onFrame(applySteps(ready, steps));
        }
        decoding = null;
      };
      const reason = await source.run(
        signal,
        (frame) => {
          if (frame.format !== 'jpeg') return onFrame(applySteps(frame, steps));
          next = { ...frame, bytes: frame.bytes.slice() };
          decoding ??= decodeNewest();
          return decoding;
        },
        onAlive,
      );
      if (decoding !== null) await decoding;
      return reason;
    },
  };
}

/** The encoded frame as it goes on; null when it is refused. */
async function prepare(frame: CapturedFrame, options: PixelOptions): Promise<CapturedFrame | null> {
  const subject = frame.name ?? 'picture';
  const { maxPixels, steps, decode } = options;
  try {
    if (steps.length === 0 && !decode && frame.bytes.length <= DIRECT_BYTES) {
      const plan = await planDecoding(frame.bytes, { subject });
      if (plan.cost <= DIRECT_COST) return frame;
    }
    return frameOf(await decodePicture(frame.bytes, { subject, maxPixels }));
  } catch (error) {
    options.onRefused(subject, messageOf(error));
    return null;
  }
}

export function frameOf({ width, height, bytes }: DecodedPicture): CapturedFrame {
  return { width, height, format: 'rgb24', range: 'full', bytes };
}

/** The frame after each step in turn; the frame itself where there are none. */
export function applySteps(frame: CapturedFrame, steps: readonly PixelStep[]): CapturedFrame {
  return steps.reduce((changed, step) => step(changed), frame);
}
