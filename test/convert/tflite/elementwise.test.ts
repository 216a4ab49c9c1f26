import t from 'tap';
import { writeOnnx } from '#mobilenetd/convert/onnx/write.js';
import { dequantize } from '#mobilenetd/convert/passes/dequantize.js';
import { NO_PICTURE_OPTIONS } from '#mobilenetd/convert/scaling.js';
import { parseTflite } from '#mobilenetd/convert/tflite/model.js';
import type { TfliteModel } from '#mobilenetd/convert/tflite/model-types.js';
import { planPicture } from '#mobilenetd/convert/tflite/picture.js';
import { readGraph } from '#mobilenetd/convert/tflite/read.js';
import { CODE } from '../build-mobilenet.js';
import { createSpec, type SpecBuilder } from '../build-small.js';
import { buildTflite, type ModelSpec } from '../build-tflite.js';
import { openOracle } from '../litert.js';
import { randomPicture } from '../random.js';
import { openOnnx } from '../session.js';

const SIZE = 24;
const PICTURES = 10;

/** The results of a convolution, of which the operator under test makes its own. */
interface Scene {
  readonly spec: SpecBuilder;
  readonly value: number;
  readonly shape: readonly [number, number, number, number];
}

const SCALE = 0.0381;
const ZERO = 119;

function scene(): Scene & { readonly picture: number } {
  const spec = createSpec(5);
  const picture = spec.activation([1, SIZE, SIZE, 3], 1 / 128, 128);
  const shape = [1, SIZE, SIZE, 8] as const;
  const value = spec.activation(shape, SCALE, ZERO);
  const weights = spec.weights([8, 3, 3, 3], { type: 'uint8', deviation: 0.5 });
  spec.operator({
    code: CODE.CONV_2D,
    inputs: [picture, weights, spec.bias(1 / 128, weights, 8)],
    outputs: [value],
    options: { union: 1, int32: { 1: 1, 2: 1, 4: 1, 5: 1 } },
  });
  return { spec, value, shape, picture };
}

const constant = (spec: SpecBuilder, shape: readonly number[], data: Uint8Array) =>
  spec.tensor({ name: 'constant', type: 'uint8', shape, scale: [0.0117], zeroPoint: [3], data });

const VECTOR = Uint8Array.of(0, 255, 17, 90, 128, 200, 3, 64);

const OPERATORS: Readonly<Record<string, (scene: Scene) => number>> = {
  HARD_SWISH({ spec, value, shape }) {
    const result = spec.activation(shape, 0.0203, 20);
    spec.operator({ code: CODE.HARD_SWISH, inputs: [value], outputs: [result] });
    return result;
  },
  'RELU6 to another scale'({ spec, value, shape }) {
    const result = spec.activation(shape, 6 / 255, 0);
    spec.operator({ code: CODE.RELU6, inputs: [value], outputs: [result] });
    return result;
  },
  'RELU at the same scale'({ spec, value, shape }) {
    const result = spec.activation(shape, SCALE, ZERO);
    spec.operator({ code: CODE.RELU, inputs: [value], outputs: [result] });
    return result;
  },
  'ADD of a constant, with RELU6'({ spec, value, shape }) {
    const result = spec.activation(shape, 0.0231, 0);
    spec.operator({
      code: CODE.ADD,
      inputs: [value, constant(spec, [], Uint8Array.of(255))],
      outputs: [result],
      options: { union: 11, int8: { 0: 3 } },
    });
    return result;
  },
  'MUL by a constant'({ spec, value, shape }) {
    const result = spec.activation(shape, 0.0097, 112);
    spec.operator({
      code: CODE.MUL,
      inputs: [value, constant(spec, [1], Uint8Array.of(77))],
      outputs: [result],
      options: { union: 21 },
    });
    return result;
  },
  'MUL by a constant a channel'({ spec, value, shape }) {
    const result = spec.activation(shape, 0.031, 121);
    spec.operator({
      code: CODE.MUL,
      inputs: [value, constant(spec, [1, 1, 1, 8], VECTOR)],
      outputs: [result],
      options: { union: 21 },
    });
    return result;
  },
  'MUL of two'({ spec, value, shape }) {
    const result = spec.activation(shape, 0.0713, 40);
    spec.operator({
      code: CODE.MUL,
      inputs: [value, value],
      outputs: [result],
      options: { union: 21 },
    });
    return result;
  },
  'MUL by a gate, as squeeze-and-excitation has it'({ spec, value, shape }) {
    const gate = spec.activation([1, 1, 1, 8], SCALE, ZERO);
    spec.operator({
      code: CODE.AVERAGE_POOL_2D,
      inputs: [value],
      outputs: [gate],
      options: { union: 5, int8: { 0: 1 }, int32: { 1: 1, 2: 1, 3: SIZE, 4: SIZE } },
    });
    const result = spec.activation(shape, 0.029, 117);
    spec.operator({
      code: CODE.MUL,
      inputs: [value, gate],
      outputs: [result],
      options: { union: 21 },
    });
    return result;
  },
  'MAX_POOL_2D, odd window, SAME'({ spec, value }) {
    const result = spec.activation([1, SIZE / 2, SIZE / 2, 8], SCALE, ZERO);
    spec.operator({
      code: CODE.MAX_POOL_2D,
      inputs: [value],
      outputs: [result],
      options: { union: 5, int32: { 1: 2, 2: 2, 3: 3, 4: 3 } },
    });
    return result;
  },
  'MAX_POOL_2D, VALID'({ spec, value }) {
    const result = spec.activation([1, 8, 8, 8], SCALE, ZERO);
    spec.operator({
      code: CODE.MAX_POOL_2D,
      inputs: [value],
      outputs: [result],
      options: { union: 5, int8: { 0: 1 }, int32: { 1: 3, 2: 3, 3: 2, 4: 2 } },
    });
    return result;
  },
};

