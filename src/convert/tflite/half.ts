/**
 * Turns IEEE 754 half-precision numbers (little-endian bytes) into float32, which holds all of them
 * exactly.
 */
export function halvesToFloat32(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(bytes.byteLength >> 1);
  for (let index = 0; index < values.length; index += 1) {
    values[index] = halfToNumber(view.getUint16(2 * index, true));
  }
  return values;
}

/** One sign bit, five bits of exponent (biased by 15), ten of fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
