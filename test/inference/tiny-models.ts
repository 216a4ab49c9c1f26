import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { onnx as proto } from 'onnx-proto';
import onnxProto from 'onnx-proto';

const { ModelProto } = onnxProto.onnx;

import type { Variant } from '#mobilenetd/models/variant.js';

const FLOAT = 1;
const UINT8 = 2;
const INT = 2;
const INTS = 7;

export type Dimension = number | string;

function valueInfo(name: string, elemType: number, shape: readonly Dimension[]) {
  const dim = shape.map((side) =>
    typeof side === 'string' ? { dimParam: side } : { dimValue: side },
  );
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function node(opType: string, input: string[], output: string, attribute: object[] = []) {
  return { opType, input, output: [output], attribute };
}

const cast = (from: string, to: string, type: number) =>
  node('Cast', [from], to, [{ name: 'to', type: INT, i: type }]);

function encode(graph: proto.IGraphProto): Uint8Array {
  return ModelProto.encode(
    ModelProto.create({ irVersion: 8, opsetImport: [{ domain: '', version: 13 }], graph }),
  ).finish();
}

/** Logits are the means of red, green and blue, as uint8 or float32. */
export function colourClassifier(
  options: { size?: Dimension; output?: string; type?: 'uint8' | 'float32' } = {},
): Uint8Array {
  const { size = 4, output = 'logits', type = 'uint8' } = options;
  const elemType = type === 'uint8' ? UINT8 : FLOAT;
  return encode({
    name: 'colour',
    node: [
      cast('picture', 'float', FLOAT),
      node('ReduceMean', ['float'], 'mean', [
        { name: 'axes', type: INTS, ints: [1, 2] },
        { name: 'keepdims', type: INT, i: 0 },
      ]),
      cast('mean', output, elemType),
    ],
    input: [valueInfo('picture', UINT8, [1, size, size, 3])],
    output: [valueInfo(output, elemType, [1, 3])],
  });
}

/**
 * A detector of bright cells of 8×8 pixels: its scores are the cells' colours, (mean − 128) / 16
 * (red is the background's column), its boxes the anchors themselves. Any input size.
 */
export function cellDetector(): Uint8Array {
  const permutation = (ints: number[]) => [{ name: 'perm', type: INTS, ints }];
  const eight = (name: string) => ({ name, type: INTS, ints: [8, 8] });
  const constant = (name: string, dims: number[], floatData: number[]) => ({
    name,
    dims,
    dataType: FLOAT,
    floatData,
  });
  return encode({
    name: 'cells',
    node: [
      cast('picture', 'float', FLOAT),
      node('Transpose', ['float'], 'planes', permutation([0, 3, 1, 2])),
      node('AveragePool', ['planes'], 'cells', [eight('kernel_shape'), eight('strides')]),
      node('Transpose', ['cells'], 'colours', permutation([0, 2, 3, 1])),
      node('Sub', ['colours', 'middle'], 'centred'),
      node('Div', ['centred', 'unit'], 'scores'),
      node('MatMul', ['colours', 'nothing'], 'boxes'),
    ],
    initializer: [
      constant('middle', [1], [128]),
      constant('unit', [1], [16]),
      constant('nothing', [3, 4], new Array(12).fill(0)),
    ],
    input: [valueInfo('picture', UINT8, [1, 'height', 'width', 3])],
    output: [
      valueInfo('scores', FLOAT, [1, 'rows', 'columns', 3]),
      valueInfo('boxes', FLOAT, [1, 'rows', 'columns', 4]),
    ],
  });
}

/** Writes a model and describes it as a classifier of three colours. */
export async function classifierVariant(
  folder: string,
  name: string,
  model: Uint8Array = colourClassifier(),
  changes: Partial<Variant> = {},
): Promise<Variant> {
  const file = join(folder, `${name}.onnx`);
  await writeFile(file, model);
  return {
    name,
    model: name,
    family: 'mobilenet_v1',
    task: 'classify',
    alpha: 0.25,
    size: 4,
    form: 'exact',
    file,
    sha256: createHash('sha256').update(model).digest('hex'),
    input: { name: 'picture', sizes: [4] },
    head: {
      kind: 'classifier',
      classes: 3,
      logits: { name: 'logits', type: 'uint8', scale: 0.1, zeroPoint: 0 },
    },
    preprocessing: { centralCrop: 1 },
    labels: ['red', 'green', 'blue'],
    accuracy: { top1: null, top5: null, map: null },
    multAdds: null,
    ...changes,
  };
}

/** Writes the cell detector and describes it at one of its sizes. */
export async function detectorVariant(folder: string, size: number): Promise<Variant> {
  const float = { type: 'float32', scale: 1, zeroPoint: 0 } as const;
  const classifier = await classifierVariant(folder, 'cells', cellDetector());
  return {
    ...classifier,
    name: `cells_${size}`,
    task: 'detect',
    size,
    input: { name: 'picture', sizes: [32, 16] },
    head: {
      kind: 'ssd',
      classes: 3,
      layers: [
        { boxes: { name: 'boxes', ...float }, scores: { name: 'scores', ...float }, stride: 8 },
      ],
      anchors: {
        referenceSize: 32,
        minScale: 0.25,
        maxScale: 0.25,
        aspectRatios: [1],
        reduceBoxesInLowestLayer: false,
        interpolatedScaleAspectRatio: 0,
      },
      boxScales: [10, 10, 5, 5],
    },
    labels: ['', 'green', 'blue'],
  };
}
