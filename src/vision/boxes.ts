import { codedError } from '../errors.js';
import type { BoxesHead, CellBoxes, ListedBoxes } from '../models/variant.js';
import { cellsOfMaps } from './cells.js';
import { type Corners, clipped, type Detection, overlap, type StoredValues } from './detection.js';

type Sides = readonly [height: number, width: number];

/** Candidates that overlaps are looked for among, at most. */
const MOST_CANDIDATES = 1000;

interface Candidate {
  readonly index: number;
  readonly score: number;
  readonly corners: Corners;
}

/**
 * From the outputs of a detector that is no SSD of TensorFlow's to objects, best first. A box counts by its
 * best class; of boxes of one class that overlap more than the head says the better one is kept.
 *
 * @param outputs in the order of the head's layout, real numbers
 * @param sides of the network's picture, pixels
 * @param threshold least score, 0 to 1
 * @throws MND_MODEL_MISMATCH if an output has another length than the layout says
 */
export function decodeBoxes(
  outputs: readonly StoredValues[],
  head: BoxesHead,
  sides: Sides,
  threshold: number,
): Detection[] {
  const { layout, suppression } = head;
  const least = Math.max(threshold, suppression.leastScore);
  const found =
    layout.kind === 'cells'
      ? cellCandidates(outputs, head, layout, sides, least)
      : listCandidates(outputs, head, layout, sides, least);
  found.sort((a, b) => b.score - a.score);
  const kept: Candidate[] = [];
  for (const candidate of found.slice(0, MOST_CANDIDATES)) {
    if (kept.length >= suppression.maxDetections) break;
    const hidden = kept.some(
      (other) =>
        other.index === candidate.index &&
        overlap(other.corners, candidate.corners) > suppression.overlap,
    );
    if (!hidden) kept.push(candidate);
  }
  return kept.flatMap(({ index, score, corners }) => {
    const box = clipped(corners);
    return box === null ? [] : [{ index, score, box }];
  });
}

/** A part of the cells in one output: where the columns of each lie. */
interface Part {
  readonly values: StoredValues;
  readonly cells: number;
  /** Number of the part's first cell among all. */
  readonly first: number;
  /** Distance between two columns of a cell, and between two cells. */
  readonly acrossColumns: number;
  readonly acrossCells: number;
}

/** The parts that hold scores and those that hold boxes, in the same order. */
export function partsOf(
  outputs: readonly StoredValues[],
  { layout, classes }: BoxesHead & { readonly layout: CellBoxes },
  sides: Sides,
): { readonly scores: readonly Part[]; readonly boxes: readonly Part[]; readonly cells: number } {
  const { strides, planar, boxes: kind, bins } = layout;
  const boxColumns = kind === 'distances' ? 4 * bins : 4;
  const joined = outputs.length === 1;
  const maps = cellsOfMaps(sides, strides);
  const half = outputs.length / 2;
  const counts =
    outputs.length > 2
      ? maps
      : [strides.length === 0 ? (outputs[1]?.length ?? 0) / 4 : maps.reduce((a, b) => a + b, 0)];
  const part = (at: number, place: number, columns: number): Part => {
    const values = outputs[at] ?? new Float32Array();
    const perCell =
      (layout.outputs.length > 2 ? 1 : anchorsIn(layout, values, counts, columns)) || 1;
    const cells = (counts[place] ?? 0) * perCell;
    if (values.length !== cells * columns || cells === 0) {
      throw codedError('MND_MODEL_MISMATCH', {
        subject: `output ${layout.outputs[at]?.name}`,
        expected: `${cells * columns} values`,
        found: `${values.length}`,
      });
    }
    const first = counts.slice(0, place).reduce((sum, count) => sum + count, 0);
    const turned = planar[at] === true;
    return {
      values,
      cells,
      first,
      acrossColumns: turned ? cells : 1,
      acrossCells: turned ? 1 : columns,
    };
  };
  if (joined) {
    const objectness = layout.columns.objectness === null ? 0 : 1;
    const whole = part(0, 0, classes + boxColumns + objectness);
    return { scores: [whole], boxes: [whole], cells: whole.cells };
  }
  const scores = counts.map((_, place) => part(place, place, classes));
  const boxes = counts.map((_, place) => part(half + place, place, boxColumns));
  return { scores, boxes, cells: scores.reduce((sum, { cells }) => sum + cells, 0) };
}

/** How many boxes each cell of the maps has: an output of YOLOv5 has three. */
function anchorsIn(
  { outputs }: CellBoxes,
  values: StoredValues,
  counts: readonly number[],
  columns: number,
): number {
  const [cells = 0] = counts;
  return outputs.length === 1 && cells > 0 ? Math.floor(values.length / columns / cells) : 1;
}

function cellCandidates(
  outputs: readonly StoredValues[],
  head: BoxesHead,
  layout: CellBoxes,
  sides: Sides,
  least: number,
): Candidate[] {
  const { scores, boxes } = partsOf(outputs, { ...head, layout }, sides);
  const found: Candidate[] = [];
  for (const [place, part] of scores.entries()) {
    const best = bestClasses(part, head, layout, least);
    const box = boxes[place] ?? part;
    for (const [cell, index] of best.classes.entries()) {
      if (index < 0) continue;
      const corners = cornersOf(box, cell, layout, sides);
      found.push({ index, score: best.scores[cell] ?? 0, corners });
    }
  }
  return found;
}

