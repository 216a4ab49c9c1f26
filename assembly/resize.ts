// The SIMD form of src/vision/resize.ts, in AssemblyScript: the same integer arithmetic, so the same
// pixels. Compiled by `scripts/build-kernel.mjs --compile` to resize.wasm. The caller owns the memory's
// layout: source rows, tables and scratch rows are padded, see src/vision/resize-kernel.ts.

/** Blends two rows of bytes into 16-bit values with 7 fraction bits, 16 at a time. */
function blendRows(upper: usize, lower: usize, weight: i32, count: i32, to: usize): void {
  const factor = i16x8.splat(<i16>weight);
  for (let end = upper + count; upper < end; upper += 16) {
    const above = v128.load(upper);
    const below = v128.load(lower);
    const a0 = i16x8.shl(i16x8.extend_low_i8x16_u(above), 7);
    const b0 = i16x8.shl(i16x8.extend_low_i8x16_u(below), 7);
    v128.store(to, i16x8.add(a0, i16x8.q15mulr_sat_s(i16x8.sub(b0, a0), factor)));
    const a1 = i16x8.shl(i16x8.extend_high_i8x16_u(above), 7);
    const b1 = i16x8.shl(i16x8.extend_high_i8x16_u(below), 7);
    v128.store(to, i16x8.add(a1, i16x8.q15mulr_sat_s(i16x8.sub(b1, a1), factor)), 16);
    lower += 16;
    to += 32;
  }
}

/** Blends neighbours of a row at four table entries, to 21 fraction bits. */
function blendFour(row: usize, offsets: usize, weights: usize): v128 {
  let pairs = v128.load32_zero(row + load<u32>(offsets));
  pairs = v128.load_lane<u32>(row + load<u32>(offsets, 4), pairs, 1);
  pairs = v128.load_lane<u32>(row + load<u32>(offsets, 8), pairs, 2);
  pairs = v128.load_lane<u32>(row + load<u32>(offsets, 12), pairs, 3);
  return i32x4.dot_i16x8_s(pairs, v128.load(weights));
}

/** Eight luma values with 7 fraction bits. */
function lumaOfEight(row: usize, offsets: usize, weights: usize): v128 {
  const half = i32x4.splat(1 << 13);
  const low = i32x4.shr_s(i32x4.add(blendFour(row, offsets, weights), half), 14);
  const high = i32x4.shr_s(i32x4.add(blendFour(row, offsets + 16, weights + 16), half), 14);
  return i16x8.narrow_i32x4_s(low, high);
}

/** Eight chroma values minus 128, with 8 fraction bits. */
function chromaOfEight(row: usize, offsets: usize, weights: usize): v128 {
  const half = i32x4.splat(1 << 12);
  const middle = i32x4.splat(32768);
  const low = i32x4.shr_s(i32x4.add(blendFour(row, offsets, weights), half), 13);
  const high = i32x4.shr_s(i32x4.add(blendFour(row, offsets + 16, weights + 16), half), 13);
  return i16x8.narrow_i32x4_s(i32x4.sub(low, middle), i32x4.sub(high, middle));
}

/** From 6 fraction bits to bytes, the first and the second in the halves. */
function bytesOf(first: v128, second: v128): v128 {
  const half = i16x8.splat(32);
  const a = i16x8.shr_s(i16x8.add_sat_s(first, half), 6);
  const b = i16x8.shr_s(i16x8.add_sat_s(second, half), 6);
  return i8x16.narrow_i16x8_u(a, b);
}

/**
 * yuv420p to RGB. `rows` holds, for each output row, 16-bit luma at 0, u at `chromaRow` and v at
 * twice that; `y` holds for each output row the addresses of its luma rows, of its u rows, and the
 * weight: upper, lower, upperU, lowerU, weight. `v` is the distance from the u to the v plane.
 */