const planOf = (model: TfliteModel) =>
  planPicture(model, { normalization: null, labelFiles: [] }, NO_PICTURE_OPTIONS);

function build(operator: (scene: Scene) => number): { model: ModelSpec; result: number } {
  const { picture, ...rest } = scene();
  const result = operator(rest);
  return { model: rest.spec.finish([picture], [result]), result };
}

for (const [name, operator] of Object.entries(OPERATORS)) {
  t.test(name, async (t) => {
    const { model, result } = build(operator);
    const file = buildTflite(model);
    const parsed = parseTflite(file);
    const graph = readGraph(parsed, new Map([[result, 'result']]), planOf(parsed));
    const oracle = await openOracle(file);
    const exact = await openOnnx(writeOnnx(graph));
    const float = await openOnnx(writeOnnx(dequantize(graph)));
    const { scale = [1], zeroPoint = [0] } = model.tensors[result] ?? {};
    const seen = new Set<number>();
    let equal = 0;
    let count = 0;
    let most = 0;
    let realDifference = 0;
    for (let seed = 0; seed < PICTURES; seed += 1) {
      const picture = randomPicture(SIZE, seed);
      const expected = await oracle.run(picture, [1, SIZE, SIZE, 3]);
      const found = (await exact.run(picture, SIZE, SIZE)).result?.data ?? [];
      const real = (await float.run(picture, SIZE, SIZE)).result?.data ?? [];
      t.equal(found.length, expected.length);
      for (const [index, value] of expected.entries()) {
        const difference = Math.abs(value - (found[index] ?? 999));
        const stored = (real[index] ?? 0) / (scale[0] ?? 1) + (zeroPoint[0] ?? 0);
        const clamped = Math.max(0, Math.min(255, stored));
        seen.add(value);
        count += 1;
        equal += difference === 0 ? 1 : 0;
        most = Math.max(most, difference);
        realDifference += Math.abs(clamped - value);
      }
    }
    oracle.close();
    await exact.close();
    await float.close();
    t.comment(
      `${name}: ${((100 * equal) / count).toFixed(2)} % equal, real within ${(realDifference / count).toFixed(2)} steps`,
    );
    t.ok(seen.size > 20, 'the results vary');
    t.ok(most <= 1, `no result is more than one step off: ${most}`);
    t.ok(equal / count > 0.999, `${equal} of ${count} are equal`);
    // Only on average: the real network does not clamp the results of the convolution before.
    t.ok(realDifference / count < 2, 'the float form is near');
  });
}

t.test('shapes that do not broadcast are refused', (t) => {
  const wrong = (shape: readonly number[], data: Uint8Array) =>
    build(({ spec, value, shape: full }) => {
      const result = spec.activation(full, 0.03, 120);
      spec.operator({
        code: CODE.MUL,
        inputs: [value, constant(spec, shape, data)],
        outputs: [result],
        options: { union: 21 },
      });
      return result;
    });
  for (const { model, result } of [
    wrong([7], VECTOR.slice(0, 7)),
    wrong([1, 8, 1, 1], VECTOR),
    wrong([2], VECTOR.slice(0, 2)),
  ]) {
    const parsed = parseTflite(buildTflite(model));
    t.throws(() => readGraph(parsed, new Map([[result, 'result']]), planOf(parsed)), {
      code: 'MND_MODEL_SHAPE',
      message: /operator 1 \(MUL\)/,
    });
  }
  t.end();
});
