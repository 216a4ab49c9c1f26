import { codedError } from '../errors.js';
import { type Clock, systemClock } from '../time.js';
import { byteLength, MAX_SIDE } from '../vision/layout.js';
import type { CapturedFrame, Frame } from './source.js';

export interface SlotOptions {
  readonly camera: string;
  readonly clock?: Pick<Clock, 'now' | 'wall'>;
  /**
   * Says whether a frame is worth looking at (a motion gate); one that is not is not copied. `unmoved`
   * marks one that shows nothing new.
   */
  readonly accept?: (captured: CapturedFrame, now: number) => boolean | 'unmoved';
  /** Called after every accepted frame. */
  readonly onAvailable?: () => void;
}

export interface SlotStats {
  /** Frames that came from the source. */
  readonly delivered: number;
  /** Frames that `accept` refused. */
  readonly skipped: number;
  /** Frames handed to the consumer. */
  readonly taken: number;
  /** Frames replaced by a newer one, or accepted while every buffer was taken. */
  readonly dropped: number;
}

/** Holds the newest frame of one camera; an older one that nobody took gives way. */
export interface FrameSlot {
  /**
   * Copies the frame into shared memory, once, as the one to be taken next.
   * Throws MND_FRAME_INVALID when the bytes do not fit the format and size.
   */
  put(captured: CapturedFrame): void;
  /** The waiting frame, if any. Its bytes (over a SharedArrayBuffer) stay valid until released. */
  take(): Frame | null;
  /** Gives the buffer of a taken frame back; a second release of the same frame does nothing. */
  release(frame: Frame): void;
  stats(): SlotStats;
  /** Drops the waiting frame; later frames are ignored. */
  close(): void;
}

/** Bytes one frame may have: a 4K picture as rgb24 has 25 MB. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;
/** One that is being looked at, one that waits, and one for a second look (a snapshot). */
const POOL_SIZE = 3;
/** Encoded pictures vary in size: room is made in steps, so that it is seldom made. */
const ENCODED_STEP = 64 * 1024;
/** A buffer this many times too large is given back to the system. */
const SHRINK_FACTOR = 4;

interface PoolBuffer {
  bytes: Uint8Array<SharedArrayBuffer>;
  /** The taken frame that holds it. */
  holder: Frame | null;
}

/**
 * Latest-wins slot of one camera: at most three shared buffers, allocated on demand and reused, so
 * that a steady stream allocates nothing but the small frame objects.
 */
export function createSlot(options: SlotOptions): FrameSlot {
  const clock = options.clock ?? systemClock;
  const pool: PoolBuffer[] = [];
  let waiting: { readonly frame: Frame; readonly buffer: PoolBuffer } | null = null;
  let sequence = 0;
  let taken = 0;
  let dropped = 0;
  let skipped = 0;
  let closed = false;

  /** A buffer that no taken frame holds: the waiting frame's own is overwritten first. */
  function vacantBuffer(): PoolBuffer | null {
    if (waiting !== null) return waiting.buffer;
    const vacant = pool.find(({ holder }) => holder === null);
    if (vacant !== undefined) return vacant;
    if (pool.length >= POOL_SIZE) return null;
    const buffer: PoolBuffer = { bytes: new Uint8Array(new SharedArrayBuffer(0)), holder: null };
    pool.push(buffer);
    return buffer;
  }

  function put(captured: CapturedFrame): void {
    if (closed) return;
    checkFrame(options.camera, captured);
    sequence += 1;
    const capturedAt = clock.now();
    const verdict = options.accept?.(captured, capturedAt);
    if (verdict === false) {
      skipped += 1;
      return;
    }
    const buffer = vacantBuffer();
    if (waiting !== null || buffer === null) dropped += 1;
    if (buffer === null) return;
    copyInto(buffer, captured);
    const { width, height, format, range } = captured;
    const frame: Frame = {
      sequence,
      camera: options.camera,
      capturedAt,
      time: clock.wall(),
      width,
      height,
      format,
      range,
      bytes: buffer.bytes,
      ...(verdict === 'unmoved' && { unmoved: true }),
    };
    waiting = { frame, buffer };
    options.onAvailable?.();
  }

  function take(): Frame | null {
    if (waiting === null) return null;
    const { frame, buffer } = waiting;
    waiting = null;
    buffer.holder = frame;
    taken += 1;
    return frame;
  }

  return {
    put,
    take,
    release(frame) {
      const buffer = pool.find(({ holder }) => holder === frame);
      if (buffer !== undefined) buffer.holder = null;
    },
    stats: () => ({ delivered: sequence, skipped, taken, dropped }),
    close() {
      closed = true;
      waiting = null;
      pool.length = 0;
    },
  };
}

function copyInto(buffer: PoolBuffer, { bytes, format }: CapturedFrame): void {
  const needed = bytes.length;
  let memory = buffer.bytes.buffer;
  if (memory.byteLength < needed || memory.byteLength > SHRINK_FACTOR * needed + ENCODED_STEP) {
    const room = format === 'jpeg' ? Math.ceil(needed / ENCODED_STEP) * ENCODED_STEP : needed;
    memory = new SharedArrayBuffer(room);
  }
  if (memory !== buffer.bytes.buffer || buffer.bytes.length !== needed) {
    buffer.bytes = new Uint8Array(memory, 0, needed);
  }
  buffer.bytes.set(bytes);
}

/** Bytes of an unpadded frame; null for an encoded one. */
export function frameLength(format: Frame['format'], width: number, height: number): number | null {
  return format === 'jpeg' ? null : byteLength({ width, height, format });
}

function checkFrame(camera: string, { width, height, format, bytes }: CapturedFrame): void {
  const invalid = (expected: string, found: string) =>
    codedError('MND_FRAME_INVALID', { subject: `camera ${camera}`, expected, found });
  const smallest = format === 'jpeg' ? 0 : 1;
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < smallest || side > MAX_SIDE) {
      throw invalid(`sides of ${smallest} to ${MAX_SIDE} pixels`, `${width}×${height}`);
    }
  }
  if (bytes.length === 0 || bytes.length > MAX_FRAME_BYTES) {
    throw invalid(`1 to ${MAX_FRAME_BYTES} bytes`, `${bytes.length} bytes`);
  }
  const expected = frameLength(format, width, height);
  if (expected !== null && bytes.length !== expected) {
    throw invalid(`${expected} bytes for ${width}×${height} ${format}`, `${bytes.length} bytes`);
  }
}
