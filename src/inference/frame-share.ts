import type { Frame } from '../camera/source.js';

/** Puts frames where the worker can read them. */
export interface FrameShare {
  /** A frame in shared memory is passed as it is; another is copied once. */
  share(frame: Frame): SharedFrame;
}

export interface SharedFrame {
  readonly frame: Frame;
  /** Gives the copy's memory back, for the next frame. */
  done(): void;
}

/** Copies of so many frames are kept for reuse. */
const MAX_SPARE = 2;

export function createFrameShare(): FrameShare {
  const spare: SharedArrayBuffer[] = [];

  function take(bytes: number): SharedArrayBuffer {
    const index = spare.findIndex((buffer) => buffer.byteLength >= bytes);
    const [found] = index < 0 ? [] : spare.splice(index, 1);
    return found ?? new SharedArrayBuffer(bytes);
  }

  function give(buffer: SharedArrayBuffer): void {
    spare.push(buffer);
    // The oldest goes: it is the one that did not fit.
    if (spare.length > MAX_SPARE) spare.shift();
  }

  return {
    share(frame) {
      if (frame.bytes.buffer instanceof SharedArrayBuffer) return { frame, done: () => {} };
      const buffer = take(frame.bytes.length);
      const bytes = new Uint8Array(buffer, 0, frame.bytes.length);
      bytes.set(frame.bytes);
      return { frame: { ...frame, bytes }, done: () => give(buffer) };
    },
  };
}
