import t from 'tap';
import { convertNetwork } from '#mobilenetd/convert/convert.js';
import { convertOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT } from '#mobilenetd/convert/scaling.js';
import { measureCalibration } from '#mobilenetd/inference/calibrate.js';
import { measureScores } from '#mobilenetd/models/install/measure-scores.js';
import { readAlike } from '#mobilenetd/models/install/read-alike.js';
import { topClasses } from '#mobilenetd/vision/topk.js';
import { createRandom } from '../random.js';
import { openOnnx } from '../session.js';
import { encodeOnnx, FLOAT, rawFloats, valueInfo } from './build-onnx.js';

const SIZE = 32;
const CLASSES = 6;
const PICTURE = { ...NO_PICTURE_OPTIONS, scaling: SIGNED_UNIT };

const ints = (name: string, values: number[]) => ({ name, type: 7, ints: values });
const int = (name: string, i: number) => ({ name, type: 2, i });
const float = (name: string, f: number) => ({ name, type: 1, f });

/** Builds a network operator by operator; each reads the one before, and constants. */
function builder(opset = 12) {
  const random = createRandom(9);
  const node: object[] = [];
  const initializer: object[] = [];
  let value = 'input';
  const numbers = (count: number, span: number, middle = 0) =>
    Array.from({ length: count }, () => middle + (random(2001) / 1000 - 1) * span);
  const constant = (dims: number[], span: number, middle = 0) => {
    const name = `c${initializer.length}`;
    const count = dims.reduce((product, side) => product * side, 1);
    initializer.push(rawFloats(name, dims, numbers(count, span, middle)));
    return name;
  };
  const add = (opType: string, inputs: string[] = [], attribute: object[] = []) => {
    const output = `v${node.length}`;
    node.push({ opType, input: [value, ...inputs], output: [output], attribute });
    value = output;
    return output;
  };
  const conv = (ins: number, outs: number, kernel: number, stride = 1, group = 1) => {
    const weights = constant(
      [outs, ins / group, kernel, kernel],
      1.4 / Math.sqrt((ins / group) * kernel),
    );
    const edge = Math.floor(kernel / 2);
    return add(
      'Conv',
      [weights, constant([outs], 0.3)],
      [
        ints('strides', [stride, stride]),
        ints('pads', [edge, edge, edge, edge]),
        ints('kernel_shape', [kernel, kernel]),
        int('group', group),
      ],
    );
  };
  const number = (value: number) => {
    const name = `n${initializer.length}`;
    initializer.push(rawFloats(name, [], [value]));
    return name;
  };
  return {
    add,
    conv,
    constant,
    number,
    at: () => value,
    from: (name: string) => {
      value = name;
    },
    file: () =>
      encodeOnnx({
        irVersion: 8,
        opsetImport: [{ domain: '', version: opset }],
        graph: {
          name: 'g',
          node,
          initializer,
          input: [valueInfo('input', FLOAT, [1, 3, SIZE, SIZE])],
          output: [valueInfo(value, FLOAT, [1, CLASSES])],
        },
      }),
  };
}

type Builder = ReturnType<typeof builder>;

/** A dense layer and a softmax behind a map of some channels. */
function end({ add, constant }: Builder, channels: number, dense: 'Gemm' | 'MatMul' = 'Gemm') {
  add('GlobalAveragePool');
  add('Flatten');
  if (dense === 'Gemm') {
    const weights = constant([CLASSES, channels], 1.5);
    add('Gemm', [weights, constant([CLASSES], 0.5)], [int('transB', 1)]);
  } else {
    add('MatMul', [constant([channels, CLASSES], 1.5)]);
    add('Add', [constant([CLASSES], 0.5)]);
  }
  add('Softmax', [], [int('axis', 1)]);
}

