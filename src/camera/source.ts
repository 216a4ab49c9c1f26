/** Pixel layouts a source may deliver. `jpeg` stands for any encoded picture that sharp decodes. */
export type PixelFormat = 'rgb24' | 'yuv420p' | 'jpeg';

/**
 * One picture from a camera.
 *
 * `rgb24` is width·height·3 bytes, rows not padded. `yuv420p` is planar I420 without padding:
 * width·height luma bytes, then two planes of ceil(width/2)·ceil(height/2). `jpeg` is one whole
 * encoded picture; its width and height are 0 until it is decoded.
 */
export interface Frame {
  /** Counts up from 1 within one camera, over restarts of its source. */
  readonly sequence: number;
  readonly camera: string;
  /** Monotonic capture time, milliseconds (`performance.now()`). */
  readonly capturedAt: number;
  /** Wall-clock capture time, milliseconds since the epoch. */
  readonly time: number;
  readonly width: number;
  readonly height: number;
  readonly format: PixelFormat;
  /** Luma range of `yuv420p`: libcamera delivers `full`, most network cameras `limited` (BT.601). */
  readonly range: 'full' | 'limited';
  readonly bytes: Uint8Array;
  /** Nothing has moved; the motion gate lets it pass because a look is due. */
  readonly unmoved?: true;
}

/** What a source hands over: the frame without what the slot adds. */
export interface CapturedFrame
  extends Pick<Frame, 'width' | 'height' | 'format' | 'range' | 'bytes'> {
  /** What it is called, e.g. a file's name; for messages. */
  readonly name?: string;
}

/** An encoded picture as a source hands it over: whoever decodes it finds out its kind and size. */
export function encodedPicture(bytes: Uint8Array): CapturedFrame {
  return { width: 0, height: 0, format: 'jpeg', range: 'full', bytes };
}

/**
 * A source of frames.
 *
 * `run` works until `signal` is aborted or the source breaks or ends, and then resolves with the
 * reason (it never rejects): MND_CAMERA_STOPPED after an abort, MND_CAMERA_ENDED after the last
 * picture of a finite source, another MND_CAMERA_… code when it broke. The bytes given to `onFrame`
 * belong to the source again when `onFrame` returns; a source that makes its own pace waits for what it
 * returns before the next. `onAlive` says that the source works although it
 * has no new picture.
 */
export interface Source {
  run(
    signal: AbortSignal,
    onFrame: (frame: CapturedFrame) => void | Promise<void>,
    onAlive?: () => void,
  ): Promise<Error>;
}
