import type { BoxesHead, CellBoxes, ListedBoxes } from '../../models/variant.js';
import { cornersOf, partsOf } from '../../vision/boxes.js';
import { cellsOfMaps } from '../../vision/cells.js';
import type { Corners, StoredValues } from '../../vision/detection.js';

type Sides = readonly [height: number, width: number];

const TOLERANCE = 0.01;
/** Share of the boxes that must be where they belong; a network may say anything of a few. */
const MOST = 0.9;
/** Cells between a cell and the middle of its box. */
const NEAR = 8;

/**
 * Whether the numbers of a run can be what a head says: scores from 0 to 1, boxes with sides, near their
 * cells, classes that there are.
 *
 * @param outputs in the order of the head's layout
 */
export function isPlausible(
  outputs: readonly StoredValues[],
  head: BoxesHead,
  sides: Sides,
): boolean {
  const { layout } = head;
  return layout.kind === 'cells'
    ? cellsPlausible(outputs, { ...head, layout }, sides)
    : listPlausible(outputs, layout, sides);
}

function cellsPlausible(
  outputs: readonly StoredValues[],
  head: BoxesHead & { readonly layout: CellBoxes },
  sides: Sides,
): boolean {
  const { layout, classes, background } = head;
  const { scores, boxes, cells } = partsOf(outputs, head, sides);
  const { objectness, scores: first } = layout.columns;
  for (const { values, cells: count, acrossCells, acrossColumns } of scores) {
    for (let cell = 0; cell < count; cell += 1) {
      let sum = 0;
      for (let index = 0; index < classes; index += 1) {
        const score = values[cell * acrossCells + (first + index) * acrossColumns] ?? Number.NaN;
        if (!isShare(score)) return false;
        sum += score;
      }
      const objects =
        objectness === null ? 0 : values[cell * acrossCells + objectness * acrossColumns];
      if (!isShare(objects ?? Number.NaN)) return false;
      // A softmax over the background and the classes is how an SSD's scores are known.
      if (background && Math.abs(sum - 1) > 0.02) return false;
    }
  }
  // Where a cell has several boxes, their order differs; then they need not be near.
  const all = cellsOfMaps(sides, layout.strides).reduce((sum, count) => sum + count, 0);
  const placed = cells === all && layout.boxes !== 'distances';
  let near = 0;
  for (const part of boxes) {
    for (let cell = 0; cell < part.cells; cell += 1) {
      const box = cornersOf(part, cell, layout, sides);
      const place = placed ? middleOf(part.first + cell, layout.strides, sides) : null;
      if (isBox(box, place, sides)) near += 1;
    }
  }
  return near >= MOST * cells;
}

function isShare(value: number): boolean {
  return value >= -TOLERANCE && value <= 1 + TOLERANCE;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly stride: number;
}

/** Whether a box has sides, lies about the picture, and about its cell where that is known. */
function isBox(box: Corners, place: Place | null, [height, width]: Sides): boolean {
  const { left, top, right, bottom } = box;
  if (!(right >= left && bottom >= top && left > -2 && top > -2 && right < 3 && bottom < 3)) {
    return false;
  }
  if (place === null) return true;
  const x = Math.abs(((left + right) / 2) * width - place.x);
  const y = Math.abs(((top + bottom) / 2) * height - place.y);
  return x <= NEAR * place.stride && y <= NEAR * place.stride;
}

/** The middle of a cell in pixels; null behind the last. */
function middleOf(cell: number, strides: readonly number[], sides: Sides): Place | null {
  let left = cell;
  for (const [map, count] of cellsOfMaps(sides, strides).entries()) {
    const stride = strides[map] ?? 1;
    const columns = Math.ceil(sides[1] / stride);
    if (left < count) {
      const [row, across] = [Math.floor(left / columns), left % columns];
      return { x: (across + 0.5) * stride, y: (row + 0.5) * stride, stride };
    }
    left -= count;
  }
  return null;
}

function listPlausible(
  outputs: readonly StoredValues[],
  { columns, unit, rowsFirst }: ListedBoxes,
  [height, width]: Sides,
): boolean {
  const [first = new Float32Array(), scores, labels] = outputs;
  const row = columns === null ? 4 : Math.max(columns.box + 3, columns.score, columns.label) + 1;
  const most = unit === 'pixels' ? [width * 1.5, height * 1.5] : [1.5, 1.5];
  let largest = 0;
  for (let at = 0; at + row <= first.length; at += row) {
    const score = Number(columns === null ? scores?.[at / 4] : first[at + columns.score]);
    const label = Number(columns === null ? labels?.[at / 4] : first[at + columns.label]);
    const start = at + (columns?.box ?? 0);
    const [a = 0, b = 0, c = 0, d = 0] = first.subarray(start, start + 4);
    const [left, top, right, bottom] = rowsFirst ? [b, a, d, c] : [a, b, c, d];
    // Some fill their lists up with −1.
    if (label === -1) continue;
    if (!isShare(score) || !Number.isInteger(label) || label < 0) return false;
    if (right < left || bottom < top) return false;
    if (right > Number(most[0]) || bottom > Number(most[1])) return false;
    largest = Math.max(largest, right, bottom);
  }
  // Boxes of two pixels at most are no pixels.
  return unit !== 'pixels' || largest === 0 || largest > 2;
}
