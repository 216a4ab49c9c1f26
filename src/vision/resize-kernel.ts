import { COLOUR_MATRICES } from './colour.js';
import { type KernelLayout, kernelLayout } from './kernel-layout.js';
import { type Resize, resizeBilinear } from './resize.js';
import type { SamplingPlan } from './sampling.js';
import { WASM_PAGE_BYTES, type WasmMemory, wasm } from './webassembly.js';

/** What assembly/resize.ts exports; the parameters are explained there. */
interface Kernel {
  resizeYuv(...parameters: number[]): void;
  resizeRgb(...parameters: number[]): void;
}

/** Larger pictures (not frames: a 4K frame has 12 MB) take the plain way; the memory never shrinks. */
const MAX_BYTES = 24 * 1024 * 1024;

/**
 * The SIMD form of {@link resizeBilinear}, with identical results. The frame's cropped rows are
 * copied into the kernel's memory, which takes a sixth of the time that it needs.
 *
 * @param binary the compiled assembly/resize.ts
 * @throws Error when this machine's WebAssembly has no SIMD
 */
export function createKernelResize(binary: Uint8Array): Resize {
  const memory = new wasm.Memory({ initial: 1 });
  const instance = new wasm.Instance(new wasm.Module(binary), { env: { memory } });
  const kernel = instance.exports as unknown as Kernel;
  const layouts = new WeakMap<SamplingPlan, KernelLayout>();
  let view = new Uint8Array(memory.buffer);
  let current: SamplingPlan | null = null;
  // Views of the last frame's rows and of the result: a camera's frames come in the same memory, so
  // nothing is allocated for the next one.
  let source: Uint8Array | null = null;
  let rows: readonly Uint8Array[] = [];
  let result = view;

  /** Makes the plan's tables the ones in memory. */
  function install(plan: SamplingPlan, layout: KernelLayout): void {
    if (current === plan) return;
    growTo(memory, layout.bytes);
    if (view.buffer !== memory.buffer) view = new Uint8Array(memory.buffer);
    view.set(layout.tables);
    const { out } = layout.addresses;
    result = view.subarray(out, out + plan.outWidth * plan.outHeight * 3);
    source = null;
    current = plan;
  }

  function copyRows(bytes: Uint8Array, { spans }: KernelLayout): void {
    if (source !== bytes) rows = spans.map(({ start, end }) => bytes.subarray(start, end));
    source = bytes;
    for (let at = 0; at < rows.length; at += 1) view.set(rows[at] ?? [], spans[at]?.address);
  }

  function layoutOf(plan: SamplingPlan): KernelLayout {
    const known = layouts.get(plan);
    if (known !== undefined) return known;
    const layout = kernelLayout(plan);
    layouts.set(plan, layout);
    return layout;
  }

  return (bytes, plan, out) => {
    const layout = layoutOf(plan);
    if (layout.bytes > MAX_BYTES) {
      resizeBilinear(bytes, plan, out);
      return;
    }
    install(plan, layout);
    copyRows(bytes, layout);
    if (plan.layout.format === 'rgb24') runRgb(kernel, plan, layout);
    else runYuv(kernel, plan, layout);
    out.set(result);
  };
}

function growTo(memory: WasmMemory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / WASM_PAGE_BYTES);
  if (missing > 0) memory.grow(missing);
}

function runRgb(kernel: Kernel, plan: SamplingPlan, layout: KernelLayout): void {
  const { source, y, row, offsets, weights, out } = layout.addresses;
  const { outWidth, outHeight } = plan;
  kernel.resizeRgb(source, y, row, offsets, weights, out, layout.rowLength, outWidth, outHeight);
}

function runYuv(kernel: Kernel, plan: SamplingPlan, layout: KernelLayout): void {
  const { source, y, row, rowU, rowV, offsets, weights, chromaOffsets, chromaWeights, out } =
    layout.addresses;
  const { black, luma, redV, greenU, greenV, blueU } = COLOUR_MATRICES[plan.layout.range];
  kernel.resizeYuv(
    source,
    layout.planeDistance,
    y,
    row,
    rowU,
    rowV,
    offsets,
    weights,
    chromaOffsets,
    chromaWeights,
    out,
    layout.rowLength,
    layout.chromaLength,
    plan.outWidth,
    plan.outHeight,
    black,
    luma,
    redV,
    greenU,
    greenV,
    blueU,
  );
}