export function resizeYuv(
  source: usize,
  v: usize,
  y: usize,
  rows: usize,
  rowU: usize,
  rowV: usize,
  offsets: usize,
  weights: usize,
  offsetsChroma: usize,
  weightsChroma: usize,
  to: usize,
  lumaCount: i32,
  chromaCount: i32,
  outWidth: i32,
  outHeight: i32,
  black: i32,
  luma: i32,
  redV: i32,
  greenU: i32,
  greenV: i32,
  blueU: i32,
): void {
  const black8 = i16x8.splat(<i16>black);
  const luma8 = i16x8.splat(<i16>luma);
  const redV8 = i16x8.splat(<i16>redV);
  const greenU8 = i16x8.splat(<i16>greenU);
  const greenV8 = i16x8.splat(<i16>greenV);
  const blueU8 = i16x8.splat(<i16>blueU);
  for (let j = 0; j < outHeight; j += 1) {
    const weight = load<i32>(y, 16);
    const upperU = source + load<u32>(y, 8);
    const lowerU = source + load<u32>(y, 12);
    blendRows(source + load<u32>(y), source + load<u32>(y, 4), weight, lumaCount, rows);
    blendRows(upperU, lowerU, weight, chromaCount, rowU);
    blendRows(upperU + v, lowerU + v, weight, chromaCount, rowV);
    y += 20;
    let at = to;
    for (let i: usize = 0, end = <usize>outWidth * 4; i < end; i += 32) {
      const u8 = chromaOfEight(rowU, offsetsChroma + i, weightsChroma + i);
      const v8 = chromaOfEight(rowV, offsetsChroma + i, weightsChroma + i);
      const sharp = lumaOfEight(rows, offsets + i, weights + i);
      const bright = i16x8.q15mulr_sat_s(i16x8.sub(sharp, black8), luma8);
      const red = i16x8.add_sat_s(bright, i16x8.q15mulr_sat_s(v8, redV8));
      const green = i16x8.sub_sat_s(
        i16x8.sub_sat_s(bright, i16x8.q15mulr_sat_s(u8, greenU8)),
        i16x8.q15mulr_sat_s(v8, greenV8),
      );
      const blue = i16x8.add_sat_s(bright, i16x8.q15mulr_sat_s(u8, blueU8));
      const rg = bytesOf(red, green);
      const b = bytesOf(blue, blue);
      v128.store(at, i8x16.shuffle(rg, b, 0, 8, 16, 1, 9, 17, 2, 10, 18, 3, 11, 19, 4, 12, 20, 5));
      v128.store_lane<u64>(
        at + 16,
        i8x16.shuffle(rg, b, 13, 21, 6, 14, 22, 7, 15, 23, 0, 0, 0, 0, 0, 0, 0, 0),
        0,
      );
      at += 24;
    }
    to += outWidth * 3;
  }
}

/** One pixel's three channels, blended along x and rounded: red, green, blue and a value to ignore. */
function rgbOfOne(row: usize, offsets: usize, weights: usize): v128 {
  const two = v128.load(row + load<u32>(offsets));
  const pairs = i8x16.shuffle(two, two, 0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, 4, 5, 10, 11);
  const blended = i32x4.dot_i16x8_s(pairs, v128.load32_splat(weights));
  return i32x4.shr_s(i32x4.add(blended, i32x4.splat(1 << 20)), 21);
}

/** rgb24 to RGB; `y` holds for each output row upper, lower and weight. */
export function resizeRgb(
  source: usize,
  y: usize,
  row: usize,
  offsets: usize,
  weights: usize,
  to: usize,
  count: i32,
  outWidth: i32,
  outHeight: i32,
): void {
  for (let j = 0; j < outHeight; j += 1) {
    blendRows(source + load<u32>(y), source + load<u32>(y, 4), load<i32>(y, 8), count, row);
    y += 12;
    let at = to;
    for (let i: usize = 0, end = <usize>outWidth * 4; i < end; i += 16) {
      const first = i16x8.narrow_i32x4_s(
        rgbOfOne(row, offsets + i, weights + i),
        rgbOfOne(row, offsets + i + 4, weights + i + 4),
      );
      const second = i16x8.narrow_i32x4_s(
        rgbOfOne(row, offsets + i + 8, weights + i + 8),
        rgbOfOne(row, offsets + i + 12, weights + i + 12),
      );
      const four = i8x16.narrow_i16x8_u(first, second);
      v128.store(
        at,
        i8x16.shuffle(four, four, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15),
      );
      at += 12;
    }
    to += outWidth * 3;
  }
}
