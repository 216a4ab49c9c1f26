import t from 'tap';
import type { Calibration } from '#mobilenetd/convert/calibration.js';
import { parseCalibration } from '#mobilenetd/convert/calibration.js';
import { equalizableGroups, equalizeGraph } from '#mobilenetd/convert/equalize.js';
import type { Graph, Tensor } from '#mobilenetd/convert/graph.js';
import { writeOnnx } from '#mobilenetd/convert/onnx/write.js';
import { quantizeGraph } from '#mobilenetd/convert/quantize.js';
import { quantizeConvolution } from '#mobilenetd/convert/quantize-weights.js';
import { readTfjs } from '#mobilenetd/convert/tfjs/read.js';
import { randomPicture } from './random.js';
import { openOnnx } from './session.js';
import { BLOCK_CUT, buildBlockModel } from './tfjs/build-tfjs.js';

const CUT = { ...BLOCK_CUT, outputs: ['f/norm'] };

function tensor(name: string, shape: readonly number[], data: Float32Array | null): Tensor {
  return { name, type: 'float32', shape, quantization: null, data };
}

/** A picture of one channel through one 1×1 convolution to as many channels as there are weights. */
function oneConvolution(weights: readonly number[], bias: readonly number[]): Graph {
  const activation = (name: string, channels: number) => tensor(name, [1, -1, -1, channels], null);
  const count = weights.length;
  const tensors = [
    { ...activation('input', 1), type: 'uint8' as const },
    activation('normal', 1),
    activation('out', count),
    tensor('w', [count, 1, 1, 1], Float32Array.from(weights)),
    tensor('b', [count], Float32Array.from(bias)),
  ];
  return {
    tensors: new Map(tensors.map((entry) => [entry.name, entry])),
    operators: [
      { kind: 'normalize', input: 'input', output: 'normal', scale: [2 / 255], offset: [-1] },
      {
        kind: 'conv',
        input: 'normal',
        weights: 'w',
        bias: 'b',
        output: 'out',
        depthwise: false,
        stride: [1, 1],
        dilation: [1, 1],
        padding: 'same',
        activation: 'none',
      },
    ],
    inputs: ['input'],
    outputs: ['out'],
  };
}

function calibrationOf(
  ranges: Calibration['ranges'],
  means: Calibration['means'] = new Map(),
): Calibration {
  return { channelScales: new Map(), ranges, means };
}

t.test('one convolution, by hand', async (t) => {
  const source = oneConvolution([1.27, -0.5], [0.2, -0.1]);
  const calibration = calibrationOf(new Map([['out', [-1, 1.55]]]));
  const { graph, report } = quantizeGraph(source, calibration);
  const input = graph.tensors.get('input')?.quantization;
  t.same(input, { scale: [2 / 255], zeroPoint: [128], axis: null });
  const output = graph.tensors.get('out')?.quantization;
  t.same(output?.zeroPoint, [100]);
  t.same(
    output?.scale.map((value) => value.toFixed(9)),
    ['0.010000000'],
  );
  const weights = graph.tensors.get('w');
  t.same(weights?.data, Int8Array.of(127, -127));
  t.same(weights?.quantization?.zeroPoint, [0, 0]);
  t.same(weights?.quantization?.scale, [Math.fround(0.01), Math.fround(0.5 / 127)]);
  // A stored 128 stands for 1/255, which the bias carries: (.2 + 1.27/255) / (2/255 · .01) and
  // (−.1 − .5/255) / (2/255 · .5/127)
  t.same(graph.tensors.get('b')?.data, Int32Array.of(2614, -3302));
  t.same(report, {
    convolutions: 1,
    raisedChannels: 0,
    largestWeightError: report.largestWeightError,
  });
  t.ok(report.largestWeightError < 1e-6);
  t.same(
    graph.operators.map(({ kind }) => kind),
    ['conv'],
  );
});

t.test('what rounding takes from the mean is put back into the bias', async (t) => {
  const [first] = oneConvolution([1], [0]).operators.slice(1);
  if (first?.kind !== 'conv') throw new Error('no convolution');
  const common = { bias: Float32Array.of(0, 0), inputScale: 0.01, inputOffset: 0 } as const;
  const biases = (depthwise: boolean, means: readonly number[] | null) => {
    const { bias } = quantizeConvolution({
      ...common,
      operator: { ...first, depthwise },
      // 127 and 0.4 steps of 1/127, twice.
      weights: tensor('w', depthwise ? [2, 1, 2] : [2, 1, 1, 2], Float32Array.of(1, a, a, 1)),
      means,
      span: 'full',
    });
    return Array.from(bias.data ?? []);
  };
  const a = 0.4 / 127;
  t.same(biases(false, null), [0, 0]);
  // Lost is a · mean; in steps of 0.01/127 that is 40 · mean.
  t.same(biases(false, [2, 5]), [200, 80]);
  // Each channel of a depthwise convolution reads its own mean alone.
  const [none, some] = biases(true, [0, 5]);
  t.equal(none, 0);
  t.not(some, 0);
});

t.test('zero is always exact, also where a range leaves it out', async (t) => {
  for (const [range, zeroPoint] of [
    [[1, 2], 0],
    [[-2, -1], 255],
    [[0, 0], 0],
  ] as const) {
    const { graph } = quantizeGraph(
      oneConvolution([1], [0]),
      calibrationOf(new Map([['out', range]])),
    );
    t.same(graph.tensors.get('out')?.quantization?.zeroPoint, [zeroPoint]);
  }
});

