import sharp, { type Sharp } from 'sharp';
import { encodeJpeg } from '../../camera/pixels/jpeg.js';
import type { Frame } from '../../camera/source.js';
import { codedError } from '../../errors.js';
import { resizeBilinear } from '../../vision/resize.js';
import { createSamplingPlan } from '../../vision/sampling.js';
import type { CameraUnit } from '../cameras/camera-unit.js';

export interface Snapshots {
  /** Publishes a picture of the camera's next frame. */
  request(camera: string): void;
  /**
   * As `request`, but a camera that can takes a picture in a size of its own; resolves when that is
   * published, and rejects when it cannot be taken.
   */
  take(unit: Pick<CameraUnit, 'name' | 'picture' | 'status' | 'reason'>): Promise<void>;
  /** Offers a labelled frame, whose bytes are only valid now. */
  offer(frame: Frame): void;
  stop(): Promise<void>;
}

export interface SnapshotOptions {
  readonly publish: (camera: string, jpeg: Uint8Array) => void;
  readonly onError: (camera: string, error: unknown) => void;
}

const JPEG_QUALITY = 80;

/**
 * Pictures of single frames as JPEG. A frame is copied only when one was asked for, and at most one
 * of a camera is encoded at a time, so a burst of requests costs one picture.
 */
export function createSnapshots(options: SnapshotOptions): Snapshots {
  const wanted = new Set<string>();
  const underway = new Map<string, Promise<void>>();

  async function encode(frame: Frame): Promise<void> {
    try {
      options.publish(frame.camera, await encodeJpeg(open(frame), JPEG_QUALITY));
    } catch (error) {
      options.onError(frame.camera, error);
    } finally {
      underway.delete(frame.camera);
    }
  }

  return {
    request: (camera) => void wanted.add(camera),
    async take(unit) {
      const picture = unit.picture();
      if (picture !== null) return options.publish(unit.name, await picture);
      if (unit.status() !== 'online') throw noFrames(unit);
      wanted.add(unit.name);
    },
    offer(frame) {
      if (!wanted.has(frame.camera) || underway.has(frame.camera)) return;
      wanted.delete(frame.camera);
      const copy = { ...frame, bytes: Uint8Array.from(frame.bytes) };
      underway.set(frame.camera, encode(copy));
    },
    async stop() {
      await Promise.all(underway.values());
    },
  };
}

/** A camera of which no next frame can be expected. */
function noFrames({ name, status, reason }: Pick<CameraUnit, 'name' | 'status' | 'reason'>): Error {
  const code = status() === 'disabled' ? 'MND_CAMERA_STOPPED' : 'MND_CAMERA_FAILED';
  return codedError(code, { subject: `camera ${name}`, found: reason() ?? status() });
}

function open(frame: Frame): Sharp {
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
