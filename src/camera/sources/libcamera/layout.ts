/** How the planes of an I420 frame lie in memory. */
export interface PlaneLayout {
  readonly width: number;
  readonly height: number;
  /** Bytes from one luma row to the next; chroma rows take half. */
  readonly stride: number;
  /** Bytes of a whole frame. */
  readonly length: number;
}

/** Row alignments of the boards: Pi 4 and before, Pi 5; 1 where nothing is padded. */
const ALIGNMENTS = [64, 128, 32, 1] as const;

export function planeLayout(width: number, height: number, alignment: number): PlaneLayout {
  const stride = Math.ceil(width / alignment) * alignment;
  return { width, height, stride, length: stride * height * 1.5 };
}

/** The layouts a frame of this size may have, each length once. */
export function possibleLayouts(width: number, height: number): PlaneLayout[] {
  const layouts = new Map<number, PlaneLayout>();
  for (const alignment of ALIGNMENTS) {
    const layout = planeLayout(width, height, alignment);
    if (!layouts.has(layout.length)) layouts.set(layout.length, layout);
  }
  return [...layouts.values()];
}

/** Copies a padded frame to one without padding: width · height · 1.5 bytes; width and height even. */
export function removePadding(padded: Uint8Array, layout: PlaneLayout, packed: Uint8Array): void {
  const { width, height, stride } = layout;
  let from = 0;
  let to = 0;
  const copyRows = (rows: number, length: number, step: number): void => {
    for (let row = 0; row < rows; row += 1) {
      packed.set(padded.subarray(from, from + length), to);
      from += step;
      to += length;
    }
  };
  copyRows(height, width, stride);
  copyRows(height, width / 2, stride / 2);
}
