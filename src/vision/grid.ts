import { codedError } from '../errors.js';
import type { GridHead } from '../models/variant.js';
import type { Detection, StoredValues } from './detection.js';

/** The best class of each cell that is an object's, and its score. */
interface Cells {
  readonly classes: Int32Array;
  readonly scores: Float32Array;
}

/**
 * From a grid of class scores to objects, best first: a cell counts by its best class, if that is not
 * the background and reaches the threshold; cells of one class that touch, by a side or a corner, are one
 * object. Its score is the best cell's. What is known of its place is a point, the middle of its cells
 * weighed by their scores: the box is one cell large and has it as its middle.
 *
 * @param threshold least score, 0 to 1
 * @throws MND_MODEL_MISMATCH if there are not rows · columns · classes values
 */
export function decodeGrid(values: StoredValues, head: GridHead, threshold: number): Detection[] {
  const { classes, rows, columns, cells } = head;
  if (values.length !== rows * columns * classes) {
    throw codedError('MND_MODEL_MISMATCH', {
      subject: `output ${cells.name}`,
      expected: `${rows * columns * classes} values`,
      found: `${values.length}`,
    });
  }
  const found = bestOfCells(values, head, threshold);
  const objects: Detection[] = [];
  for (let cell = 0; cell < rows * columns; cell += 1) {
    if ((found.classes[cell] ?? 0) > 0) objects.push(takeObject(found, cell, head));
  }
  return objects.sort((a, b) => b.score - a.score);
}

function bestOfCells(values: StoredValues, head: GridHead, threshold: number): Cells {
  const { classes, rows, columns } = head;
  const best = {
    classes: new Int32Array(rows * columns),
    scores: new Float32Array(rows * columns),
  };
  const scores = new Float64Array(classes);
  for (let cell = 0; cell < rows * columns; cell += 1) {
    scoreCell(values, cell * classes, head, scores);
    let index = 1;
    for (let other = 2; other < classes; other += 1) {
      if ((scores[other] ?? 0) > (scores[index] ?? 0)) index = other;
    }
    const score = scores[index] ?? 0;
    if (!(score >= threshold)) continue;
    best.classes[cell] = index;
    best.scores[cell] = score;
  }
  return best;
}

/** Scores of one cell's classes, the background included. */
function scoreCell(
  values: StoredValues,
  first: number,
  { classes, scores: kind, cells: { scale, zeroPoint } }: GridHead,
  out: Float64Array,
): void {
  for (let at = 0; at < classes; at += 1) {
    out[at] = scale * ((values[first + at] ?? 0) - zeroPoint);
  }
  if (kind === 'probability') return;
  if (kind === 'sigmoid') {
    for (let at = 0; at < classes; at += 1) out[at] = 1 / (1 + Math.exp(-(out[at] ?? 0)));
    return;
  }
  const highest = Math.max(...out);
  let sum = 0;
  for (let at = 0; at < classes; at += 1) {
    out[at] = Math.exp((out[at] ?? 0) - highest);
    sum += out[at] ?? 0;
  }
  for (let at = 0; at < classes; at += 1) out[at] = (out[at] ?? 0) / sum;
}

/** Takes all cells that hang together with one, of its class, out of the grid. */
function takeObject({ classes, scores }: Cells, start: number, head: GridHead): Detection {
  const { rows, columns } = head;
  const index = classes[start] ?? 0;
  const sum = { x: 0, y: 0, weight: 0 };
  let score = 0;
  const pending = [start];
  classes[start] = 0;
  for (let cell = pending.pop(); cell !== undefined; cell = pending.pop()) {
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    const weight = scores[cell] ?? 0;
    score = Math.max(score, weight);
    sum.x += weight * (column + 0.5);
    sum.y += weight * (row + 0.5);
    sum.weight += weight;
    for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y += 1) {
      for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x += 1) {
        const neighbour = y * columns + x;
        if (classes[neighbour] !== index) continue;
        classes[neighbour] = 0;
        pending.push(neighbour);
      }
    }
  }
  const [x, y] = [sum.x / sum.weight / columns, sum.y / sum.weight / rows];
  const [width, height] = [1 / columns, 1 / rows];
  return { index, score, box: [x - width / 2, y - height / 2, width, height] };
}
