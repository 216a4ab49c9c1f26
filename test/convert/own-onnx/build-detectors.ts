import { createRandom } from '../random.js';
import { FLOAT, rawFloats, valueInfo } from './build-onnx.js';

/** The layouts that the public exporters give. */
export type DetectorKind =
  | 'yolov8'
  | 'yolov5'
  | 'yolox'
  | 'yolox-raw'
  | 'nanodet'
  | 'picodet'
  | 'ssd'
  | 'paddle-cells'
  | 'yolo-list'
  | 'paddle-list'
  | 'yolov7-list'
  | 'tf-list'
  | 'torch-list';

export interface DetectorOptions {
  readonly height?: number;
  readonly width?: number;
  readonly classes?: number;
  readonly seed?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

const INT64 = 7;
const THREE = [8, 16, 32];
const FOUR = [8, 16, 32, 64];

const int = (name: string, i: number) => ({ name, type: 2, i });
const ints = (name: string, values: readonly number[]) => ({ name, type: 7, ints: [...values] });

/** An ONNX graph under construction; every method gives the name of its result. */
export class OnnxGraph {
  readonly node: object[] = [];
  readonly initializer: object[] = [];
  readonly #random: (below: number) => number;
  #count = 0;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  add(
    opType: string,
    input: readonly string[],
    attribute: readonly object[] = [],
    name = '',
  ): string {
    this.#count += 1;
    const output = name === '' ? `${opType}_${this.#count}` : name;
    this.node.push({ opType, input: [...input], output: [output], name: output, attribute });
    return output;
  }

  floats(dims: readonly number[], values: readonly number[]): string {
    const name = `f${this.initializer.length}`;
    this.initializer.push(rawFloats(name, dims, values));
    return name;
  }

  wholes(values: readonly number[]): string {
    const name = `i${this.initializer.length}`;
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.initializer.push({ name, dims: [values.length], dataType: INT64, rawData });
    return name;
  }

