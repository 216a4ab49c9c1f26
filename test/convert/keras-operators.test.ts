import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS, UNIT } from '#mobilenetd/convert/scaling.js';
import { CODE } from './build-mobilenet.js';
import { createSpec, type SpecBuilder } from './build-small.js';
import { buildTflite } from './build-tflite.js';
import { withFloatEnds } from './float-ends.js';
import { openOracle } from './litert.js';
import { createRandom, randomPicture } from './random.js';
import { openOnnx } from './session.js';

const SIZE = 16;
const NUMBER = { SUB: 41, DIV: 42, STRIDED_SLICE: 45, SHAPE: 77, PACK: 83 } as const;
/** Number of each operator's table in the union of options. */
const UNION = {
  MUL: 21,
  ADD: 11,
  SUB: 28,
  DIV: 29,
  SHAPE: 55,
  STRIDED_SLICE: 32,
  PACK: 59,
} as const;

const floats = (spec: SpecBuilder, shape: readonly number[], values: readonly number[]) =>
  spec.tensor({ name: 'constant', type: 'float32', shape, data: Float32Array.from(values) });
const ints = (spec: SpecBuilder, values: readonly number[]) =>
  spec.tensor({
    name: 'ints',
    type: 'int32',
    shape: [values.length],
    data: Int32Array.from(values),
  });

type Step = readonly [operator: 'MUL' | 'ADD' | 'SUB' | 'DIV', values: readonly number[]];

interface Options {
  readonly front: readonly Step[];
  /** Whether the shape of the last RESHAPE is computed, as Keras' Flatten does it. */
  readonly computedShape?: boolean;
  readonly swish?: boolean;
  readonly sigmoid?: boolean;
}

/** A float network: front, convolution (with SiLU, if asked for), flatten, dense, softmax or sigmoid. */
function network({ front, computedShape, swish, sigmoid }: Options): Uint8Array {
  const spec = createSpec(2);
  const random = createRandom(9);
  const numbers = (count: number, span: number) =>
    Array.from({ length: count }, () => (random(2000) / 1000 - 1) * span);
  const real = (shape: readonly number[]) => spec.activation(shape, 1, 0, 'float32');
  const picture = real([1, SIZE, SIZE, 3]);
  let value = picture;
  for (const [name, values] of front) {
    const to = real([1, SIZE, SIZE, 3]);
    const code = name === 'MUL' ? CODE.MUL : name === 'ADD' ? CODE.ADD : NUMBER[name];
    const constant = floats(spec, values.length === 1 ? [] : [values.length], values);
    const options = { union: UNION[name] };
    spec.operator({ code, inputs: [value, constant], outputs: [to], options });
    value = to;
  }
  const half = SIZE / 4;
  let map = real([1, half, half, 4]);
  spec.operator({
    code: CODE.CONV_2D,
    inputs: [
      value,
      floats(spec, [4, 3, 3, 3], numbers(108, 0.3)),
      floats(spec, [4], numbers(4, 0.1)),
    ],
    outputs: [map],
    options: { union: 1, int8: { 3: swish ? 0 : 1 }, int32: { 1: 4, 2: 4, 4: 1, 5: 1 } },
  });
  if (swish) {
    const gate = real([1, half, half, 4]);
    const product = real([1, half, half, 4]);
    spec.operator({ code: CODE.LOGISTIC, inputs: [map], outputs: [gate] });
    const options = { union: UNION.MUL };
    spec.operator({ code: CODE.MUL, inputs: [map, gate], outputs: [product], options });
    map = product;
  }
  const count = half * half * 4;
  const flat = real([1, count]);
  const shape = computedShape ? flattenShape(spec, map, count) : ints(spec, [-1, count]);
  spec.operator({ code: CODE.RESHAPE, inputs: [map, shape], outputs: [flat] });
  const logits = real([1, 3]);
  spec.operator({
    code: CODE.FULLY_CONNECTED,
    inputs: [flat, floats(spec, [3, count], numbers(3 * count, 0.3))],
    outputs: [logits],
    options: { union: 8 },
  });
  const scores = real([1, 3]);
  spec.operator(
    sigmoid
      ? { code: CODE.LOGISTIC, inputs: [logits], outputs: [scores] }
      : {
          code: CODE.SOFTMAX,
          inputs: [logits],
          outputs: [scores],
          options: { union: 9, float32: { 0: 1 } },
        },
  );
  return buildTflite(spec.finish([picture], [scores]));
}

