/**
 * YCbCr to RGB of ITU-R BT.601 in the fixed point of {@link resizeBilinear}: luma comes with 7
 * fraction bits, chroma (minus 128) with 8, the products leave with 6. A product is
 * `(value · factor + 2^14) >> 15`, the rounding 16-bit multiply of SIMD instruction sets.
 */
export interface ColourMatrix {
  /** Subtracted from luma: black, with 7 fraction bits. */
  readonly black: number;
  /** Luma, and chroma's share in red, green and blue. */
  readonly luma: number;
  readonly redV: number;
  readonly greenU: number;
  readonly greenV: number;
  readonly blueU: number;
}

/** 7 → 6 fraction bits under a shift by 15. */
const LUMA_UNIT = 2 ** 14;
/** 8 → 6 fraction bits under a shift by 15. */
const CHROMA_UNIT = 2 ** 13;

/** BT.601 luma coefficients of red and blue; green has the rest. */
const KR = 0.299;
const KB = 0.114;
const KG = 1 - KR - KB;

/**
 * @param black code of black (0 or 16)
 * @param lumaSpan codes from black to white (255 or 219)
 * @param chromaSpan codes from the least to the greatest chroma (255 or 224)
 */
function colourMatrix(black: number, lumaSpan: number, chromaSpan: number): ColourMatrix {
  const chroma = (255 / chromaSpan) * CHROMA_UNIT;
  return {
    black: black * 2 ** 7,
    luma: Math.round((255 / lumaSpan) * LUMA_UNIT),
    redV: Math.round(2 * (1 - KR) * chroma),
    greenU: Math.round(((2 * (1 - KB) * KB) / KG) * chroma),
    greenV: Math.round(((2 * (1 - KR) * KR) / KG) * chroma),
    blueU: Math.round(2 * (1 - KB) * chroma),
  };
}

export const COLOUR_MATRICES: Readonly<Record<'full' | 'limited', ColourMatrix>> = {
  full: colourMatrix(0, 255, 255),
  limited: colourMatrix(16, 219, 224),
};