  random(dims: readonly number[], amplitude: number, shift = 0): string {
    const count = dims.reduce((product, side) => product * side, 1);
    const values = Array.from(
      { length: count },
      () => ((this.#random(2001) - 1000) / 1000) * amplitude + shift,
    );
    return this.floats(dims, values);
  }

  reshape(value: string, shape: readonly number[], name = ''): string {
    return this.add('Reshape', [value, this.wholes(shape)], [], name);
  }

  transpose(value: string, perm: readonly number[]): string {
    return this.add('Transpose', [value], [ints('perm', perm)]);
  }

  /** Columns of [1, rows, columns]. */
  columns(value: string, from: number, to: number): string {
    const [starts, ends, axes] = [this.wholes([from]), this.wholes([to]), this.wholes([2])];
    return this.add('Slice', [value, starts, ends, axes]);
  }

  join(values: readonly string[], axis: number, name = ''): string {
    return this.add('Concat', values, [int('axis', axis)], name);
  }

  mul(a: string, b: string): string {
    return this.add('Mul', [a, b]);
  }

  plus(a: string, b: string): string {
    return this.add('Add', [a, b]);
  }
}

/** Rows [1, cells, channels] of random functions of what the picture has in each cell of a map. */
function mapRows(
  graph: OnnxGraph,
  stride: number,
  channels: number,
  sides: readonly [number, number],
) {
  const [rows, columns] = sides.map((side) => Math.ceil(side / stride)) as [number, number];
  const pooled = graph.add(
    'AveragePool',
    ['images'],
    [
      ints('kernel_shape', [stride, stride]),
      ints('strides', [stride, stride]),
      int('ceil_mode', 1),
    ],
  );
  const weights = graph.random([channels, 3, 1, 1], 6);
  const bias = graph.random([channels], 2.5, -1);
  const filtered = graph.add('Conv', [pooled, weights, bias]);
  const flat = graph.reshape(filtered, [1, channels, rows * columns]);
  return graph.transpose(flat, [0, 2, 1]);
}

interface Cell {
  readonly x: number;
  readonly y: number;
  readonly stride: number;
}

export function cellsIn(sides: readonly [number, number], strides: readonly number[]): Cell[] {
  return strides.flatMap((stride) => {
    const cells: Cell[] = [];
    for (let y = 0; y < Math.ceil(sides[0] / stride); y += 1) {
      for (let x = 0; x < Math.ceil(sides[1] / stride); x += 1) cells.push({ x, y, stride });
    }
    return cells;
  });
}

/** Middle and sides in pixels, [1, cells, 4], of four values a cell: as YOLO decodes its boxes. */
function middles(graph: OnnxGraph, raw: string, cells: readonly Cell[]): string {
  const bounded = graph.add('Sigmoid', [raw]);
  const scale = cells.flatMap(({ stride }) => [2 * stride, 2 * stride, 4 * stride, 4 * stride]);
  const shift = cells.flatMap(({ x, y, stride }) => [(x - 0.5) * stride, (y - 0.5) * stride, 4, 4]);
  const shape = [1, cells.length, 4];
  return graph.plus(graph.mul(bounded, graph.floats(shape, scale)), graph.floats(shape, shift));
}

/** Left, top, right, bottom of middles, divided by the sides where shares are wanted. */
function corners(graph: OnnxGraph, middle: string, divisor: readonly [number, number]): string {
  const [width, height] = divisor;
  const half = graph.mul(graph.columns(middle, 2, 4), graph.floats([1], [0.5]));
  const point = graph.columns(middle, 0, 2);
  const low = graph.add('Sub', [point, half]);
  const both = graph.join([low, graph.plus(point, half)], 2);
  return graph.add('Div', [both, graph.floats([4], [width, height, width, height])]);
}

/**
 * A small network with the outputs of a kind: what a cell of the picture looks like decides by random weights
 * what is said of it.
 */
export function detectorSpec(kind: DetectorKind, options: DetectorOptions = {}): object {
  const { height = 64, width = height, classes = 3, seed = 1, metadata = {} } = options;
  const sides = [height, width] as const;
  const graph = new OnnxGraph(seed);
  const outputs: object[] = [];
  const inputs = [valueInfo('images', FLOAT, [1, 3, height, width])];
  const give = (value: string, name: string, dims: readonly (number | string)[], type = FLOAT) => {
    graph.add('Identity', [value], [], name);
    outputs.push(valueInfo(name, type, dims));
  };
  const strides = kind === 'nanodet' || kind === 'picodet' ? FOUR : THREE;
  const cells = cellsIn(sides, strides);
  const count = cells.length;
  const rowsOf = (channels: number) =>
    graph.join(
      strides.map((stride) => mapRows(graph, stride, channels, sides)),
      1,
    );
  const sigmoid = (value: string) => graph.add('Sigmoid', [value]);
  /** The rows of a list: some cells' corners, best scores and classes. */
  const listed = (divisor: readonly [number, number], first: number) => {
    const rows = rowsOf(5);
    const chosen = graph.wholes(Array.from({ length: 40 }, (_, at) => (at * 7) % count));
    const some = graph.add('Gather', [rows, chosen], [int('axis', 1)]);
    const picked = Array.from({ length: 40 }, (_, at) => cells[(at * 7) % count] as Cell);
    const box = corners(graph, middles(graph, graph.columns(some, 0, 4), picked), divisor);
    const label = graph.floats(
      [1, 40, 1],
      Array.from({ length: 40 }, (_, at) => first + (at % classes)),
    );
    return { box, score: sigmoid(graph.columns(some, 4, 5)), label };
  };
  switch (kind) {
    case 'yolov8': {
      const rows = rowsOf(4 + classes);
      const box = middles(graph, graph.columns(rows, 0, 4), cells);
      const both = graph.join([box, sigmoid(graph.columns(rows, 4, 4 + classes))], 2);
      give(graph.transpose(both, [0, 2, 1]), 'output0', [1, 4 + classes, count]);
      break;
    }
    case 'yolov5': {
      const sets = [0, 1, 2].map(() => rowsOf(5 + classes));
      const parts = sets.map((rows) => {
        const box = middles(graph, graph.columns(rows, 0, 4), cells);
        return graph.join([box, sigmoid(graph.columns(rows, 4, 5 + classes))], 2);
      });
      give(graph.join(parts, 1), 'output', [1, 3 * count, 5 + classes]);
      break;
    }
    case 'yolox':
    case 'yolox-raw': {
      const rows = rowsOf(5 + classes);
      const raw = graph.columns(rows, 0, 4);
      const box = kind === 'yolox' ? middles(graph, raw, cells) : graph.add('Tanh', [raw]);
      const both = [box, sigmoid(graph.columns(rows, 4, 5 + classes))];
      give(graph.join(both, 2), 'output', [1, count, 5 + classes]);
      break;
    }
    case 'nanodet': {
      const rows = rowsOf(classes + 32);
      const scores = sigmoid(graph.columns(rows, 0, classes));
      const both = graph.join([scores, graph.columns(rows, classes, classes + 32)], 2);
      give(both, 'output', [1, count, classes + 32]);
      break;
    }
    case 'picodet': {
      const maps = strides.map((stride) => mapRows(graph, stride, classes + 32, sides));
      const sizes = strides.map((stride) => cellsIn(sides, [stride]).length);
      for (const [at, map] of maps.entries()) {
        const scores = sigmoid(graph.columns(map, 0, classes));
        give(scores, `transpose_${2 * at}.tmp_0`, [1, sizes[at] ?? 0, classes]);
      }
      for (const [at, map] of maps.entries()) {
        const distances = graph.columns(map, classes, classes + 32);
        give(distances, `transpose_${2 * at + 1}.tmp_0`, [1, sizes[at] ?? 0, 32]);
      }
      break;
    }
    case 'ssd': {
      const rows = rowsOf(4 + classes + 1);
      const logits = graph.columns(rows, 4, 5 + classes);
      give(graph.add('Softmax', [logits], [int('axis', 2)]), 'scores', [1, count, classes + 1]);
      const box = middles(graph, graph.columns(rows, 0, 4), cells);
      give(corners(graph, box, [width, height]), 'boxes', [1, count, 4]);
      break;
    }
    case 'paddle-cells': {
      const rows = rowsOf(4 + classes);
      const box = corners(graph, middles(graph, graph.columns(rows, 0, 4), cells), [1, 1]);
      give(box, 'boxes', [1, count, 4]);
      const scores = sigmoid(graph.columns(rows, 4, 4 + classes));
      give(graph.transpose(scores, [0, 2, 1]), 'scores', [1, classes, count]);
      break;
    }
    case 'yolo-list': {
      const { box, score, label } = listed([1, 1], 0);
      give(graph.join([box, score, label], 2), 'output0', [1, 40, 6]);
      break;
    }
    case 'paddle-list': {
      const { box, score, label } = listed([1, 1], 0);
      // Its program scales boxes back to the frame that the picture was made of.
      inputs.push(valueInfo('scale_factor', FLOAT, [1, 2]));
      const factor = graph.reshape(graph.join(['scale_factor', 'scale_factor'], 1), [1, 1, 4]);
      const scaled = graph.add('Div', [box, factor]);
      give(
        graph.reshape(graph.join([label, score, scaled], 2), [-1, 6]),
        'multiclass_nms3_0.tmp_0',
        ['n', 6],
      );
      give(graph.wholes([40]), 'bbox_num', [1], INT64);
      break;
    }
    case 'yolov7-list': {
      const { box, score, label } = listed([1, 1], 0);
      const batch = graph.floats([1, 40, 1], new Array(40).fill(0));
      // By this operator a list [n, 7] is told from a classifier of seven classes.
      graph.add('NonMaxSuppression', [box, graph.reshape(score, [1, 1, 40])]);
      give(graph.reshape(graph.join([batch, box, label, score], 2), [-1, 7]), 'output', ['n', 7]);
      break;
    }
    case 'tf-list': {
      const { box, score, label } = listed([width, height], 1);
      const order = graph.wholes([1, 0, 3, 2]);
      give(graph.add('Gather', [box, order], [int('axis', 2)]), 'detection_boxes:0', [1, 40, 4]);
      give(graph.reshape(label, [1, 40]), 'detection_classes:0', [1, 40]);
      give(graph.reshape(score, [1, 40]), 'detection_scores:0', [1, 40]);
      give(graph.floats([1], [40]), 'num_detections:0', [1]);
      break;
    }
    case 'torch-list': {
      const { box, score, label } = listed([1, 1], 1);
      give(graph.reshape(box, [40, 4]), 'boxes', ['n', 4]);
      give(
        graph.add('Cast', [graph.reshape(label, [40])], [int('to', INT64)]),
        'labels',
        ['n'],
        INT64,
      );
      give(graph.reshape(score, [40]), 'scores', ['n']);
    }
  }
  return {
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    producerName: 'test',
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: kind,
      node: graph.node,
      initializer: graph.initializer,
      input: inputs,
      output: outputs,
    },
  };
}