/** SHAPE, STRIDED_SLICE and PACK: the batch size, then the number of values. */
function flattenShape(spec: SpecBuilder, map: number, count: number): number {
  const tensor = (name: string, shape: readonly number[]) =>
    spec.tensor({ name, type: 'int32', shape });
  const shape = tensor('shape', [4]);
  spec.operator({
    code: NUMBER.SHAPE,
    inputs: [map],
    outputs: [shape],
    options: { union: UNION.SHAPE, int8: { 0: 2 } },
  });
  const batch = tensor('batch', []);
  spec.operator({
    code: NUMBER.STRIDED_SLICE,
    inputs: [shape, ints(spec, [0]), ints(spec, [1]), ints(spec, [1])],
    outputs: [batch],
    options: { union: UNION.STRIDED_SLICE, int32: { 4: 1 } },
  });
  const packed = tensor('packed', [2]);
  const size = spec.tensor({ name: 'size', type: 'int32', shape: [], data: Int32Array.of(count) });
  spec.operator({
    code: NUMBER.PACK,
    inputs: [batch, size],
    outputs: [packed],
    options: { union: UNION.PACK, int32: { 0: 2 } },
  });
  return packed;
}

const CASES: Readonly<Record<string, Options>> = {
  "Keras' Rescaling(1/127.5, offset −1)": {
    front: [
      ['MUL', [1 / 127.5]],
      ['ADD', [-1]],
    ],
  },
  'DIV and SUB': {
    front: [
      ['DIV', [127.5]],
      ['SUB', [1]],
    ],
  },
  'Rescaling and Normalization, a channel each': {
    front: [
      ['MUL', [1 / 255]],
      ['SUB', [0.485, 0.456, 0.406]],
      ['DIV', [0.229, 0.224, 0.225]],
    ],
  },
  'a shape that is computed before RESHAPE': { front: [['MUL', [1 / 255]]], computedShape: true },
  SiLU: { front: [['MUL', [1 / 255]]], swish: true },
  'a sigmoid at the end': { front: [['MUL', [1 / 255]]], sigmoid: true },
};

for (const [name, options] of Object.entries(CASES)) {
  t.test(`pixels go in as they are: ${name}`, async (t) => {
    const file = network(options);
    const { onnx, head } = convertTflite(file, { form: 'float32' });
    t.match(head, { scores: options.sigmoid ? 'sigmoid' : 'softmax' });
    const oracle = await openOracle(file);
    const model = await openOnnx(onnx);
    for (let seed = 0; seed < 3; seed += 1) {
      const pixels = randomPicture(SIZE, seed);
      const expected = await oracle.run(Float32Array.from(pixels), [1, SIZE, SIZE, 3]);
      const { data = [] } = (await model.run(pixels, SIZE, SIZE)).logits ?? {};
      const powers = Array.from(data, (value) => Math.exp(value));
      const sum = powers.reduce((a, b) => a + b, 0);
      for (const [index, score] of expected.entries()) {
        const power = powers[index] ?? 0;
        const found = options.sigmoid ? power / (1 + power) : power / sum;
        t.ok(Math.abs(found - score) < 1e-4, `${found} for ${score}`);
      }
    }
    oracle.close();
    await model.close();
  });
}

t.test('a network that begins with x · 2 − 1 takes [0, 1]', async (t) => {
  const file = network({
    front: [
      ['MUL', [2]],
      ['SUB', [1]],
    ],
  });
  const oracle = await openOracle(file);
  const model = await openOnnx(convertTflite(file, { form: 'float32' }).onnx);
  const pixels = randomPicture(SIZE, 1);
  const unit = Float32Array.from(pixels, (pixel) => pixel / 255);
  const expected = await oracle.run(unit, [1, SIZE, SIZE, 3]);
  const { data = [] } = (await model.run(pixels, SIZE, SIZE)).logits ?? {};
  t.equal(expected.indexOf(Math.max(...expected)), [...data].indexOf(Math.max(...data)));
  oracle.close();
  await model.close();
});

