import sharp from 'sharp';
import type { CapturedFrame, Source } from '../source.js';

/** Changes the pixels of a frame; may work in place, and the result is valid until the next call. */
export type PixelStep = (frame: CapturedFrame) => CapturedFrame;

/**
 * A source whose frames go through the steps before anyone sees them. An encoded picture is decoded
 * for that (the newest while another is being decoded) and goes on as `rgb24`; one that cannot be
 * decoded is dropped, since it could not be masked.
 */
export function withPixels(source: Source, steps: readonly PixelStep[]): Source {
  if (steps.length === 0) return source;
  return {
    async run(signal, onFrame, onAlive) {
      let next: Uint8Array | null = null;
      let decoding: Promise<void> | null = null;
      const pass = (frame: CapturedFrame): void => onFrame(applySteps(frame, steps));
      const decodeNewest = async (): Promise<void> => {
        while (next !== null && !signal.aborted) {
          const encoded = next;
          next = null;
          const frame = await decodeFrame(encoded);
          if (frame !== null && !signal.aborted) pass(frame);
        }
        decoding = null;
      };
      const reason = await source.run(
        signal,
        (frame) => {
          if (frame.format !== 'jpeg') {
            pass(frame);
            return;
          }
          next = frame.bytes.slice();
          decoding ??= decodeNewest();
        },
        onAlive,
      );
      if (decoding !== null) await decoding;
      return reason;
    },
  };
}

/** The frame after each step in turn; the frame itself where there are none. */
export function applySteps(frame: CapturedFrame, steps: readonly PixelStep[]): CapturedFrame {
  return steps.reduce((changed, step) => step(changed), frame);
}

/** Upright `rgb24`; null when it cannot be decoded. */
export async function decodeFrame(encoded: Uint8Array): Promise<CapturedFrame | null> {
  try {
    const { data, info } = await sharp(encoded)
      .autoOrient()
      .flatten()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) return null;
    const { width, height } = info;
    return { width, height, format: 'rgb24', range: 'full', bytes: data };
  } catch {
    return null;
  }
}
