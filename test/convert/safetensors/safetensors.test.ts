import t from 'tap';
import { convertNetwork } from '#mobilenetd/convert/convert.js';
import { parseSafetensors } from '#mobilenetd/convert/safetensors/file.js';
import {
  TRAINED_CALIBRATION,
  trainedMobilenetV1,
} from '#mobilenetd/convert/safetensors/mobilenet-v1.js';
import { identify } from '#mobilenetd/families/families.js';
import type { NumericForm } from '#mobilenetd/models/variant.js';
import { randomPicture } from '../random.js';
import { openOnnx } from '../session.js';
import {
  buildSafetensors,
  int8s,
  reals,
  trainedFile,
  trainedMetadata,
  trainedTensors,
} from './build-safetensors.js';

const CLASSES = 7;

t.test('tensors of each kind, at any alignment, from an array or a Buffer', (t) => {
  const halves = { dtype: 'F16' as const, shape: [2], bytes: Uint8Array.of(0, 0x3c, 0, 0xc2) };
  const file = buildSafetensors(
    { odd: int8s([3], [-127, 0, 5]), real: reals([2, 1], [0.5, -3]), halves },
    { format: 'x' },
  );
  for (const bytes of [file, new Uint8Array(file), Buffer.concat([file]).subarray(0)]) {
    const { metadata, tensors } = parseSafetensors(bytes);
    t.equal(metadata.get('format'), 'x');
    t.same([...(tensors.get('odd')?.data ?? [])], [-127, 0, 5]);
    t.same([...(tensors.get('real')?.data ?? [])], [0.5, -3]);
    t.same(tensors.get('real')?.shape, [2, 1]);
    t.same([...(tensors.get('halves')?.data ?? [])], [1, -3]);
  }
  t.end();
});

t.test('files that are none', (t) => {
  const good = buildSafetensors({ a: reals([2], [1, 2]) });
  const text = (header: string, length = header.length) => {
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(length));
    return Buffer.concat([size, Buffer.from(header)]);
  };
  const tensor = (fields: object) =>
    text(JSON.stringify({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4], ...fields } }));
  const cases: readonly (readonly [name: string, bytes: Uint8Array, code: string])[] = [
    ['nothing', new Uint8Array(0), 'MND_MODEL_TRUNCATED'],
    ['half a header', good.subarray(0, 20), 'MND_MODEL_TRUNCATED'],
    ['values missing', good.subarray(0, good.length - 1), 'MND_MODEL_TRUNCATED'],
    ['a header of a petabyte', text('{}', 2 ** 50), 'MND_MODEL_INVALID'],
    ['no JSON', text('{"a":'), 'MND_MODEL_INVALID'],
    ['a list', text('[]'), 'MND_MODEL_INVALID'],
    ['a tensor that is a number', text('{"a":1}'), 'MND_MODEL_INVALID'],
    ['numbers of eight bytes', tensor({ dtype: 'F64' }), 'MND_MODEL_SHAPE'],
    ['a negative side', tensor({ shape: [-1] }), 'MND_MODEL_INVALID'],
    ['too few bytes', tensor({ shape: [2] }), 'MND_MODEL_INVALID'],
    ['no offsets', tensor({ data_offsets: null }), 'MND_MODEL_INVALID'],
  ];
  for (const [name, bytes, code] of cases) t.throws(() => parseSafetensors(bytes), { code }, name);
  t.end();
});

const networkOf = (file: Uint8Array, size: number) =>
  trainedMobilenetV1(parseSafetensors(file), size);

async function logitsOf(file: Uint8Array, size: number, form: NumericForm, picture: Uint8Array) {
  const graph = networkOf(file, size);
  const calibration = TRAINED_CALIBRATION;
  const model = convertNetwork(
    { kind: 'classifier', graph, scores: 'softmax' },
    { form, calibration },
  );
  if (model.head.kind !== 'classifier') throw new Error('not a classifier');
  const { name, scale, zeroPoint } = model.head.logits;
  const onnx = await openOnnx(model.onnx, form);
  const results = await onnx.run(picture, size, size);
  await onnx.close();
  return [...(results[name]?.data ?? [])].map((value) => scale * (value - zeroPoint));
}

t.test('a trained network is recognised at every size it was trained at', (t) => {
  const file = trainedFile({ sizes: [112, 80], classes: CLASSES });
  for (const size of [112, 80]) {
    const graph = networkOf(file, size);
    t.match(identify(graph), { family: 'mobilenet_v1', alpha: 0.25, size, classes: CLASSES });
  }
  t.throws(() => networkOf(file, 96), { code: 'MND_MODEL_MISMATCH', message: /112, 80 px/ });
  t.end();
});

t.test('quantized and real numbers agree, and each size has its own', async (t) => {
  const file = trainedFile({ sizes: [80, 64], classes: CLASSES, int8: true });
  const picture = randomPicture(64, 3);
  const real = await logitsOf(file, 64, 'float32', picture);
  const spread = Math.max(...real) - Math.min(...real);
  t.ok(real.every(Number.isFinite) && spread > 0.2, `logits ${real.map((v) => v.toFixed(2))}`);
  for (const form of ['symmetric', 'reduced'] as const) {
    const stored = await logitsOf(file, 64, form, picture);
    const worst = Math.max(...stored.map((value, index) => Math.abs(value - (real[index] ?? 0))));
    t.ok(worst < 0.15 * spread + 0.2, `${form} is off by ${worst} of ${spread}`);
  }
  const tensors = trainedTensors({ sizes: [80, 64], classes: CLASSES, int8: true });
  const changed = { ...tensors, 'layers.26.shift.64': reals([256], Array(256).fill(3)) };
  const other = buildSafetensors(changed, trainedMetadata([80, 64]));
  t.notSame(await logitsOf(other, 64, 'float32', picture), real);
  const large = randomPicture(80, 3);
  t.same(
    await logitsOf(other, 80, 'float32', large),
    await logitsOf(file, 80, 'float32', large),
    'another size is untouched',
  );
});

t.test('a form that needs what the file has not, and files of another kind', (t) => {
  const graph = networkOf(trainedFile({ sizes: [64], classes: CLASSES }), 64);
  for (const form of ['exact', 'symmetric'] as const) {
    const convert = () =>
      convertNetwork({ kind: 'classifier', graph, scores: 'softmax' }, { form });
    t.throws(convert, { code: 'MND_MODEL_MISMATCH' }, form);
  }
  const tensors = trainedTensors({ sizes: [64], classes: CLASSES });
  const { 'layers.3.weight': _, ...lacking } = tensors;
  const wrong = { ...tensors, 'layers.4.weight': reals([1, 1], [1]) };
  const broken = {
    ...tensors,
    'classifier.bias': reals([CLASSES], Array(CLASSES).fill(Number.NaN)),
  };
  const metadata = trainedMetadata([64]);
  const cases = [
    ['MND_MODEL_INVALID', buildSafetensors(tensors)],
    ['MND_MODEL_INVALID', buildSafetensors(lacking, metadata)],
    ['MND_MODEL_INVALID', buildSafetensors(broken, metadata)],
    ['MND_MODEL_SHAPE', buildSafetensors(wrong, metadata)],
  ] as const;
  for (const [code, file] of cases) t.throws(() => networkOf(file, 64), { code });
  t.end();
});
