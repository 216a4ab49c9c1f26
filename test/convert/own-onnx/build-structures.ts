import { cellsIn, type OnnxGraph } from './build-detectors.js';
import { type Act, type FeatureMap, int, Layers } from './build-network.js';
import { encodeOnnx, FLOAT, valueInfo } from './build-onnx.js';

/** Detectors whose layers are those of the public ones, smaller and with random weights. */
export type Structure = 'yolov8' | 'yolox' | 'nanodet' | 'picodet' | 'ssdlite';

export const SIZE = 128;
export const CLASSES = 4;

const FLOAT16 = 10;

/** Three maps of strides 8, 16 and 32. */
type Backbone = readonly [FeatureMap, FeatureMap, FeatureMap];

function csp(layers: Layers, map: FeatureMap, act: Act): FeatureMap {
  const half = map.channels / 2;
  const wide = layers.conv(map, map.channels, { act });
  const [left, right] = [layers.part(wide, 0, half), layers.part(wide, half, 2 * half)];
  const inner = layers.conv(right, half, { kernel: 3, act });
  const sum = layers.plus(right, layers.conv(inner, half, { kernel: 3, act }));
  return layers.conv(layers.join([left, right, sum]), map.channels, { act });
}

function yoloBackbone(layers: Layers, stem: FeatureMap): Backbone {
  const act = 'silu';
  const down = (map: FeatureMap, out: number) =>
    csp(layers, layers.conv(map, out, { kernel: 3, stride: 2, act }), act);
  const third = down(down(stem, 16), 24);
  const fourth = down(third, 32);
  const fifth = down(fourth, 32);
  const once = layers.pooled(fifth);
  const pyramid = layers.conv(layers.join([fifth, once, layers.pooled(once)]), 32, { act });
  const joined = csp(layers, layers.join([layers.larger(pyramid), fourth]), act);
  const finest = csp(layers, layers.join([layers.larger(joined), third]), act);
  return [finest, joined, pyramid];
}

function shuffleBackbone(layers: Layers, picture: FeatureMap, act: Act, gates: boolean): Backbone {
  let map = layers.conv(picture, 24, { kernel: 3, stride: 2, act });
  map = layers.conv(map, 24, { kernel: 3, stride: 2, groups: 24 });
  const maps: FeatureMap[] = [];
  for (const [at, channels] of [32, 48, 64].entries()) {
    const half = channels / 2;
    const left = layers.conv(map, map.channels, { kernel: 3, stride: 2, groups: map.channels });
    const right = layers.conv(map, half, { act });
    const low = layers.conv(right, half, { kernel: 3, stride: 2, groups: half });
    const both = [layers.conv(left, half, { act }), layers.conv(low, half, { act })];
    map = layers.shuffled(layers.join(both), SIZE / 8 / 2 ** at);
    const [keep, work] = [layers.part(map, 0, half), layers.part(map, half, channels)];
    const deep = layers.conv(layers.conv(work, half, { act }), half, { kernel: 3, groups: half });
    const done = layers.conv(gates ? layers.gated(deep) : deep, half, { act });
    map = layers.shuffled(layers.join([keep, done]), SIZE / 8 / 2 ** at);
    maps.push(map);
  }
  const [a, b, c] = maps as [FeatureMap, FeatureMap, FeatureMap];
  const like = (one: FeatureMap) => layers.conv(one, 32, { act });
  const top = like(c);
  const middle = layers.plus(like(b), layers.larger(top));
  return [layers.plus(like(a), layers.larger(middle)), middle, top];
}

function separable(layers: Layers, map: FeatureMap, out: number, act: Act, stride = 1): FeatureMap {
  const deep = layers.conv(map, map.channels, { kernel: 5, groups: map.channels, stride, act });
  return layers.conv(deep, out, { act });
}

function inverted(layers: Layers, map: FeatureMap, out: number, stride: number): FeatureMap {
  const wide = layers.conv(map, map.channels * 4, { act: 'relu6' });
  const groups = wide.channels;
  const deep = layers.conv(wide, groups, { kernel: 3, stride, groups, act: 'relu6' });
  const low = layers.conv(deep, out);
  return stride === 1 && out === map.channels ? layers.plus(map, low) : low;
}

type Build = (
  layers: Layers,
  picture: FeatureMap,
) => readonly (readonly [string, readonly number[]])[];

const cells = (strides: readonly number[]) => cellsIn([SIZE, SIZE], strides).length;