/** Networks as PyTorch and tf2onnx write them. */
const NETWORKS: Readonly<Record<string, (to: Builder) => void>> = {
  'batch norms, ReLU6 by attributes, a sum': (to) => {
    to.conv(3, 8, 3, 2);
    const norm = [to.constant([8], 0.3, 1), to.constant([8], 0.3)];
    to.add('BatchNormalization', [...norm, to.constant([8], 0.3), to.constant([8], 0.3, 1)]);
    const first = to.add('Clip', [], [float('min', 0), float('max', 6)]);
    to.conv(8, 8, 3, 1, 8);
    to.add('Relu');
    to.conv(8, 8, 1);
    to.add('Add', [first]);
    end(to, 8);
  },
  'hard swish in parts and a gate': (to) => {
    const before = to.conv(3, 16, 3, 2);
    const gate = to.add('HardSigmoid', [], [float('alpha', 1 / 6), float('beta', 0.5)]);
    to.from(before);
    const map = to.add('Mul', [gate]);
    to.add('GlobalAveragePool');
    to.conv(16, 8, 1);
    to.add('Relu');
    to.conv(8, 16, 1);
    const share = to.add('Sigmoid');
    to.from(map);
    to.add('Mul', [share]);
    to.conv(16, 16, 3, 2, 16);
    end(to, 16, 'MatMul');
  },
  'scaling inside, pools, a mean': (to) => {
    to.add('Sub', [to.constant([1, 3, 1, 1], 0.2)]);
    to.add('Mul', [to.constant([3, 1, 1], 0.2, 1)]);
    to.conv(3, 8, 3);
    to.add('Clip', [to.number(0), to.number(6)]);
    to.add('MaxPool', [], [ints('kernel_shape', [2, 2]), ints('strides', [2, 2])]);
    to.conv(8, 12, 1);
    to.add('ReduceMean', [], [ints('axes', [2, 3]), int('keepdims', 0)]);
    to.add('Gemm', [to.constant([12, CLASSES], 1.5), to.constant([CLASSES], 0.5)]);
    to.add('Softmax', [], [int('axis', 1)]);
  },
};

for (const [name, build] of Object.entries(NETWORKS)) {
  t.test(`a float classifier in integers: ${name}`, async (t) => {
    const to = builder(name.includes('by attributes') ? 10 : 12);
    build(to);
    const { model: whole, scores } = await measureScores(convertOwnOnnx(to.file(), PICTURE));
    t.equal(scores, 'softmax');
    const graph = await readAlike(whole);
    const random = createRandom(1);
    const shown = Array.from({ length: 24 }, () => {
      const tint = [random(256), random(256), random(256)];
      return Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, at) => {
        return Math.min(255, (tint[at % 3] ?? 0) + random(60) + (at >> 6));
      });
    });
    const pictures = shown.map((pixels) => ({ height: SIZE, width: SIZE, pixels }));
    const calibration = await measureCalibration(graph, pictures.slice(0, 12));
    const network = { kind: 'classifier', graph, scores: 'softmax' } as const;
    const original = await openOnnx(whole.onnx, 'float32');
    for (const form of ['float32', 'symmetric', 'reduced'] as const) {
      const { onnx, head } = convertNetwork(network, { form, calibration });
      if (head.kind !== 'classifier') throw new Error('no classifier');
      const own = await openOnnx(onnx, form);
      let apart = 0;
      for (const pixels of shown.slice(12)) {
        const { data: logits = new Float32Array() } =
          (await original.run(pixels, SIZE, SIZE))[whole.head.logits.name] ?? {};
        const expected = topClasses(logits, whole.head.logits, CLASSES, scores);
        const { data = new Float32Array() } = (await own.run(pixels, SIZE, SIZE)).logits ?? {};
        const found = topClasses(data, head.logits, CLASSES, head.scores);
        for (const { index, score } of expected) {
          const same = found.find((other) => other.index === index)?.score ?? 9;
          apart = Math.max(apart, Math.abs(score - same));
        }
      }
      // Channels keep room above what calibration has seen, which coarsens networks of a few channels.
      t.ok(apart < (form === 'float32' ? 1e-3 : 0.08), `${form}: ${apart}`);
      await own.close();
    }
    await original.close();
  });
}

t.test('what cannot be quantized here is said in words', async (t) => {
  const cases: Readonly<Record<string, readonly [(to: Builder) => void, RegExp]>> = {
    'a dense layer on a map': [
      (to) => {
        to.conv(3, 4, 3, 2);
        to.add('Flatten');
        to.add('Gemm', [to.constant([4 * 16 * 16, CLASSES], 0.1)]);
        to.add('Softmax', [], [int('axis', 1)]);
      },
      /another shape for a map; leave --calibrate out, and the file is used as it is/,
    ],
    'groups of channels': [
      (to) => {
        to.conv(3, 8, 3, 2);
        to.conv(8, 8, 3, 1, 2);
        end(to, 8);
      },
      /2 groups of 4 channels/,
    ],
    'an operator of another kind': [
      (to) => {
        to.conv(3, 8, 3, 2);
        to.add('Tanh');
        end(to, 8);
      },
      /an operator of the MobileNet kind.*found Tanh/,
    ],
    'a Clip of another range': [
      (to) => {
        to.conv(3, 8, 3, 2);
        to.add('Clip', [], [float('min', -1), float('max', 1)]);
        end(to, 8);
      },
      /Clip to "v1".*found -1 to 1/,
    ],
  };
  for (const [name, [build, message]] of Object.entries(cases)) {
    const to = builder();
    build(to);
    const whole = convertOwnOnnx(to.file(), PICTURE);
    await t.rejects(readAlike(whole), { code: 'MND_MODEL_OPERATOR', message }, name);
  }
});