t.test('a dead channel keeps its bias within 32 bits', async (t) => {
  const source = oneConvolution([1e-20, 0, 0.5], [3, -2, 0.1]);
  const { graph, report } = quantizeGraph(source, calibrationOf(new Map([['out', [-3, 4]]])));
  t.equal(report.raisedChannels, 2);
  const bias = graph.tensors.get('b');
  const scale = bias?.quantization?.scale ?? [];
  const real = Array.from(bias?.data ?? [], (stored, channel) => stored * (scale[channel] ?? 0));
  t.ok(Math.abs((real[0] ?? 0) - 3) < 1e-6 && Math.abs((real[1] ?? 0) + 2) < 1e-6, real.join(' '));
  t.ok(Math.abs(bias?.data?.[0] ?? 0) <= 2 ** 30 + 64);
});

t.test('the quantized block model follows the float one', async (t) => {
  const source = readTfjs(buildBlockModel(), CUT);
  const linear = source.operators.flatMap((operator) =>
    'activation' in operator && operator.activation !== 'relu6' ? [operator.output] : [],
  );
  const all = await openOnnx(writeOnnx({ ...source, outputs: linear }));
  const size = 21;
  const picture = randomPicture(size, 3);
  const results = await all.run(picture, size, size);
  const ranges = new Map(
    linear.map((name) => {
      const data = results[name]?.data ?? [];
      return [name, [Math.min(...data), Math.max(...data)] as const];
    }),
  );
  await all.close();
  const { graph, report } = quantizeGraph(source, calibrationOf(ranges));
  t.equal(report.convolutions, 6);
  const quantized = await openOnnx(writeOnnx(graph));
  const found = (await quantized.run(picture, size, size))['f/norm'];
  await quantized.close();
  const quantization = graph.tensors.get('f/norm')?.quantization;
  const [scale = 1] = quantization?.scale ?? [];
  const [zeroPoint = 0] = quantization?.zeroPoint ?? [];
  const expected = results['f/norm']?.data ?? [];
  let squares = 0;
  let spread = 0;
  for (let i = 0; i < expected.length; i += 1) {
    const real = ((found?.data[i] ?? 0) - zeroPoint) * scale;
    squares += (real - (expected[i] ?? 0)) ** 2;
    spread += (expected[i] ?? 0) ** 2;
  }
  const noise = Math.sqrt(squares / spread);
  t.equal(found?.type, 'uint8');
  t.ok(noise > 0 && noise < 0.03, `noise ${noise}`);
});

t.test('equalization groups what sums join, and leaves results alone', async (t) => {
  const source = readTfjs(buildBlockModel(), CUT);
  t.same(equalizableGroups(source), [['c/add', 'e', 'e/add']]);
  t.same(equalizableGroups(readTfjs(buildBlockModel(), BLOCK_CUT)), [], 'e/add is an output there');
  const scales = new Map([['c/add', [0.1, 1, 7, 300]]]);
  const graphs = [source, equalizeGraph(source, scales)];
  const picture = randomPicture(16, 5);
  const results: ArrayLike<number>[] = [];
  for (const graph of graphs) {
    const onnx = await openOnnx(writeOnnx(graph));
    results.push((await onnx.run(picture, 16, 16))['f/norm']?.data ?? []);
    await onnx.close();
  }
  const [before = [], after = []] = results;
  const differences = Array.from(before, (value, i) => Math.abs(value - (after[i] ?? Number.NaN)));
  t.ok(before.length > 0 && Math.max(...differences) < 1e-3, `${Math.max(...differences)}`);
  const weights = (graph: Graph | undefined) => graph?.tensors.get('c/add/weights')?.data ?? [];
  t.not(weights(graphs[0])[0], weights(graphs[1])[0], 'but weights were changed');
});

t.test('calibrations of another model or form', async (t) => {
  const source = readTfjs(buildBlockModel(), CUT);
  const mismatch = { code: 'MND_MODEL_MISMATCH' };
  const equalize = (scales: [string, number[]][]) => () => equalizeGraph(source, new Map(scales));
  t.throws(equalize([['elsewhere', [1]]]), mismatch);
  t.throws(equalize([['e/add', [1, 1, 1, 1]]]), mismatch, 'not the first of its group');
  t.throws(equalize([['c/add', [1, 1, 1]]]), mismatch);
  t.throws(equalize([['c/add', [1, 1, 1, 0]]]), mismatch);
  t.throws(() => quantizeGraph(source, calibrationOf(new Map())), mismatch);
  const one = oneConvolution([1], [0]);
  const ranges = new Map([['out', [0, 1] as const]]);
  t.throws(
    () => quantizeGraph(one, calibrationOf(ranges, new Map([['normal', [1, 2]]]))),
    mismatch,
  );
  const pool: Graph = {
    ...one,
    operators: [{ kind: 'requantize', input: 'input', output: 'out' }],
  };
  t.throws(() => quantizeGraph(pool, calibrationOf(ranges)), { code: 'MND_MODEL_OPERATOR' });
});

t.test('what is no calibration', async (t) => {
  const good = { channelScales: {}, ranges: { a: [0, 1] }, means: { a: [1] }, about: 1 };
  t.same(parseCalibration(good).ranges.get('a'), [0, 1]);
  const bad: unknown[] = [
    null,
    [],
    'x',
    {},
    { ...good, ranges: [] },
    { ...good, ranges: { a: [1, 0] } },
    { ...good, ranges: { a: [0] } },
    { ...good, ranges: { a: ['0', 1] } },
    { ...good, means: { a: [null] } },
    { ...good, channelScales: { a: 1 } },
    Object.create(good),
  ];
  for (const document of bad) {
    t.throws(() => parseCalibration(document), { code: 'MND_MODEL_INVALID' });
  }
});
