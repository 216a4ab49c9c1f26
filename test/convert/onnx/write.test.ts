import t from 'tap';
import { outputSide, paddingOf } from '#mobilenetd/convert/geometry.js';
import type { ConvOperator, Graph, Operator, Tensor } from '#mobilenetd/convert/graph.js';
import { decodeModel } from '#mobilenetd/convert/onnx/definitions.js';
import { writeOnnx } from '#mobilenetd/convert/onnx/write.js';
import { dequantize } from '#mobilenetd/convert/passes/dequantize.js';
import { symmetricWeights } from '#mobilenetd/convert/passes/symmetric.js';
import { createRandom, randomPicture } from '../random.js';
import { openOnnx } from '../session.js';

function graphOf(tensors: readonly Tensor[], operators: readonly Operator[], outputs: string[]) {
  return {
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    operators,
    inputs: ['input'],
    outputs,
  } satisfies Graph;
}

const CONV: Omit<ConvOperator, 'input' | 'output' | 'weights' | 'bias'> = {
  kind: 'conv',
  depthwise: false,
  stride: [1, 1],
  dilation: [1, 1],
  padding: 'same',
  activation: 'none',
};

const plain = { quantization: null, data: null } as const;

const scaled = (scale: number, zeroPoint: number) => ({
  quantization: { scale: [scale], zeroPoint: [zeroPoint], axis: null },
  data: null,
});

t.test('a float graph of unknown size runs at several sizes, outputs in NHWC', async (t) => {
  const random = createRandom(2);
  const weights = Float32Array.from({ length: 4 * 9 * 3 }, () => random(200) / 100 - 1);
  const graph = graphOf(
    [
      { name: 'input', type: 'uint8', shape: [1, -1, -1, 3], ...plain },
      { name: 'real', type: 'float32', shape: [1, -1, -1, 3], ...plain },
      { name: 'w', type: 'float32', shape: [4, 3, 3, 3], quantization: null, data: weights },
      {
        name: 'b',
        type: 'float32',
        shape: [4],
        quantization: null,
        data: Float32Array.of(1, 2, 3, 4),
      },
      { name: 'map', type: 'float32', shape: [1, -1, -1, 4], ...plain },
      { name: 'sum', type: 'float32', shape: [1, -1, -1, 4], ...plain },
    ],
    [
      { kind: 'normalize', input: 'input', output: 'real', scale: [1 / 127.5], offset: [-1] },
      {
        ...CONV,
        input: 'real',
        weights: 'w',
        bias: 'b',
        output: 'map',
        stride: [2, 2],
        activation: 'relu6',
      },
      { kind: 'add', inputs: ['map', 'map'], output: 'sum', activation: 'relu' },
    ],
    ['map', 'sum'],
  );
  const model = await openOnnx(writeOnnx(graph));
  for (const size of [12, 13, 20]) {
    const picture = randomPicture(size, size);
    const { map, sum } = await model.run(picture, size, size);
    const side = Math.ceil(size / 2);
    t.strictSame(map?.dims, [1, side, side, 4]);
    const expected = convolve(picture, size, weights, [1, 2, 3, 4]);
    const error = expected.map((value, at) => Math.abs(value - (map?.data[at] ?? Number.NaN)));
    t.ok(Math.max(...error) < 1e-4, `${size} px: ${Math.max(...error)}`);
    const doubled = expected.map((value, at) =>
      Math.abs(2 * value - (sum?.data[at] ?? Number.NaN)),
    );
    t.ok(Math.max(...doubled) < 1e-4, `${size} px, sum: ${Math.max(...doubled)}`);
  }
  await model.close();
});

/** A 3×3 convolution, stride 2, SAME, of a picture scaled to [−1, 1], clipped to [0, 6]. */
function convolve(picture: Uint8Array, size: number, weights: Float32Array, bias: number[]) {
  const side = Math.ceil(size / 2);
  const before = Math.floor(Math.max((side - 1) * 2 + 3 - size, 0) / 2);
  const result: number[] = [];
  for (let at = 0; at < side * side * 4; at += 1) {
    const out = at % 4;
    const [row, column] = [Math.floor(at / 4 / side), Math.floor(at / 4) % side];
    let sum = bias[out] ?? 0;
    for (let tap = 0; tap < 27; tap += 1) {
      const y = row * 2 - before + Math.floor(tap / 9);
      const x = column * 2 - before + (Math.floor(tap / 3) % 3);
      if (y < 0 || x < 0 || y >= size || x >= size) continue;
      const value = (picture[(y * size + x) * 3 + (tap % 3)] ?? 0) / 127.5 - 1;
      sum += value * (weights[out * 27 + tap] ?? 0);
    }
    result.push(Math.min(6, Math.max(0, sum)));
  }
  return result;
}