const BUILDS: Readonly<Record<Structure, Build>> = {
  yolov8(layers, picture) {
    const { graph } = layers;
    const act = 'silu';
    const maps = yoloBackbone(layers, layers.conv(picture, 16, { kernel: 3, stride: 2, act }));
    const head = (map: FeatureMap, out: number, shift = 0) => {
      const first = layers.conv(map, 24, { kernel: 3, act });
      return layers.conv(layers.conv(first, 24, { kernel: 3, act }), out, { shift, gain: 0.5 });
    };
    const distances = layers.rows(maps.map((map) => head(map, 64)));
    const scores = layers.rows(maps.map((map) => head(map, CLASSES, -1.5)));
    const all = cellsIn([SIZE, SIZE], [8, 16, 32]);
    const spread = graph.reshape(distances, [1, all.length, 4, 16]);
    const shares = graph.add('Softmax', [spread], [int('axis', 3)]);
    const steps = graph.floats(
      [16, 1],
      Array.from({ length: 16 }, (_, at) => at),
    );
    const edges = graph.reshape(graph.add('MatMul', [shares, steps]), [1, all.length, 4]);
    const points = graph.floats(
      [1, all.length, 2],
      all.flatMap(({ x, y }) => [x + 0.5, y + 0.5]),
    );
    const low = graph.add('Sub', [points, graph.columns(edges, 0, 2)]);
    const high = graph.plus(points, graph.columns(edges, 2, 4));
    const middle = graph.mul(graph.plus(low, high), graph.floats([1], [0.5]));
    const both = graph.join([middle, graph.add('Sub', [high, low])], 2);
    const strides = graph.floats(
      [1, all.length, 1],
      all.map(({ stride }) => stride),
    );
    const rows = [graph.mul(both, strides), graph.add('Sigmoid', [scores])];
    graph.transpose(graph.join(rows, 2), [0, 2, 1]);
    return [['output0', [1, 4 + CLASSES, all.length]]];
  },
  yolox(layers, { name }) {
    const { graph } = layers;
    const act = 'silu';
    const corner = (y: number, x: number) => {
      const [starts, ends] = [graph.wholes([y, x]), graph.wholes([SIZE, SIZE])];
      const rest = [graph.wholes([2, 3]), graph.wholes([2, 2])];
      return { name: graph.add('Slice', [name, starts, ends, ...rest]), channels: 3 };
    };
    const focus = layers.join([corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)]);
    const maps = yoloBackbone(layers, layers.conv(focus, 16, { kernel: 3, act }));
    const rows = maps.map((map) => {
      const own = layers.conv(map, 24, { act });
      const classes = layers.conv(layers.conv(own, 24, { kernel: 3, act }), CLASSES, { gain: 0.5 });
      const boxes = layers.conv(own, 24, { kernel: 3, act });
      const place = layers.conv(boxes, 4);
      const [object, labels] = [layers.conv(boxes, 1), classes].map((map) => ({
        ...map,
        name: graph.add('Sigmoid', [map.name]),
      }));
      // Offsets of a trained one are small.
      const small = { ...place, name: graph.add('Tanh', [place.name]) };
      return layers.join([small, object as FeatureMap, labels as FeatureMap]);
    });
    layers.rows(rows);
    return [['output', [1, cells([8, 16, 32]), 5 + CLASSES]]];
  },
  nanodet(layers, picture) {
    const { graph } = layers;
    const act = 'leaky';
    const [a, b, c] = shuffleBackbone(layers, picture, act, false);
    const maps = [a, b, c, separable(layers, c, 32, act, 2)];
    const rows = layers.rows(
      maps.map((map) => {
        const deep = separable(layers, separable(layers, map, 32, act), 32, act);
        return layers.conv(deep, CLASSES + 32, { shift: -0.5, gain: 0.3 });
      }),
    );
    const scores = graph.add('Sigmoid', [graph.columns(rows, 0, CLASSES)]);
    graph.join([scores, graph.columns(rows, CLASSES, CLASSES + 32)], 2);
    return [['output', [1, cells([8, 16, 32, 64]), CLASSES + 32]]];
  },
  picodet(layers, picture) {
    const { graph } = layers;
    const act = 'hardswish';
    const [a, b, c] = shuffleBackbone(layers, picture, act, true);
    const maps = [a, b, c, separable(layers, c, 32, act, 2)].map((map) => {
      const rows = layers.rows([
        layers.conv(separable(layers, map, 32, act), CLASSES + 32, { gain: 0.3 }),
      ]);
      return [rows, graph.columns(rows, CLASSES, CLASSES + 32)] as const;
    });
    const strides = [8, 16, 32, 64];
    const outputs: (readonly [string, readonly number[]])[] = [];
    for (const [at, [rows]] of maps.entries()) {
      const name = `transpose_${2 * at}.tmp_0`;
      graph.add('Sigmoid', [graph.columns(rows, 0, CLASSES)], [], name);
      outputs.push([name, [1, cells([strides[at] ?? 1]), CLASSES]]);
    }
    for (const [at, [, distances]] of maps.entries()) {
      const name = `transpose_${2 * at + 1}.tmp_0`;
      graph.add('Identity', [distances], [], name);
      outputs.push([name, [1, cells([strides[at] ?? 1]), 32]]);
    }
    return outputs;
  },
  ssdlite(layers, picture) {
    const { graph } = layers;
    let map = layers.conv(picture, 16, { kernel: 3, stride: 2, act: 'relu6' });
    map = inverted(layers, inverted(layers, map, 24, 2), 24, 1);
    map = inverted(layers, inverted(layers, map, 32, 2), 32, 1);
    const middle = inverted(layers, map, 48, 2);
    const maps = [map, middle, inverted(layers, middle, 48, 2)];
    const head = (one: FeatureMap, out: number) => {
      const groups = one.channels;
      return layers.conv(layers.conv(one, groups, { kernel: 3, groups, act: 'relu6' }), out, {
        gain: 0.3,
      });
    };
    const scores = layers.rows(maps.map((one) => head(one, CLASSES + 1)));
    const boxes = layers.rows(maps.map((one) => head(one, 4)));
    const all = cellsIn([SIZE, SIZE], [8, 16, 32]);
    graph.add('Softmax', [scores], [int('axis', 2)], 'scores');
    const bounded = graph.add('Sigmoid', [boxes]);
    const spread = all.flatMap(({ stride }) => Array(4).fill((2 * stride) / SIZE) as number[]);
    const place = all.flatMap(({ x, y, stride }) => {
      const [left, top] = [(x * stride) / SIZE, (y * stride) / SIZE];
      return [left - stride / SIZE, top - stride / SIZE, left + stride / SIZE, top + stride / SIZE];
    });
    const shape = [1, all.length, 4];
    const moved = graph.mul(bounded, graph.floats(shape, spread));
    graph.add('Add', [moved, graph.floats(shape, place)], [], 'boxes');
    return [
      ['scores', [1, all.length, CLASSES + 1]],
      ['boxes', shape],
    ];
  },
};

