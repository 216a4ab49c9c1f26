import t from 'tap';
import { readOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT } from '#mobilenetd/convert/scaling.js';
import { isCodedError } from '#mobilenetd/errors.js';
import { measureBoxes } from '#mobilenetd/models/install/measure-boxes.js';
import { measureScores } from '#mobilenetd/models/install/measure-scores.js';
import { detectorSpec } from './build-detectors.js';
import { classifierSpec, encodeOnnx, FLOAT, floats, valueInfo } from './build-onnx.js';

/** A classifier's specification, as far as these tests change it. */
interface Spec {
  opsetImport: { domain: string; version: number }[];
  readonly graph: {
    readonly node: object[];
    readonly initializer: Record<string, unknown>[];
    readonly input: object[];
    output: { name: string }[];
  };
}

/** A small classifier with something changed. */
function changed(change: (spec: Spec) => void, options = {}): object {
  const spec = classifierSpec({ size: 32, ...options }) as unknown as Spec;
  change(spec);
  return spec;
}

/** Puts an operator behind the scores, whose result is the output. */
function behind(opType: string, more: readonly string[] = [], type = FLOAT) {
  return ({ graph }: Spec) => {
    const [output] = graph.output;
    const input = [output?.name ?? '', ...more];
    graph.node.push({ opType, input, output: ['behind'], name: 'behind' });
    graph.output = [valueInfo('behind', type, [1, 4])];
  };
}

const REFUSED: readonly (readonly [name: string, make: () => object, message: RegExp])[] = [
  ['batches of two', () => classifierSpec({ size: 32, batch: 2 }), /batch 1/],
  [
    'two inputs',
    () =>
      changed((spec) => {
        spec.graph.input.push(valueInfo('mask', FLOAT, [1, 4]));
        behind('Mul', ['mask'])(spec);
      }),
    /2 inputs; export it with its picture as the only input/,
  ],
  [
    'scores and features',
    () =>
      changed(({ graph }) => {
        const [output] = graph.output;
        const node = { opType: 'Relu', input: [output?.name], output: ['other'], name: 'other' };
        graph.node.push(node);
        graph.output.push(valueInfo('other', FLOAT, [1, 4]));
      }),
    /of a classifier, export the scores as its only output/,
  ],
  [
    'weights in another file',
    () =>
      changed(({ graph: { initializer } }) => {
        const [weights = {}] = initializer;
        delete weights.rawData;
        const externalData = [{ key: 'location', value: 'weights.bin' }];
        Object.assign(weights, { dataLocation: 1, externalData });
      }),
    /values in another file; save the model without external data/,
  ],
  [
    'weights that are no numbers',
    () =>
      changed(({ graph: { initializer } }) => {
        const rawData = new Uint8Array(new Float32Array(12).fill(Number.NaN).buffer);
        Object.assign(initializer[0] ?? {}, { rawData });
      }),
    /no number; weights are damaged/,
  ],
  [
    'a bias without an end',
    () =>
      changed(({ graph: { initializer } }) => {
        Object.assign(initializer[1] ?? {}, { floatData: [Number.POSITIVE_INFINITY, 0, 0, 0] });
      }),
    /no number; weights are damaged/,
  ],
  [
    'a constant of 2³² values',
    () =>
      changed(({ graph: { initializer } }) => {
        const dims = [65536, 65536];
        initializer.push({ name: 'big', dims, dataType: FLOAT, rawData: new Uint8Array(4) });
      }),
    /\[65536, 65536\]; take a smaller network/,
  ],
  ['a picture of 4096 px', () => classifierSpec({ size: 4096 }), /of such sides/],
  ['operator set 6', () => classifierSpec({ size: 32, opset: 6 }), /found 6; export it with/],
  ['operator set 26', () => classifierSpec({ size: 32, opset: 26 }), /found 26; export it with/],
  [
    'scores in percent',
    () =>
      changed((spec) => {
        spec.graph.initializer.push(floats('hundred', [], [100]));
        behind('Mul', ['hundred'])(spec);
      }),
    /export the network with its softmax/,
  ],
  ['the best class alone', () => changed(behind('ArgMax', [], 7)), /export the network alone/],
  [
    'a value that nothing computes',
    () => changed(behind('Add', ['nobody'])),
    /nothing computes; fetch it again/,
  ],
  [
    'labels of another network',
    () => detectorSpec('yolov8', { height: 96, classes: 3 }),
    /of 3 classes, with 4 labels; give the labels/,
  ],
];

for (const [name, make, message] of REFUSED) {
  t.test(`${name}: refused, with what to do`, async (t) => {
    const file = encodeOnnx(make());
    const error: unknown = await readAll(file).catch((reason: unknown) => reason);
    if (!isCodedError(error)) throw new Error(`not refused: ${String(error)}`);
    t.match(error.message, message);
    t.ok(error.detail.next, 'what to do');
  });
}

async function readAll(file: Uint8Array): Promise<void> {
  const read = readOwnOnnx(file, { ...NO_PICTURE_OPTIONS, scaling: SIGNED_UNIT });
  if (read.kind === 'classifier') await measureScores(read.model);
  else await measureBoxes(read.model, 4);
}
