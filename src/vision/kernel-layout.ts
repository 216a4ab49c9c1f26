import { type AxisSamples, type SamplingPlan, X_BITS } from './sampling.js';

/** A part of the frame that the kernel reads, and where it goes. */
export interface SourceSpan {
  /** First byte in the frame, and the one behind the last. */
  readonly start: number;
  readonly end: number;
  /** Address in the kernel's memory. */
  readonly address: number;
}

/** Where everything of one plan lies in the kernel's memory, and its tables. */
export interface KernelLayout {
  readonly bytes: number;
  /** Goes to address 0. */
  readonly tables: Uint8Array;
  readonly spans: readonly SourceSpan[];
  readonly addresses: {
    readonly source: number;
    readonly y: number;
    readonly offsets: number;
    readonly weights: number;
    readonly chromaOffsets: number;
    readonly chromaWeights: number;
    readonly row: number;
    readonly rowU: number;
    readonly rowV: number;
    readonly out: number;
  };
  /** Values a source row has within the crop, and a chroma row. */
  readonly rowLength: number;
  readonly chromaLength: number;
  /** From a u sample to the v sample of the same pixels. */
  readonly planeDistance: number;
}

/** Reads and writes are 16 bytes wide and may pass an end by as much. */
const PAD = 16;
/** Output pixels the kernel makes at a time: the tables along x are filled up to a multiple. */
const GROUP = 8;
const X_ONE = 2 ** X_BITS;

/** Lays out the kernel's memory: tables, blended rows, output, source; in bytes. */
export function kernelLayout(plan: SamplingPlan): KernelLayout {
  return plan.layout.format === 'rgb24' ? rgbLayout(plan) : yuvLayout(plan);
}

function rgbLayout(plan: SamplingPlan): KernelLayout {
  const { x, y, crop, outWidth, outHeight } = plan;
  const [left, top, cropWidth, cropHeight] = crop;
  const stride = plan.layout.width * 3;
  const groups = groupedLength(outWidth);
  const rowLength = cropWidth * 3;
  const place = allocator();
  const addresses = {
    y: place(outHeight * 12),
    offsets: place(groups * 4),
    weights: place(groups * 4),
    chromaOffsets: 0,
    chromaWeights: 0,
    row: place(padded(rowLength) * 2),
    rowU: 0,
    rowV: 0,
    out: place(outWidth * outHeight * 3 + 2 * PAD),
    source: place(cropHeight * stride),
  };
  const tables = new Uint8Array(addresses.row);
  const rows = new Int32Array(tables.buffer, addresses.y, outHeight * 3);
  for (let j = 0; j < outHeight; j += 1) {
    const upper = (item(y.first, j) - top) * stride + left * 3;
    const lower = (item(y.second, j) - top) * stride + left * 3;
    rows.set([upper, lower, item(y.weight, j)], j * 3);
  }
  // A blended value has two bytes, a pixel three of them.
  writeColumns(tables, addresses.offsets, addresses.weights, x, (at) => at - left, 6);
  const start = top * stride;
  return {
    bytes: place(0),
    tables,
    spans: [{ start, end: start + cropHeight * stride, address: addresses.source }],
    addresses,
    rowLength,
    chromaLength: 0,
    planeDistance: 0,
  };
}

function yuvLayout(plan: SamplingPlan): KernelLayout {
  const { x, y, crop, outWidth, outHeight } = plan;
  const { width, height } = plan.layout;
  const [left, top, cropWidth, cropHeight] = crop;
  const stride = (width + 1) >> 1;
  const leftChroma = left >> 1;
  const topChroma = top >> 1;
  const chromaRows = ((top + cropHeight - 1) >> 1) - topChroma + 1;
  const chromaLength = ((left + cropWidth - 1) >> 1) - leftChroma + 1;
  const planeDistance = chromaRows * stride;
  const groups = groupedLength(outWidth);
  const place = allocator();
  const addresses = {
    y: place(outHeight * 20),
    offsets: place(groups * 4),
    weights: place(groups * 4),
    chromaOffsets: place(groups * 4),
    chromaWeights: place(groups * 4),
    row: place(padded(cropWidth) * 2),
    rowU: place(padded(chromaLength) * 2),
    rowV: place(padded(chromaLength) * 2),
    out: place(outWidth * outHeight * 3 + 2 * PAD),
    source: place(cropHeight * width + 2 * planeDistance),
  };
  const tables = new Uint8Array(addresses.row);
  const rows = new Int32Array(tables.buffer, addresses.y, outHeight * 5);
  const planeU = cropHeight * width;
  const luma = (row: number) => (row - top) * width + left;
  const chroma = (row: number) => planeU + ((row >> 1) - topChroma) * stride + leftChroma;
  for (let j = 0; j < outHeight; j += 1) {
    const [upper, lower] = [item(y.first, j), item(y.second, j)];
    const weight = item(y.weight, j);
    rows.set([luma(upper), luma(lower), chroma(upper), chroma(lower), weight], j * 5);
  }
  writeColumns(tables, addresses.offsets, addresses.weights, x, (at) => at - left, 2);
  const { chromaOffsets, chromaWeights } = addresses;
  writeColumns(tables, chromaOffsets, chromaWeights, x, (at) => (at >> 1) - leftChroma, 2);

  const frameU = width * height + topChroma * stride;
  const frameV = frameU + stride * ((height + 1) >> 1);
  const { source } = addresses;
  return {
    bytes: place(0),
    tables,
    spans: [
      { start: top * width, end: (top + cropHeight) * width, address: source },
      { start: frameU, end: frameU + planeDistance, address: source + planeU },
      { start: frameV, end: frameV + planeDistance, address: source + planeU + planeDistance },
    ],
    addresses,
    rowLength: cropWidth,
    chromaLength,
    planeDistance,
  };
}

/**
 * Writes where in a blended row each output pixel's pair begins, and the pair's two weights. The
 * kernel always reads neighbours: where both samples are one, the neighbour gets no weight.
 *
 * @param index position of a frame column in the blended row
 * @param size bytes of one position
 */
function writeColumns(
  tables: Uint8Array,
  offsetsAddress: number,
  weightsAddress: number,
  x: AxisSamples,
  index: (column: number) => number,
  size: number,
): void {
  const count = x.first.length;
  const offsets = new Int32Array(tables.buffer, offsetsAddress, count);
  const weights = new Int16Array(tables.buffer, weightsAddress, count * 2);
  for (let i = 0; i < count; i += 1) {
    const first = index(item(x.first, i));
    const weight = first === index(item(x.second, i)) ? 0 : item(x.weight, i);
    offsets[i] = first * size;
    weights[2 * i] = X_ONE - weight;
    weights[2 * i + 1] = weight;
  }
}

/** Hands out addresses one behind the other, aligned and padded. */
function allocator(): (bytes: number) => number {
  let next = 0;
  return (bytes) => {
    const address = next;
    next += padded(bytes);
    return address;
  };
}

/** At least {@link PAD} more, rounded up to its multiple. */
function padded(length: number): number {
  return Math.ceil(length / PAD) * PAD + PAD;
}

function groupedLength(length: number): number {
  return Math.ceil(length / GROUP) * GROUP;
}

function item(values: Int32Array, index: number): number {
  return values[index] as number;
}