t.test('ReLU6 is clamped where the range of the output is wider', async (t) => {
  const relu = (activation: 'none' | 'relu' | 'relu6') =>
    graphOf(
      [
        { name: 'input', type: 'uint8', shape: [1, 8, 8, 3], ...scaled(0.1, 128) },
        {
          name: 'w',
          type: 'uint8',
          shape: [3, 1, 1, 3],
          quantization: { scale: [1], zeroPoint: [100], axis: null },
          data: Uint8Array.of(101, 100, 100, 100, 101, 100, 100, 100, 101),
        },
        { name: 'out', type: 'uint8', shape: [1, 8, 8, 3], ...scaled(0.1, 100) },
      ],
      [{ ...CONV, input: 'input', weights: 'w', bias: null, output: 'out', activation }],
      ['out'],
    );
  const picture = randomPicture(8, 3);
  const bounds = { none: [0, 255], relu: [100, 255], relu6: [100, 160] } as const;
  for (const activation of ['none', 'relu', 'relu6'] as const) {
    const model = await openOnnx(writeOnnx(relu(activation)));
    const { out } = await model.run(picture, 8, 8);
    await model.close();
    const [low, high] = bounds[activation];
    const expected = Array.from(picture, (value) => Math.max(low, Math.min(high, value - 28)));
    t.strictSame([...(out?.data ?? [])], expected, activation);
  }
});

t.test('symmetric weights keep a dead channel with a large bias in range', async (t) => {
  const graph = graphOf(
    [
      { name: 'input', type: 'uint8', shape: [1, 4, 4, 3], ...scaled(1e-4, 0) },
      {
        name: 'w',
        type: 'uint8',
        shape: [2, 1, 1, 3],
        quantization: { scale: [1e-3, 1e-12], zeroPoint: [128, 128], axis: 0 },
        data: Uint8Array.of(255, 0, 128, 129, 128, 128),
      },
      {
        name: 'b',
        type: 'int32',
        shape: [2],
        quantization: null,
        data: Int32Array.of(1000, 2 ** 31 - 1),
      },
      { name: 'out', type: 'uint8', shape: [1, 4, 4, 2], ...scaled(1, 0) },
    ],
    [{ ...CONV, input: 'input', weights: 'w', bias: 'b', output: 'out' }],
    ['out'],
  );
  const { graph: symmetric, report } = symmetricWeights(graph);
  t.equal(report.channels, 2);
  t.equal(report.raisedChannels, 1, 'its scale alone would need a bias beyond 2^30');
  const [weights] = [...symmetric.tensors.values()].filter(({ type }) => type === 'int8');
  t.strictSame(weights?.quantization?.zeroPoint, [0, 0]);
  const stored = Array.from(weights?.data ?? []);
  t.strictSame(stored.slice(0, 3), [126, -127, 0]);
  const bias = [...symmetric.tensors.values()].find(({ type }) => type === 'int32');
  t.ok(
    Array.from(bias?.data ?? []).every((value) => Math.abs(value) <= 2 ** 30),
    `${bias?.data}`,
  );
  const real = (bias?.data?.[1] ?? 0) * 1e-4 * (weights?.quantization?.scale[1] ?? 0);
  t.ok(Math.abs(real / ((2 ** 31 - 1) * 1e-16) - 1) < 1e-6, 'the bias keeps its value');
  t.equal(graph.tensors.get('w')?.type, 'uint8', 'the source is untouched');
});

