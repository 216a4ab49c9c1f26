import type { PictureNote } from '../../store/picture-shelf.js';
import { drawBoxes } from '../../vision/draw-boxes.js';

/** Box and name over a picture that may be smaller than the frame it was made of, as SVG. */
export function drawing(
  { label, score, box, width }: PictureNote,
  size: { readonly width: number; readonly height: number },
): Buffer {
  const scale = size.width / width;
  const [x = 0, y = 0, w = 0, h = 0] = box?.map((side) => side * scale) ?? [];
  return drawBoxes([{ label, score, box: box === null ? null : [x, y, w, h] }], size);
}