/** A classifier with the layers of SqueezeNet: convolutions side by side that are joined. */
export function squeezed(): Uint8Array {
  const layers = new Layers(5, 11);
  let map = layers.conv({ name: 'images', channels: 3 }, 16, { kernel: 3, stride: 2, act: 'relu' });
  for (const channels of [16, 24, 32]) {
    const narrow = layers.conv(map, 8, { act: 'relu' });
    const wide = [1, 3].map((kernel) => layers.conv(narrow, channels, { kernel, act: 'relu' }));
    map = layers.join(wide);
  }
  const last = layers.conv(map, CLASSES);
  const { graph } = layers;
  const mean = graph.reshape(graph.add('GlobalAveragePool', [last.name]), [1, CLASSES]);
  graph.add('Softmax', [mean], [int('axis', 1)], 'scores');
  return fileOf(graph, 'squeezed', [['scores', [1, CLASSES]]], 11);
}

/** A whole file of a structure. Its last value is its output where it has one. */
export function structureFile(
  structure: Structure,
  seed = 1,
  opset = 11,
  type: 'float32' | 'float16' = 'float32',
): Uint8Array {
  const layers = new Layers(seed, opset);
  const outputs = BUILDS[structure](layers, { name: 'images', channels: 3 });
  const { node, initializer } = layers.graph;
  const last = node.at(-1) as { output: string[] };
  const [[only = ''] = [], ...others] = outputs;
  if (others.length === 0) last.output = [only];
  if (type === 'float16') halve(initializer);
  return fileOf(layers.graph, structure, outputs, opset, type === 'float16' ? FLOAT16 : FLOAT);
}

/** Makes all real numbers halves, as exporters with `half=True` do. */
function halve(initializer: readonly object[]): void {
  for (const tensor of initializer as {
    name: string;
    dims: number[];
    dataType: number;
    rawData: Uint8Array;
  }[]) {
    // Factors of a Resize are whole ones always.
    const factors = tensor.dims.length === 1 && (tensor.dims[0] ?? 0) <= 4;
    if (tensor.dataType !== FLOAT || factors) continue;
    const values = new Float32Array(tensor.rawData.slice().buffer);
    tensor.dataType = FLOAT16;
    tensor.rawData = new Uint8Array(Uint16Array.from(values, halfOf).buffer);
  }
}

/** The bits of a number of half the width, cut off; too small ones are 0. */
function halfOf(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const sign = (bits >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

function fileOf(
  { node, initializer }: OnnxGraph,
  name: string,
  outputs: readonly (readonly [string, readonly number[]])[],
  opset: number,
  type = FLOAT,
): Uint8Array {
  return encodeOnnx({
    irVersion: 6,
    opsetImport: [{ domain: '', version: opset }],
    producerName: 'test',
    graph: {
      name,
      node,
      initializer,
      input: [valueInfo('images', type, [1, 3, SIZE, SIZE])],
      output: outputs.map(([output, dims]) => valueInfo(output, type, dims)),
    },
  });
}
