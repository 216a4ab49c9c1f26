import { readFileSync } from 'node:fs';
import { messageOf } from '../errors.js';
import { type Resize, resizeBilinear } from '../vision/resize.js';
import { createKernelResize } from '../vision/resize-kernel.js';

export interface LoadedResize {
  readonly resize: Resize;
  /** Both make the same pixels; `plain` takes about ten times as long. */
  readonly kind: 'simd' | 'plain';
  /** Why it is the plain one. */
  readonly reason: string | null;
}

const KERNEL = new URL('../vision/resize.wasm', import.meta.url);

/** The SIMD kernel, or the plain resize where it is missing or this machine cannot run it. */
export function loadResize(file: URL = KERNEL): LoadedResize {
  try {
    return { resize: createKernelResize(readFileSync(file)), kind: 'simd', reason: null };
  } catch (error) {
    return { resize: resizeBilinear, kind: 'plain', reason: messageOf(error) };
  }
}
