import { codedError } from '../../../errors.js';
import { type BlockAssembler, createBlockAssembler } from '../../pixels/assembler.js';
import type { CapturedFrame } from '../../source.js';
import { type PlaneLayout, possibleLayouts, removePadding } from './layout.js';

/** Cuts `--codec yuv420` output, which has no headers, into frames. */
export interface RawStreamReader {
  /** Takes a chunk that arrived at `now` (monotonic ms). Throws MND_FRAME_INVALID; unusable then. */
  push(chunk: Uint8Array, now: number): void;
  /** The camera said that its frames have another size than was asked for. */
  resize(width: number, height: number): void;
}

/** A pause this long (ms) is one between frames: within a frame, bytes follow one another at once. */
const PAUSE_MS = 12;
/** A pause as a share of the time from one frame to the next, for fast cameras. */
const PAUSE_SHARE = 0.4;
/** Pauses in a row that must fall between frames of one layout before it is believed. */
const PAUSES_TO_AGREE = 2;
/** Pauses without agreement, or in the middle of a frame, before the stream is given up. */
const MAX_PAUSES_ASTRAY = 16;

/**
 * The stream carries no marker, and the padding of its rows depends on the board. But every frame is
 * flushed, so the stream pauses after each: the layout is the one whose frames end where the stream
 * pauses. Afterwards a frame is delivered only if the last pause fell between frames and nothing
 * followed it at once; so after lost, additional or foreign bytes nothing is delivered until the
 * stream is in step again, and MND_FRAME_INVALID when that does not happen.
 *
 * @param fps frames a second that were asked for
 */
export function createRawStreamReader(
  size: readonly [width: number, height: number],
  fps: number,
  onFrame: (frame: CapturedFrame) => void,
): RawStreamReader {
  const pauseMs = Math.min(PAUSE_MS, (PAUSE_SHARE * 1000) / fps);
  let layouts = possibleLayouts(...size);
  let assembler: BlockAssembler | null = null;
  let total = 0;
  /** `total` at the last pause that was looked at. */
  let searchedTo = 0;
  let lastArrival: number | null = null;
  let agreement: { readonly layout: PlaneLayout; readonly count: number } | null = null;
  let astray = 0;
  let inStep = true;
  let whole: Uint8Array | null = null;

  function start(layout: PlaneLayout): BlockAssembler {
    const { width, height, stride } = layout;
    const packed = stride === width ? null : new Uint8Array(width * height * 1.5);
    return createBlockAssembler(layout.length, (block) => {
      if (packed !== null) removePadding(block, layout, packed);
      whole = packed ?? block;
    });
  }

  function fail(found: string): never {
    const lengths = layouts.map(({ length }) => length).join(' or ');
    throw codedError('MND_FRAME_INVALID', {
      subject: 'camera stream',
      expected: `frames of ${lengths} bytes`,
      found,
    });
  }

  /**
   * Before the layout is known: did exactly one frame of some layout come since the last pause? Several
   * at once prove nothing, since so many bytes may be frames of another size, too.
   */
  function searchLayout(): void {
    const since = total - searchedTo;
    searchedTo = total;
    const layout = layouts.find(({ length }) => since === length);
    astray += 1;
    if (layout !== undefined) {
      const count = agreement?.layout === layout ? agreement.count + 1 : 1;
      agreement = { layout, count };
      if (count >= PAUSES_TO_AGREE) {
        assembler = start(layout);
        astray = 0;
        return;
      }
    } else if (since === 0 || since % (agreement?.layout.length ?? Number.NaN) !== 0) {
      agreement = null;
    }
    if (astray >= MAX_PAUSES_ASTRAY) fail(`a pause after ${since} bytes`);
  }

  function checkStep(pending: number): void {
    inStep = pending === 0;
    astray = inStep ? 0 : astray + 1;
    if (astray >= MAX_PAUSES_ASTRAY) fail(`pauses within frames, ${pending} bytes after the start`);
  }

  function cut(chunk: Uint8Array, into: BlockAssembler): void {
    let position = 0;
    while (position < chunk.length) position = into.push(chunk, position);
    if (whole !== null && into.pending() === 0 && inStep) {
      const { width, height } = layouts[0] ?? { width: 0, height: 0 };
      onFrame({ width, height, format: 'yuv420p', range: 'full', bytes: whole });
    }
    whole = null;
  }

  return {
    push(chunk, now) {
      const paused = lastArrival !== null && now - lastArrival >= pauseMs;
      lastArrival = now;
      if (paused) {
        if (assembler === null) searchLayout();
        else checkStep(assembler.pending());
      }
      total += chunk.length;
      if (assembler !== null) cut(chunk, assembler);
    },
    resize(width, height) {
      if (width === layouts[0]?.width && height === layouts[0]?.height) return;
      layouts = possibleLayouts(width, height);
      assembler = null;
      agreement = null;
    },
  };
}