t.test('dequantized constants have their real values', async (t) => {
  const graph = graphOf(
    [
      { name: 'input', type: 'uint8', shape: [1, 2, 2, 3], ...scaled(0.5, 10) },
      {
        name: 'w',
        type: 'int8',
        shape: [1, 1, 3],
        quantization: { scale: [1, 2, 4], zeroPoint: [0, 0, 0], axis: 2 },
        data: Int8Array.of(1, -1, 3),
      },
      { name: 'b', type: 'int32', shape: [3], quantization: null, data: Int32Array.of(2, 4, 6) },
      { name: 'out', type: 'uint8', shape: [1, 2, 2, 3], ...scaled(1, 0) },
    ],
    [{ ...CONV, input: 'input', weights: 'w', bias: 'b', output: 'out', depthwise: true }],
    ['out'],
  );
  const model = await openOnnx(writeOnnx(dequantize(graph)));
  const picture = Uint8Array.from({ length: 12 }, (_, at) => at * 20);
  const { out } = await model.run(picture, 2, 2);
  await model.close();
  const factors = [1, -2, 12];
  const biases = [1, 4, 12];
  const expected = Array.from(
    picture,
    (value, at) => (value - 10) * 0.5 * (factors[at % 3] ?? 0) + (biases[at % 3] ?? 0),
  );
  t.strictSame([...(out?.data ?? [])], expected);
});

t.test('padding follows TensorFlow', async (t) => {
  const same = { padding: 'same', stride: [2, 2], dilation: [1, 1] } as const;
  t.strictSame(paddingOf(same, 'height', 224, 3), [0, 1], 'the odd pixel goes to the end');
  t.strictSame(paddingOf(same, 'height', 225, 3), [1, 1]);
  t.equal(outputSide(same, 'width', 225, 3), 113);
  const valid = { ...same, padding: 'valid' } as const;
  t.equal(outputSide(valid, 'width', 225, 3), 112);
  t.equal(outputSide({ ...valid, dilation: [2, 2] }, 'width', 225, 3), 111);
  const explicit = { ...same, padding: { top: 0, bottom: 1, left: 2, right: 3 } } as const;
  t.strictSame(paddingOf(explicit, 'height', 8, 3), [0, 1]);
  t.equal(outputSide(explicit, 'width', 8, 3), 6);
  t.equal(outputSide(same, 'width', -1, 3), -1);
});

t.test('the file names its inputs, outputs, operator sets and metadata', async (t) => {
  const graph = graphOf(
    [
      { name: 'input', type: 'uint8', shape: [1, -1, -1, 3], ...plain },
      { name: 'real', type: 'float32', shape: [1, -1, -1, 3], ...plain },
    ],
    [{ kind: 'normalize', input: 'input', output: 'real', scale: [1], offset: [0] }],
    ['real'],
  );
  const model = decodeModel(writeOnnx(graph, { name: 'net', metadata: { form: 'float32' } }));
  t.equal(model.irVersion, 8);
  t.strictSame(
    model.opsetImport.map(({ domain, version }) => [domain, version]),
    [
      ['', 17],
      ['com.microsoft', 1],
    ],
  );
  t.match(model.graph, { name: 'net', input: [{ name: 'input' }], output: [{ name: 'real' }] });
  t.match(model.metadataProps, [{ key: 'form', value: 'float32' }]);
});

t.test('graphs that do not fit together are refused', async (t) => {
  const input: Tensor = { name: 'input', type: 'uint8', shape: [1, 4, 4, 3], ...scaled(1, 0) };
  const out: Tensor = { name: 'out', type: 'uint8', shape: [1, 4, 4, 3], ...scaled(1, 0) };
  const reshape: Operator = { kind: 'reshape', input: 'input', output: 'out' };
  t.throws(() => writeOnnx(graphOf([input], [reshape], ['out'])), { code: 'MND_MODEL_INVALID' });
  const flat: Tensor = { ...out, shape: [1, 47] };
  t.throws(() => writeOnnx(graphOf([input, flat], [reshape], ['out'])), {
    code: 'MND_MODEL_SHAPE',
    message: /reshape to out/,
  });
  const bare: Tensor = { ...out, quantization: null };
  const pool: Operator = { kind: 'global-average-pool', input: 'input', output: 'out' };
  t.throws(() => writeOnnx(graphOf([input, bare], [pool], ['out'])), { code: 'MND_MODEL_INVALID' });
});
