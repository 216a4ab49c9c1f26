import onnxProto, { type onnx as proto } from 'onnx-proto';
import t, { type Test } from 'tap';
import { convertNetwork, convertTflite } from '#mobilenetd/convert/convert.js';
import type { ConvertedModel } from '#mobilenetd/convert/converted-model.js';
import { withEmbedding } from '#mobilenetd/convert/embedding/embedding.js';
import { convertOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { parseSafetensors } from '#mobilenetd/convert/safetensors/file.js';
import {
  TRAINED_CALIBRATION,
  trainedMobilenetV1,
} from '#mobilenetd/convert/safetensors/mobilenet-v1.js';
import { NO_PICTURE_OPTIONS } from '#mobilenetd/convert/scaling.js';
import {
  EMBEDDING_OUTPUT,
  type ModelOutput,
  NUMERIC_FORMS,
  type NumericForm,
} from '#mobilenetd/models/variant.js';
import { kerasModel } from '../build-keras.js';
import { mobilenetV1Spec } from '../build-mobilenet.js';
import { mobilenetV2Spec } from '../build-mobilenet-v2.js';
import { mobilenetV3Spec } from '../build-mobilenet-v3.js';
import { ssdModel } from '../build-ssd.js';
import { buildTflite } from '../build-tflite.js';
import { classifierSpec, encodeOnnx } from '../own-onnx/build-onnx.js';
import { randomPicture } from '../random.js';
import { trainedFile } from '../safetensors/build-safetensors.js';
import { openOnnx } from '../session.js';

/** Real numbers of a constant, however it is stored. */
function constantOf(graph: proto.IGraphProto, name: string): number[] {
  const found = graph.initializer?.find((tensor) => tensor.name === name);
  if (found === undefined) return [];
  const raw = found.rawData ?? new Uint8Array();
  if (raw.length === 0) return [...(found.floatData ?? []), ...(found.int32Data ?? [])];
  const { buffer } = Uint8Array.from(raw);
  const kinds: Readonly<Record<number, () => ArrayLike<number>>> = {
    1: () => new Float32Array(buffer),
    2: () => new Uint8Array(buffer),
    3: () => new Int8Array(buffer),
    6: () => new Int32Array(buffer),
  };
  return Array.from(kinds[found.dataType ?? 0]?.() ?? []);
}

const LAYERS = ['QLinearConv', 'Conv', 'Gemm', 'MatMul'];

/** What the last layer of a file makes of an embedding: weights · embedding + bias, with real numbers. */
function lastLayer(onnx: Uint8Array): (embedding: ArrayLike<number>) => number[] {
  const { graph } = onnxProto.onnx.ModelProto.decode(onnx);
  const node = graph?.node?.findLast(({ opType }) => LAYERS.includes(opType ?? ''));
  const inputs = node?.input ?? [];
  const read = (index: number) => constantOf(graph ?? {}, inputs[index] ?? '');
  const stored = node?.opType === 'QLinearConv';
  const weights = read(stored ? 3 : 1);
  const [scales, zeros] = stored ? [read(4), read(5)] : [[1], [0]];
  const inputScale = stored ? (read(1)[0] ?? 1) : 1;
  const bias = read(stored ? 8 : 2);
  const transposed = node?.opType === 'MatMul';
  return (embedding) => {
    const width = embedding.length;
    const classes = weights.length / width;
    return Array.from({ length: classes }, (_, row) => {
      const scale = scales[scales.length === 1 ? 0 : row] ?? 1;
      const zero = zeros[zeros.length === 1 ? 0 : row] ?? 0;
      let sum = (bias[row] ?? 0) * (stored ? scale * inputScale : 1);
      for (let k = 0; k < width; k += 1) {
        const weight = weights[transposed ? k * classes + row : row * width + k] ?? 0;
        sum += (weight - zero) * scale * (embedding[k] as number);
      }
      return sum;
    });
  };
}

/** Runs a model with and without its embedding; the embedding must give the logits again. */
async function check(t: Test, model: ConvertedModel, width: number, tolerance: number) {
  const { onnx, head, form, input } = model;
  if (head.kind !== 'classifier') throw new Error('no classifier');
  const stored: ModelOutput = head.logits;
  const extended = withEmbedding(onnx, head);
  t.equal(Buffer.compare(extended.subarray(0, onnx.length), onnx), 0, 'what was there stays');
  const [size = 0] = input.sizes;
  const layer = lastLayer(onnx);
  const plain = await openOnnx(onnx, form);
  const asked = await openOnnx(extended, form);
  for (let seed = 1; seed <= 3; seed += 1) {
    const picture = randomPicture(size, seed);
    const expected = await plain.run(picture, size, size);
    const { [EMBEDDING_OUTPUT]: embedding, ...outputs } = await asked.run(picture, size, size);
    t.strictSame(outputs, expected, 'the other outputs are the same');
    t.strictSame(embedding?.dims, [1, width]);
    const { name, scale, zeroPoint } = stored;
    const logits: number[] = Array.from(
      outputs[name]?.data ?? [],
      (value) => (value - zeroPoint) * scale,
    );
    const made = layer(embedding?.data ?? []);
    t.equal(made.length, logits.length);
    // A stored logit ends where its eight bits end.
    const ends =
      head.logits.type === 'uint8' ? [-zeroPoint * scale, (255 - zeroPoint) * scale] : [];
    const [low = -1e9, high = 1e9] = ends;
    const worst = Math.max(
      ...made.map((value, k) => Math.abs(Math.min(high, Math.max(low, value)) - (logits[k] ?? 0))),
    );
    const range = Math.max(...logits) - Math.min(...logits);
    t.ok(worst <= tolerance * range, `${form}: ${worst} of a range of ${range}`);
  }
  await plain.close();
  await asked.close();
}

const NETWORKS = {
  'MobileNetV1 0.25': {
    file: buildTflite(mobilenetV1Spec({ alpha: 0.25, size: 64, classes: 20 })),
    width: 256,
  },
  'MobileNetV2 0.35': {
    file: buildTflite(mobilenetV2Spec({ alpha: 0.35, size: 64, classes: 20 })),
    width: 1280,
  },
  'MobileNetV3 small': {
    file: buildTflite(
      mobilenetV3Spec({ kind: 'small', size: 64, classes: 20, shortened: 8, head: [48, 64] }),
    ),
    width: 64,
  },
  'Keras, a mean': {
    file: buildTflite(kerasModel({ wrapping: 'uint8', pool: 'mean' }).model),
    width: null,
  },
  'Keras, an average': {
    file: buildTflite(kerasModel({ wrapping: 'int8', pool: 'average' }).model),
    width: null,
  },
  'Keras, a hidden layer': {
    file: buildTflite(kerasModel({ wrapping: 'float32', pool: 'mean-keep', hidden: true }).model),
    width: 20,
  },
} as const;

for (const [name, { file, width }] of Object.entries(NETWORKS)) {
  t.test(`${name}: the embedding is what the last layer reads, in each form`, async (t) => {
    for (const form of NUMERIC_FORMS) {
      const model = convertTflite(file, { form });
      await check(t, model, width ?? channelsBefore(model), form === 'float32' ? 1e-4 : 0.06);
    }
  });
}

/** Channels that the last layer reads, by its weights and its classes. */
function channelsBefore({ onnx, head }: ConvertedModel): number {
  const { graph } = onnxProto.onnx.ModelProto.decode(onnx);
  const node = graph?.node?.findLast(({ opType }) => LAYERS.includes(opType ?? ''));
  const name = node?.input?.[node.opType === 'QLinearConv' ? 3 : 1] ?? '';
  return constantOf(graph ?? {}, name).length / head.classes;
}

t.test('networks that training writes, and ONNX classifiers of others', async (t) => {
  const file = parseSafetensors(trainedFile({ sizes: [64], classes: 7 }));
  const graph = trainedMobilenetV1(file, 64);
  for (const form of ['symmetric', 'float32'] as const) {
    const network = { kind: 'classifier', graph, scores: 'softmax' } as const;
    const model = convertNetwork(network, { form, calibration: TRAINED_CALIBRATION });
    await check(t, model, channelsBefore(model), form === 'float32' ? 1e-4 : 0.06);
  }
  for (const options of [{}, { end: 'logits' }, { layout: 'nhwc' }, { quantized: true }] as const) {
    const model = convertOwnOnnx(encodeOnnx(classifierSpec(options)), {
      ...NO_PICTURE_OPTIONS,
      scaling: { mean: [127.5], scale: [1 / 127.5] },
    });
    await check(t, { ...model, head: { ...model.head } }, 3, 1e-4);
  }
});

t.test('the embedding of an SSD is the mean of its finest feature map', async (t) => {
  const file = buildTflite(ssdModel().model);
  for (const form of ['exact', 'symmetric', 'float32'] as const) {
    const { onnx, head } = convertTflite(file, { form });
    if (head.kind !== 'ssd') throw new Error('no detector');
    const picture = randomPicture(64, 5);
    const plain = await openOnnx(onnx, form);
    const asked = await openOnnx(withEmbedding(onnx, head), form);
    const expected = await plain.run(picture, 64, 64);
    const { [EMBEDDING_OUTPUT]: embedding, ...outputs } = await asked.run(picture, 64, 64);
    t.strictSame(outputs, expected, 'boxes and scores are the same');
    const map = await featureMap(onnx, head.layers[0]?.boxes.name ?? '', form, picture);
    t.equal(embedding?.data.length, map.length);
    t.ok(map.some((mean) => mean > 0));
    t.ok(
      map.every((mean, k) => Math.abs(mean - (embedding?.data[k] ?? 0)) < 1e-5),
      form,
    );
    await plain.close();
    await asked.close();
  }
});

/** Means of what the convolution behind an output reads, found in the file and computed by hand. */
async function featureMap(
  onnx: Uint8Array,
  output: string,
  form: NumericForm,
  picture: Uint8Array,
) {
  const model = onnxProto.onnx.ModelProto.decode(onnx);
  const maker = (name: string) => model.graph?.node?.find((node) => node.output?.includes(name));
  let node = maker(output);
  while (node !== undefined && !LAYERS.includes(node.opType ?? ''))
    node = maker(node.input?.[0] ?? '');
  const [name = '', scaleName = '', zeroName = ''] = node?.input ?? [];
  const stored = node?.opType === 'QLinearConv';
  const elemType = stored ? 2 : 1;
  model.graph?.output?.push(
    onnxProto.onnx.ValueInfoProto.fromObject({ name, type: { tensorType: { elemType } } }),
  );
  const session = await openOnnx(onnxProto.onnx.ModelProto.encode(model).finish(), form);
  const found = (await session.run(picture, 64, 64))[name];
  await session.close();
  const [, channels = 0, height = 0, width = 0] = found?.dims ?? [];
  const number = (constant: string) => constantOf(model.graph ?? {}, constant)[0] ?? 0;
  const [scale, zero] = stored ? [number(scaleName), number(zeroName)] : [1, 0];
  return Array.from({ length: channels }, (_, channel) => {
    const plane = found?.data.slice(channel * height * width, (channel + 1) * height * width) ?? [];
    let sum = 0;
    for (const value of plane) sum += (value - zero) * scale;
    return sum / plane.length;
  });
}

t.test('a network without such features is refused', (t) => {
  const { onnx } = convertTflite(NETWORKS['MobileNetV1 0.25'].file, { form: 'exact' });
  const boxes = {
    kind: 'boxes',
    classes: 2,
    background: false,
    layout: { kind: 'list', outputs: [], columns: null, rowsFirst: false, unit: 'pixels' },
    suppression: { maxDetections: 1, maxClassesPerBox: 1, overlap: 0.5, leastScore: 0 },
  } as const;
  t.throws(() => withEmbedding(onnx, boxes), { code: 'MND_MODEL_OPERATOR' });
  const logits = { name: 'another', type: 'uint8', scale: 1, zeroPoint: 0 } as const;
  const head = { kind: 'classifier', classes: 20, logits } as const;
  t.throws(() => withEmbedding(onnx, head), { code: 'MND_MODEL_OPERATOR' });
  t.throws(() => withEmbedding(onnx.subarray(0, 5000), head), { code: 'MND_MODEL_TRUNCATED' });
  t.end();
});
