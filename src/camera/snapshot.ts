import sharp from 'sharp';
import type { Clock } from '../time.js';
import { decodePicture } from '../vision/decode.js';
import { type CameraOptions, ownTurn, pixelSteps } from './create.js';
import { encodeJpeg } from './pixels/jpeg.js';
import { applySteps, frameOf } from './pixels/pixels.js';
import { type StillOptions, takeStill } from './sources/libcamera/still.js';

export interface SnapshotSurroundings extends Pick<StillOptions, 'path' | 'temporary'> {
  readonly clock?: Clock;
}

const JPEG_QUALITY = 85;

/**
 * A picture of a libcamera camera in a size of its own, turned and masked as its frames are (`mask`
 * is in pixels of `options.size` and stretched with the picture), as JPEG without metadata that fits
 * into a message (see jpeg.ts). The camera must not be streaming. Throws MND_CAMERA_… errors.
 */
export async function takeSnapshot(
  options: CameraOptions,
  size: readonly [width: number, height: number],
  surroundings: SnapshotSurroundings,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const turn = ownTurn(options);
  const [width, height] = size;
  const encoded = await takeStill(
    {
      ...surroundings,
      controls: options.controls,
      size: turn === 90 || turn === 270 ? [height, width] : size,
      rotation: turn === 0 ? options.rotation : 0,
    },
    signal,
  );
  const decoded = frameOf(
    await decodePicture(encoded, { subject: 'libcamera still', maxPixels: width * height }),
  );
  const frame = applySteps(decoded, pixelSteps(options, turn));
  const { width: across, height: down } = frame;
  const picture = sharp(frame.bytes, { raw: { width: across, height: down, channels: 3 } });
  return encodeJpeg(picture, JPEG_QUALITY);
}
