import onnxProto from 'onnx-proto';
import type { Graph } from '#mobilenetd/convert/graph.js';
import { writeOnnx } from '#mobilenetd/convert/onnx/write.js';
import { resolveShapes } from '#mobilenetd/convert/resolve-shapes.js';
import type { SsdHead } from '#mobilenetd/models/variant.js';
import { createAnchors } from '#mobilenetd/vision/anchors.js';
import { FLOAT, valueInfo } from './build-onnx.js';

const { onnx } = onnxProto;
const INT64 = 7;

/**
 * An ONNX detector with the weights of a trained SSD: boxes as corners in pixels and the scores of its classes
 * for all anchors, as a file from elsewhere has them. Its picture is [1, 3, size, size] in [−1, 1].
 */
export function trainedSsdFile(graph: Graph, head: SsdHead, size: number): Uint8Array {
  const model = onnx.ModelProto.decode(writeOnnx(resolveShapes(graph, size, size)));
  const inner = model.graph;
  if (inner?.node == null || inner.initializer == null) throw new Error('a file without a graph');
  const { node, initializer } = inner;
  // What comes in front of the first convolution makes numbers of pixels.
  const first = node.findIndex(({ opType }) => opType === 'Conv');
  const [picture = ''] = node[first]?.input ?? [];
  node.splice(0, first);
  inner.input = [onnx.ValueInfoProto.fromObject(valueInfo(picture, FLOAT, [1, 3, size, size]))];
  const { boxes } = createAnchors(head, size, size);
  const count = boxes.length / 4;
  const constant = (name: string, dims: number[], values: Float32Array | BigInt64Array) => {
    const dataType = values instanceof Float32Array ? FLOAT : INT64;
    initializer.push({ name, dims, dataType, rawData: new Uint8Array(values.buffer) });
    return name;
  };
  const add = (opType: string, input: string[], output: string, attribute: object[] = []) => {
    node.push({ opType, input, output: [output], name: output, attribute });
    return output;
  };
  const axis = (i: number) => [{ name: 'axis', type: 2, i }];
  const rows = (part: 'boxes' | 'scores', columns: number) => {
    const shape = constant(`${part}:shape`, [3], BigInt64Array.of(1n, -1n, BigInt(columns)));
    const flat = head.layers.map((layer, at) =>
      add('Reshape', [layer[part].name, shape], `${part}:${at}`),
    );
    return add('Concat', flat, `${part}:all`, axis(1));
  };
  const columns = (value: string, from: number, to: number) => {
    const ends = [from, to, 2].map((end, at) =>
      constant(`${value}:${from}:${at}`, [1], BigInt64Array.of(BigInt(end))),
    );
    return add('Slice', [value, ...ends], `${value}:${from}-${to}`);
  };
  const perAnchor = (name: string, pick: (anchor: Float32Array) => readonly number[]) => {
    const values = Array.from({ length: count }, (_, at) =>
      pick(boxes.subarray(4 * at, 4 * at + 4)),
    );
    return constant(
      name,
      [1, count, 2],
      Float32Array.from(values.flat(), (value) => value * size),
    );
  };
  const scales = constant(
    'box:scales',
    [4],
    Float32Array.from(head.boxScales, (value) => 1 / value),
  );
  const turned = constant('box:order', [4], BigInt64Array.of(1n, 0n, 3n, 2n));
  const raw = add('Mul', [rows('boxes', 4), scales], 'box:raw');
  const xywh = add('Gather', [raw, turned], 'box:xywh', axis(2));
  const sides = perAnchor('anchor:sides', ([, , h = 0, w = 0]) => [w, h]);
  const middles = perAnchor('anchor:middles', ([y = 0, x = 0]) => [x, y]);
  const moved = add('Mul', [columns(xywh, 0, 2), sides], 'box:moved');
  const middle = add('Add', [moved, middles], 'box:middle');
  const grown = add('Exp', [columns(xywh, 2, 4)], 'box:grown');
  const half = add(
    'Mul',
    [add('Mul', [grown, sides], 'box:sides'), constant('half', [1], Float32Array.of(0.5))],
    'box:half',
  );
  const corners = [add('Sub', [middle, half], 'box:low'), add('Add', [middle, half], 'box:high')];
  add('Concat', corners, 'boxes', axis(2));
  add('Sigmoid', [columns(rows('scores', head.classes), 1, head.classes)], 'scores');
  inner.output = [
    valueInfo('boxes', FLOAT, [1, count, 4]),
    valueInfo('scores', FLOAT, [1, count, head.classes - 1]),
  ].map((value) => onnx.ValueInfoProto.fromObject(value));
  inner.valueInfo = [];
  return onnx.ModelProto.encode(model).finish();
}
