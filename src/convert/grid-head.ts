import { codedError } from '../errors.js';
import type { GridHead, ScoreKind } from '../models/variant.js';
import type { Graph } from './graph.js';
import { elementCount, scalarQuantization, tensorOf } from './tensors.js';

/** Rows, columns and classes of a grid of scores, as the network's output has them. */
export interface GridShape {
  readonly rows: number;
  readonly columns: number;
  readonly classes: number;
}

/** Pixels of a cell's side. Below, a network paints pixels; above, it sees the whole picture. */
const CELL = [4, 32] as const;

/**
 * The shape of a grid of class scores, [1, rows, columns, classes] for a picture [1, height, width, …].
 * Null for an output of another rank.
 *
 * @throws MND_MODEL_SHAPE for a map whose cells cannot be objects, and for one without a softmax
 */
export function gridShape(
  output: readonly number[],
  picture: readonly number[],
  scores: ScoreKind | null,
): GridShape | null {
  const [batch, rows = 0, columns = 0, classes = 0] = output;
  if (output.length !== 4 || batch !== 1 || rows * columns <= 1) return null;
  const cells = [(picture[1] ?? 0) / rows, (picture[2] ?? 0) / columns];
  const coarse = cells.every((side) => side >= CELL[0] && side <= CELL[1]);
  if (coarse && scores === 'softmax' && classes >= 2) return { rows, columns, classes };
  throw codedError('MND_MODEL_SHAPE', {
    subject: 'model output',
    expected: `one row of scores, [1, classes], or a grid of cells with a softmax over the background and the classes (FOMO)`,
    found: `[${output.join(', ')}]: this looks like ${coarse ? 'a YOLO or heat map' : 'a segmentation'} network`,
    next: coarse
      ? 'take its ONNX export, or a TensorFlow Lite SSD'
      : 'take a classifier or a detector: mobilenetd names objects, it does not paint them',
  });
}

/** The head of a graph whose one output is a grid of class scores. */
export function gridHead(
  graph: Graph,
  name: string,
  scores: ScoreKind,
  { rows, columns, classes }: GridShape,
): GridHead {
  const cells = tensorOf(graph, name);
  if (elementCount(cells.shape) !== rows * columns * classes) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model output',
      expected: `${rows}×${columns} cells of ${classes} scores`,
      found: `[${cells.shape.join(', ')}]`,
    });
  }
  const quantized = cells.type === 'uint8';
  const stored = quantized ? scalarQuantization(cells) : { scale: 1, zeroPoint: 0 };
  return {
    kind: 'grid',
    classes,
    rows,
    columns,
    scores,
    cells: { name, type: quantized ? 'uint8' : 'float32', ...stored },
  };
}
