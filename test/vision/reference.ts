import type { CropRegion } from '#mobilenetd/vision/crop.js';
import type { PixelLayout } from '#mobilenetd/vision/layout.js';

/** A picture in floating point, three values a pixel, not clamped. */
type FloatPicture = { width: number; height: number; values: Float64Array };

/** BT.601, as the standard writes it: R'G'B' from Y'CbCr with Kr = 0.299 and Kb = 0.114. */
export function colourOf(y: number, u: number, v: number, range: 'full' | 'limited'): number[] {
  const luma = range === 'full' ? y / 255 : (y - 16) / 219;
  const span = range === 'full' ? 255 : 224;
  const cb = (u - 128) / span;
  const cr = (v - 128) / span;
  const red = luma + 1.402 * cr;
  const blue = luma + 1.772 * cb;
  const green = (luma - 0.299 * red - 0.114 * blue) / 0.587;
  return [255 * red, 255 * green, 255 * blue];
}

/** The whole frame as RGB; a chroma sample stands for its four pixels. */
export function wholeFrame(bytes: Uint8Array, layout: PixelLayout): FloatPicture {
  const { width, height, format, range } = layout;
  const values = new Float64Array(width * height * 3);
  if (format === 'rgb24') {
    values.set(bytes);
    return { width, height, values };
  }
  const chromaWidth = Math.ceil(width / 2);
  const plane = chromaWidth * Math.ceil(height / 2);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const chroma = width * height + Math.floor(y / 2) * chromaWidth + Math.floor(x / 2);
      const luma = bytes[y * width + x] ?? Number.NaN;
      const u = bytes[chroma] ?? Number.NaN;
      const v = bytes[chroma + plane] ?? Number.NaN;
      values.set(colourOf(luma, u, v, range), (y * width + x) * 3);
    }
  }
  return { width, height, values };
}

/** Bilinear as the formula says: source = destination · (in / out), edges repeated; not rounded. */
export function resizeFloat(
  picture: FloatPicture,
  crop: CropRegion,
  outWidth: number,
  outHeight: number,
): Float64Array {
  const [left, top, width, height] = crop;
  const out = new Float64Array(outWidth * outHeight * 3);
  const pixel = (x: number, y: number, channel: number) => {
    const column = left + Math.min(x, width - 1);
    const row = top + Math.min(y, height - 1);
    return picture.values[(row * picture.width + column) * 3 + channel] ?? Number.NaN;
  };
  for (let j = 0; j < outHeight; j += 1) {
    for (let i = 0; i < outWidth; i += 1) {
      const x = (i * width) / outWidth;
      const y = (j * height) / outHeight;
      const fx = x - Math.floor(x);
      const fy = y - Math.floor(y);
      for (let channel = 0; channel < 3; channel += 1) {
        const row = (at: number) =>
          pixel(Math.floor(x), at, channel) * (1 - fx) + pixel(Math.floor(x) + 1, at, channel) * fx;
        const value = row(Math.floor(y)) * (1 - fy) + row(Math.floor(y) + 1) * fy;
        out[(j * outWidth + i) * 3 + channel] = value;
      }
    }
  }
  return out;
}
