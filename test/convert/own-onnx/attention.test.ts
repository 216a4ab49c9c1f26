import t from 'tap';
import { convertOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { NO_PICTURE_OPTIONS, UNIT } from '#mobilenetd/convert/scaling.js';
import { ort } from '#mobilenetd/inference/runtime.js';
import { measureScores } from '#mobilenetd/models/install/measure-scores.js';
import { sidesOf } from '#mobilenetd/models/variant.js';
import { createRandom } from '../random.js';
import { type Dimension, encodeOnnx, FLOAT, rawFloats, valueInfo } from './build-onnx.js';

const WIDTH = 8;
const CLASSES = 5;
const INT64 = 7;

const int = (name: string, i: number) => ({ name, type: 2, i });
const ints = (name: string, values: readonly number[]) => ({ name, type: 7, ints: [...values] });

/** A network like MobileViT: a convolution, SiLU, attention between all cells, and a dense layer. */
function attentionFile(input: readonly Dimension[]): Uint8Array {
  const random = createRandom(3);
  const node: object[] = [];
  const initializer: object[] = [];
  const add = (opType: string, inputs: readonly string[], attribute: readonly object[] = []) => {
    const name = `v${node.length}`;
    node.push({ opType, input: [...inputs], output: [name], name, attribute });
    return name;
  };
  const constant = (dims: readonly number[], amplitude: number) => {
    const name = `c${initializer.length}`;
    const count = dims.reduce((product, side) => product * side, 1);
    const values = Array.from({ length: count }, () => (random(2001) / 1000 - 1) * amplitude);
    initializer.push(rawFloats(name, dims, values));
    return name;
  };
  const rawData = new Uint8Array(BigInt64Array.of(0n, BigInt(WIDTH), -1n).buffer);
  initializer.push({ name: 'cells', dims: [3], dataType: INT64, rawData });
  const swapped = [ints('perm', [0, 2, 1])];
  const map = add('Conv', ['input', constant([WIDTH, 3, 4, 4], 0.4)], [ints('strides', [4, 4])]);
  const swish = add('Mul', [map, add('Sigmoid', [map])]);
  const rows = add('Transpose', [add('Reshape', [swish, 'cells'])], swapped);
  const weights = [rows, constant([WIDTH], 1), constant([WIDTH], 0.1)];
  const even = add('LayerNormalization', weights, [int('axis', -1)]);
  const dense = () => add('MatMul', [even, constant([WIDTH, WIDTH], 0.5)]);
  const [query, key, value] = [dense(), dense(), dense()];
  const likeness = add('MatMul', [query, add('Transpose', [key], swapped)]);
  const attention = add('Softmax', [likeness], [int('axis', -1)]);
  const sum = add('Add', [rows, add('MatMul', [attention, value])]);
  const mean = add('ReduceMean', [sum], [ints('axes', [1]), int('keepdims', 0)]);
  const logits = add('Gemm', [mean, constant([WIDTH, CLASSES], 3), constant([CLASSES], 1)]);
  const scores = add('Softmax', [logits], [int('axis', 1)]);
  return encodeOnnx({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    producerName: 'test',
    graph: {
      ...{ name: 'attention', node, initializer },
      input: [valueInfo('input', FLOAT, input)],
      output: [valueInfo(scores, FLOAT, [input[0] ?? 1, CLASSES])],
    },
  });
}

const PICTURE = { ...NO_PICTURE_OPTIONS, scaling: UNIT };
const CASES: Readonly<Record<string, readonly [input: readonly Dimension[], size: number | null]>> =
  {
    'a square picture': [[1, 3, 32, 32], null],
    'a picture that is not square': [[1, 3, 24, 40], null],
    'any batch, height and width, with a size': [['batch', 3, 'height', 'width'], 32],
  };

for (const [name, [input, size]] of Object.entries(CASES)) {
  t.test(`attention inside is not the end: ${name}`, async (t) => {
    const file = attentionFile(input);
    const { model, scores } = await measureScores(convertOwnOnnx(file, { ...PICTURE, size }));
    t.equal(scores, 'softmax');
    const [height, width] = sidesOf(model.input, model.input.sizes[0] ?? 0);
    const own = await ort.InferenceSession.create(model.onnx);
    const original = await ort.InferenceSession.create(file);
    const random = createRandom(11);
    for (let count = 0; count < 3; count += 1) {
      const pixels = Uint8Array.from({ length: height * width * 3 }, () => random(256));
      const planes = new Float32Array(pixels.length);
      for (const [at, pixel] of pixels.entries())
        planes[(at % 3) * height * width + Math.floor(at / 3)] = pixel / 255;
      const given = new ort.Tensor('float32', planes, [1, 3, height, width]);
      const expected = (await original.run({ input: given }))[original.outputNames[0] ?? ''];
      const picture = new ort.Tensor('uint8', pixels, [1, height, width, 3]);
      const found = (await own.run({ [model.input.name]: picture }))[own.outputNames[0] ?? ''];
      const logits = found?.data instanceof Float32Array ? [...found.data] : [];
      const powers = logits.map(Math.exp);
      const total = powers.reduce((sum, power) => sum + power, 0);
      t.equal(powers.length, CLASSES);
      for (const [at, power] of powers.entries())
        t.ok(Math.abs(power / total - Number(expected?.data[at])) < 1e-5);
    }
    await own.release();
    await original.release();
  });
}

t.test('a network for any size asks for one', (t) => {
  const file = attentionFile(['batch', 3, 'height', 'width']);
  t.throws(() => convertOwnOnnx(file, PICTURE), { code: 'MND_MODEL_QUESTION', message: /--size/ });
  t.end();
});