t.test('a network without a rescaling is asked about', (t) => {
  t.throws(() => convertTflite(network({ front: [] }), { form: 'float32' }), {
    code: 'MND_MODEL_QUESTION',
  });
  const picture = { ...NO_PICTURE_OPTIONS, scaling: UNIT };
  t.ok(convertTflite(network({ front: [] }), { form: 'float32', picture }));
  t.end();
});

/** A dense layer over each pixel of a map, kept as a map or made rows by a RESHAPE first. */
function pixelwise(kind: 'keep' | 'rows' | 'rows of one'): Uint8Array {
  const spec = createSpec(6);
  const scale = Math.fround(1 / 255);
  const picture = spec.activation([1, SIZE, SIZE, 3], scale, -128, 'int8');
  const map = spec.activation([1, 4, 4, 8], 0.02, -128, 'int8');
  const w1 = spec.weights([8, 3, 3, 3], { type: 'int8', deviation: 0.5, axis: 0 });
  spec.operator({
    code: CODE.CONV_2D,
    inputs: [picture, w1, spec.bias(scale, w1, 8)],
    outputs: [map],
    options: { union: 1, int8: { 3: 1 }, int32: { 1: 4, 2: 4, 4: 1, 5: 1 } },
  });
  const shapes = { keep: [1, 4, 4], rows: [16], 'rows of one': [1, 16] } as const;
  const lead = shapes[kind];
  let input = map;
  if (kind !== 'keep') {
    input = spec.activation([...lead, 8], 0.02, -128, 'int8');
    spec.operator({
      code: CODE.RESHAPE,
      inputs: [map, ints(spec, [...lead, 8])],
      outputs: [input],
    });
  }
  const dense = spec.activation([...lead, 4], 0.05, -10, 'int8');
  const w2 = spec.weights([4, 8], { type: 'int8', deviation: 0.4 });
  spec.operator({
    code: CODE.FULLY_CONNECTED,
    inputs: [input, w2, spec.bias(0.02, w2, 4)],
    outputs: [dense],
    options: { union: 8, int8: { 2: 1 } },
  });
  const flat = spec.activation([1, 64], 0.05, -10, 'int8');
  spec.operator({ code: CODE.RESHAPE, inputs: [dense, ints(spec, [1, 64])], outputs: [flat] });
  const logits = spec.activation([1, 3], 0.1, 0, 'int8');
  const w3 = spec.weights([3, 64], { type: 'int8', deviation: 0.3 });
  spec.operator({
    code: CODE.FULLY_CONNECTED,
    inputs: [flat, w3, spec.bias(0.05, w3, 3)],
    outputs: [logits],
    options: { union: 8 },
  });
  return buildTflite(spec.finish([picture], [logits]));
}

for (const kind of ['keep', 'rows', 'rows of one'] as const) {
  t.test(`a dense layer over each pixel of a map (${kind})`, async (t) => {
    const file = pixelwise(kind);
    const oracle = await openOracle(withFloatEnds(file));
    const model = await openOnnx(convertTflite(file, { form: 'exact' }).onnx);
    for (let seed = 0; seed < 4; seed += 1) {
      const pixels = randomPicture(SIZE, seed);
      const unit = Float32Array.from(pixels, (pixel) => pixel / 255);
      const expected = await oracle.run(unit, [1, SIZE, SIZE, 3]);
      const { data = [] } = (await model.run(pixels, SIZE, SIZE)).logits ?? {};
      for (const [index, value] of expected.entries()) {
        const found = 0.1 * ((data[index] ?? 0) - 128);
        t.ok(Math.abs(found - value) < 0.11, `${found} for ${value}`);
      }
    }
    oracle.close();
    await model.close();
  });
}