/** The best class of each cell that reaches the threshold; −1 for none. NaN never does. */
function bestClasses(
  { values, cells, acrossCells, acrossColumns }: Part,
  { classes, background }: BoxesHead,
  { columns }: CellBoxes,
  least: number,
) {
  const best = { classes: new Int32Array(cells).fill(-1), scores: new Float32Array(cells) };
  const { objectness, scores: first } = columns;
  for (let index = background ? 1 : 0; index < classes; index += 1) {
    const column = (first + index) * acrossColumns;
    for (let cell = 0; cell < cells; cell += 1) {
      const at = cell * acrossCells;
      let score = values[at + column] ?? 0;
      if (objectness !== null) score *= values[at + objectness * acrossColumns] ?? 0;
      if (!(score >= least) || score <= (best.scores[cell] ?? 0)) continue;
      best.scores[cell] = score;
      best.classes[cell] = index;
    }
  }
  return best;
}

/** The box of a part's cell, in shares of the picture. */
export function cornersOf(
  part: Part,
  cell: number,
  layout: CellBoxes,
  [height, width]: Sides,
): Corners {
  const { values, acrossCells, acrossColumns } = part;
  const column = (index: number) =>
    values[cell * acrossCells + (layout.columns.boxes + index) * acrossColumns] ?? 0;
  const [a, b, c, d] = [column(0), column(1), column(2), column(3)];
  switch (layout.boxes) {
    case 'shares':
      return { left: a, top: b, right: c, bottom: d };
    case 'corners':
      return { left: a / width, top: b / height, right: c / width, bottom: d / height };
    case 'middle':
      return around(a / width, b / height, c / width, d / height);
    case 'offsets': {
      const place = placeOf(part.first + cell, layout, [height, width]);
      const { row, across, stride } = place;
      return around(
        ((a + across) * stride) / width,
        ((b + row) * stride) / height,
        (Math.exp(c) * stride) / width,
        (Math.exp(d) * stride) / height,
      );
    }
    case 'distances': {
      const { row, across, stride } = placeOf(part.first + cell, layout, [height, width]);
      const distance = (edge: number) => stride * expected(column, edge * layout.bins, layout.bins);
      const [x, y] = [(across + layout.point) * stride, (row + layout.point) * stride];
      return {
        left: (x - distance(0)) / width,
        top: (y - distance(1)) / height,
        right: (x + distance(2)) / width,
        bottom: (y + distance(3)) / height,
      };
    }
  }
}

function around(x: number, y: number, width: number, height: number): Corners {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
}

/** The mean of whole numbers from 0, weighed by a softmax (Li et al. 2020, "Generalized Focal Loss"). */
function expected(column: (index: number) => number, first: number, bins: number): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let bin = 0; bin < bins; bin += 1) highest = Math.max(highest, column(first + bin));
  let [sum, weighed] = [0, 0];
  for (let bin = 0; bin < bins; bin += 1) {
    const weight = Math.exp(column(first + bin) - highest);
    sum += weight;
    weighed += bin * weight;
  }
  return weighed / sum;
}

/** Row, column and stride of a cell among all maps; anchors of one cell lie behind each other. */
function placeOf(cell: number, { strides }: CellBoxes, sides: Sides) {
  let left = cell;
  for (const [map, count] of cellsOfMaps(sides, strides).entries()) {
    const stride = strides[map] ?? 1;
    const columns = Math.ceil(sides[1] / stride);
    if (left < count) return { row: Math.floor(left / columns), across: left % columns, stride };
    left -= count;
  }
  return { row: 0, across: 0, stride: 1 };
}

function listCandidates(
  outputs: readonly StoredValues[],
  { classes, background }: BoxesHead,
  { columns, rowsFirst, unit }: ListedBoxes,
  [height, width]: Sides,
  least: number,
): Candidate[] {
  const [first = new Float32Array(), scores, labels] = outputs;
  const row = columns === null ? 4 : rowLength(columns);
  const found: Candidate[] = [];
  const [across, down] = unit === 'pixels' ? [width, height] : [1, 1];
  for (let at = 0; at + row <= first.length; at += row) {
    const index =
      columns === null ? Number(labels?.[at / 4] ?? -1) : Number(first[at + columns.label] ?? -1);
    const score =
      columns === null ? Number(scores?.[at / 4] ?? 0) : Number(first[at + columns.score] ?? 0);
    const known = Number.isInteger(index) && index >= (background ? 1 : 0) && index < classes;
    if (!(score >= least) || !known) continue;
    const start = at + (columns?.box ?? 0);
    const [a = 0, b = 0, c = 0, d = 0] = first.subarray(start, start + 4);
    const [left, top, right, bottom] = rowsFirst ? [b, a, d, c] : [a, b, c, d];
    const corners = {
      left: left / across,
      top: top / down,
      right: right / across,
      bottom: bottom / down,
    };
    found.push({ index, score, corners });
  }
  return found;
}

function rowLength({ box, score, label }: NonNullable<ListedBoxes['columns']>): number {
  return Math.max(box + 3, score, label) + 1;
}
