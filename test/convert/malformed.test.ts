import { ByteBuffer } from 'flatbuffers';
import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { isCodedError } from '#mobilenetd/errors.js';
import { CODE, mobilenetV1Spec } from './build-mobilenet.js';
import { buildTflite, type ModelSpec, type OperatorSpec, type TensorSpec } from './build-tflite.js';

const SPEC = mobilenetV1Spec({ alpha: 0.25, size: 32, classes: 5 });
const FILE = buildTflite(SPEC);

/** Indices of the first convolution's tensors in SPEC. */
const INPUT = 0;
const WEIGHTS = 1;
const BIAS = 2;
const FIRST_OUTPUT = 3;

function withTensor(index: number, change: Partial<TensorSpec>): ModelSpec {
  return {
    ...SPEC,
    tensors: SPEC.tensors.map((tensor, at) => (at === index ? { ...tensor, ...change } : tensor)),
  };
}

function withOperator(index: number, change: Partial<OperatorSpec>): ModelSpec {
  return {
    ...SPEC,
    operators: SPEC.operators.map((operator, at) =>
      at === index ? { ...operator, ...change } : operator,
    ),
  };
}

function without(index: number, field: keyof TensorSpec): ModelSpec {
  const { [field]: _, ...rest } = SPEC.tensors[index] as TensorSpec;
  return {
    ...SPEC,
    tensors: SPEC.tensors.map((tensor, at) => (at === index ? (rest as TensorSpec) : tensor)),
  };
}

function patched(change: (buffer: ByteBuffer) => void): Uint8Array {
  const copy = new Uint8Array(FILE);
  change(new ByteBuffer(copy));
  return copy;
}

/** Position of a field of the root table. */
function rootField(buffer: ByteBuffer, field: number): number {
  const root = buffer.readInt32(0);
  return root + buffer.__offset(root, 4 + 2 * field);
}

const convOptions = SPEC.operators[0]?.options;
const bytes = (text: string) => new TextEncoder().encode(text);

const BYTES: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
  ['an empty file', new Uint8Array(), 'MND_MODEL_TRUNCATED', /0 bytes/],
  ['seven bytes', FILE.subarray(0, 7), 'MND_MODEL_TRUNCATED', /7 bytes/],
  ['only the identifier', FILE.subarray(0, 8), 'MND_MODEL_TRUNCATED', /offset \d+/],
  ['a file cut in its tables', FILE.subarray(0, 200), 'MND_MODEL_TRUNCATED', /offset \d+/],
  ['a file cut in half', FILE.subarray(0, FILE.length / 2), 'MND_MODEL_TRUNCATED', /offset \d+/],
  ['a file short of one byte', FILE.subarray(0, -1), 'MND_MODEL_TRUNCATED', /offset \d+/],
  ['a text file', bytes('<!doctype html><html></html>'), 'MND_MODEL_INVALID', /TFL3/],
  [
    'another flatbuffer',
    patched((b) => b.bytes().set(bytes('ARROW'), 4)),
    'MND_MODEL_INVALID',
    /ARRO/,
  ],
  [
    'zeros behind the identifier',
    patched((b) => b.bytes().fill(0, 8)),
    'MND_MODEL_INVALID',
    /offset/,
  ],
  [
    'a root beyond the end',
    patched((b) => b.writeUint32(0, 0xfffffff0)),
    'MND_MODEL_TRUNCATED',
    /offset 429496/,
  ],
  ['a root of null', patched((b) => b.writeUint32(0, 0)), 'MND_MODEL_INVALID', /null offset/],
  [
    'a table whose vtable is before the file',
    patched((b) => b.writeInt32(b.readInt32(0), 0x7fffffff)),
    'MND_MODEL_INVALID',
    /bad offset/,
  ],
  [
    'a vtable of odd size',
    patched((b) => b.writeUint16(b.readInt32(0) - b.readInt32(b.readInt32(0)), 3)),
    'MND_MODEL_INVALID',
    /bad table/,
  ],
  [
    'four thousand million buffers',
    patched((b) => b.writeUint32(b.__indirect(rootField(b, 4)), 0xffffffff)),
    'MND_MODEL_TRUNCATED',
    /offset/,
  ],
  [
    'no subgraph',
    patched((b) => b.writeUint32(b.__indirect(rootField(b, 2)), 0)),
    'MND_MODEL_INVALID',
    /one subgraph/,
  ],
  [
    'more operator codes than there are bytes for',
    patched((b) => b.writeUint32(b.__indirect(rootField(b, 1)), FILE.length)),
    'MND_MODEL_TRUNCATED',
    /offset/,
  ],
];

const wide = Array.from({ length: 6 }, () => 1000);

const MODELS: readonly (readonly [string, ModelSpec, string, RegExp])[] = [
  [
    'an unknown operator',
    withOperator(0, { code: 44 }),
    'MND_MODEL_OPERATOR',
    /operator 0 \(UNIDIRECTIONAL_SEQUENCE_LSTM\)/,
  ],
  [
    'a custom operator',
    withOperator(1, { code: 'MyOp' }),
    'MND_MODEL_OPERATOR',
    /operator 1 \(MyOp\)/,
  ],
  [
    'an operator newer than the table',
    withOperator(1, { code: 300 }),
    'MND_MODEL_OPERATOR',
    /builtin 300/,
  ],
  [
    'a fused activation that is not known',
    withOperator(0, { options: { ...convOptions, union: 1, int8: { 0: 0, 3: 4 } } }),
    'MND_MODEL_OPERATOR',
    /operator 0 \(CONV_2D\).*TANH/,
  ],
  [
    'a padding that does not exist',
    withOperator(0, { options: { ...convOptions, union: 1, int8: { 0: 7, 3: 3 } } }),
    'MND_MODEL_OPERATOR',
    /SAME or VALID/,
  ],
  [
    'a stride of nothing',
    withOperator(0, { options: { union: 1, int8: { 3: 3 }, int32: { 1: 2, 2: -1, 4: 1, 5: 1 } } }),
    'MND_MODEL_SHAPE',
    /stride/,
  ],
  [
    'a softmax with another temperature',
    withOperator(30, { options: { union: 9, float32: { 0: 2 } } }),
    'MND_MODEL_OPERATOR',
    /SOFTMAX.*beta/,
  ],
  [
    'weights of the wrong type',
    withTensor(WEIGHTS, { type: 'int32', zeroPoint: [0], data: new Int32Array(216) }),
    'MND_MODEL_SHAPE',
    /uint8 or int8/,
  ],
  [
    'a float activation in the middle',
    withTensor(FIRST_OUTPUT, { type: 'float32' }),
    'MND_MODEL_SHAPE',
    /type uint8/,
  ],
  ['an int64 activation', withTensor(FIRST_OUTPUT, { type: 'int64' }), 'MND_MODEL_SHAPE', /int64/],
  [
    'an activation without quantization',
    without(FIRST_OUTPUT, 'scale'),
    'MND_MODEL_INVALID',
    /no quantization/,
  ],
  ['weights without quantization', without(WEIGHTS, 'scale'), 'MND_MODEL_SHAPE', /no scale/],
  [
    'a scale of zero',
    withTensor(WEIGHTS, { scale: [0] }),
    'MND_MODEL_INVALID',
    /tensor 1 .*scales above 0/,
  ],
  [
    'a negative scale',
    withTensor(FIRST_OUTPUT, { scale: [-1] }),
    'MND_MODEL_INVALID',
    /scales above 0/,
  ],
  [
    'a scale that is no number',
    withTensor(WEIGHTS, { scale: [Number.NaN] }),
    'MND_MODEL_INVALID',
    /NaN/,
  ],
  [
    'an infinite scale',
    withTensor(WEIGHTS, { scale: [Number.POSITIVE_INFINITY] }),
    'MND_MODEL_INVALID',
    /Infinity/,
  ],
  [
    'a zero point out of range',
    withTensor(WEIGHTS, { zeroPoint: [256] }),
    'MND_MODEL_INVALID',
    /0 to 255/,
  ],
  [
    'fewer zero points than scales',
    withTensor(WEIGHTS, { scale: [1, 1], zeroPoint: [0] }),
    'MND_MODEL_INVALID',
    /2 zero points/,
  ],
  [
    'scales for some of the channels',
    withTensor(WEIGHTS, { scale: [1, 1], zeroPoint: [0, 0] }),
    'MND_MODEL_SHAPE',
    /1 or 8 scales/,
  ],
  [
    'two scales for an activation',
    withTensor(FIRST_OUTPUT, { scale: [1, 1], zeroPoint: [0, 0] }),
    'MND_MODEL_INVALID',
    /2 scales/,
  ],
  [
    'too few weights',
    withTensor(WEIGHTS, { data: new Uint8Array(100) }),
    'MND_MODEL_INVALID',
    /216 bytes/,
  ],
  [
    'a bias of the wrong length',
    withTensor(BIAS, { shape: [7], data: new Int32Array(7) }),
    'MND_MODEL_SHAPE',
    /bias of 8 values/,
  ],
  [
    'weights for another number of channels',
    withTensor(WEIGHTS, { shape: [8, 3, 3, 4], data: new Uint8Array(288) }),
    'MND_MODEL_SHAPE',
    /agree on the channels/,
  ],
  [
    'an output of the wrong size',
    withTensor(FIRST_OUTPUT, { shape: [1, 15, 16, 8] }),
    'MND_MODEL_SHAPE',
    /16×16/,
  ],
  [
    'a batch of two',
    withTensor(FIRST_OUTPUT, { shape: [2, 16, 16, 8] }),
    'MND_MODEL_SHAPE',
    /batch 1/,
  ],
  [
    'an empty dimension',
    withTensor(FIRST_OUTPUT, { shape: [1, 16, 16, 0] }),
    'MND_MODEL_SHAPE',
    /empty dimension/,
  ],
  [
    'a negative dimension',
    withTensor(FIRST_OUTPUT, { shape: [1, -1, 16, 8] }),
    'MND_MODEL_SHAPE',
    /none negative/,
  ],
  [
    'seven dimensions',
    withTensor(FIRST_OUTPUT, { shape: [1, 1, 1, 1, 1, 1, 1] }),
    'MND_MODEL_SHAPE',
    /at most 6/,
  ],
  [
    'a tensor of 10^18 values',
    withTensor(FIRST_OUTPUT, { shape: wide }),
    'MND_MODEL_TOO_LARGE',
    /values/,
  ],
  ['two channels', withTensor(INPUT, { shape: [1, 32, 32, 2] }), 'MND_MODEL_SHAPE', /RGB/],
  [
    'a grey picture for weights of three channels',
    withTensor(INPUT, { shape: [1, 32, 32, 1] }),
    'MND_MODEL_SHAPE',
    /channels/,
  ],
  [
    'a picture of another size than its layers have',
    withTensor(INPUT, { shape: [1, 32, 64, 3] }),
    'MND_MODEL_SHAPE',
    /16×32 pixels/,
  ],
  ['two inputs', { ...SPEC, inputs: [0, 3] }, 'MND_MODEL_SHAPE', /one input/],
  ['no output', { ...SPEC, outputs: [] }, 'MND_MODEL_SHAPE', /one output/],
  [
    'an output that does not exist',
    { ...SPEC, outputs: [9999] },
    'MND_MODEL_INVALID',
    /tensor 9999/,
  ],
  [
    'an output that is a constant',
    { ...SPEC, outputs: [WEIGHTS] },
    'MND_MODEL_INVALID',
    /model output/,
  ],
  ['an output that is the input', { ...SPEC, outputs: [INPUT] }, 'MND_MODEL_SHAPE', /model output/],
  [
    'an output of four dimensions',
    { ...SPEC, outputs: [FIRST_OUTPUT] },
    'MND_MODEL_SHAPE',
    /classes/,
  ],
  [
    'an operator that reads its own output',
    withOperator(1, { inputs: [6, 4, 5] }),
    'MND_MODEL_INVALID',
    /earlier operator/,
  ],
  [
    'an operator that reads a tensor that does not exist',
    withOperator(1, { inputs: [-2, 4, 5] }),
    'MND_MODEL_INVALID',
    /tensor -2/,
  ],
  ['an operator without inputs', withOperator(1, { inputs: [] }), 'MND_MODEL_INVALID', /1 inputs/],
  [
    'an operator without outputs',
    withOperator(1, { outputs: [] }),
    'MND_MODEL_INVALID',
    /earlier operator/,
  ],
  [
    'a tensor computed twice',
    { ...SPEC, operators: [...SPEC.operators.slice(0, 1), ...SPEC.operators] },
    'MND_MODEL_INVALID',
    /second time/,
  ],
  [
    'an operator that writes a constant',
    withTensor(FIRST_OUTPUT, { data: new Uint8Array(16 * 16 * 8) }),
    'MND_MODEL_SHAPE',
    /a constant/,
  ],
  [
    'two operators that wait for each other',
    {
      ...SPEC,
      operators: SPEC.operators.map((operator, at) =>
        at === 1 ? { ...operator, inputs: [9, 4, 5] } : operator,
      ),
    },
    'MND_MODEL_INVALID',
    /earlier operator/,
  ],
  ['computed weights', withOperator(1, { inputs: [3, 3, 5] }), 'MND_MODEL_SHAPE', /constant/],
  [
    'a pool over a part of the picture',
    {
      ...SPEC,
      operators: SPEC.operators.map((operator) =>
        operator.code === CODE.AVERAGE_POOL_2D
          ? { ...operator, options: { union: 5, int32: { 1: 1, 2: 1, 3: 3, 4: 3 } } }
          : operator,
      ),
    },
    'MND_MODEL_OPERATOR',
    /AVERAGE_POOL_2D.*whole/,
  ],
  [
    'a reshape to another number of values',
    withTensor(SPEC.tensors.length - 2, { shape: [1, 6] }),
    'MND_MODEL_SHAPE',
    /RESHAPE/,
  ],
];

function conversionError(file: Uint8Array): unknown {
  for (const form of ['exact', 'symmetric', 'reduced', 'float32'] as const) {
    try {
      convertTflite(file, { form });
    } catch (error) {
      return error;
    }
  }
  return null;
}

t.test('damaged files are refused with the offset', async (t) => {
  for (const [name, file, code, message] of BYTES) {
    const error = conversionError(file);
    t.ok(isCodedError(error), `${name}: ${String(error)}`);
    t.match(error, { code, message }, name);
  }
});

t.test('models that cannot be are refused with the operator or tensor', async (t) => {
  for (const [name, spec, code, message] of MODELS) {
    const error = conversionError(buildTflite(spec));
    t.ok(isCodedError(error), `${name}: ${String(error)}`);
    t.match(error, { code, message }, name);
  }
});

t.test('a file larger than any model is refused unread', async (t) => {
  const error = conversionError(new Uint8Array(128 * 2 ** 20 + 1));
  t.match(error, { code: 'MND_MODEL_TOO_LARGE' });
});

t.test('constants that a thousand tensors share are refused', async (t) => {
  const data = new Uint8Array(100_000);
  const shared = { name: 'shared', type: 'uint8', shape: [100_000], data } as const;
  const file = buildTflite({ ...SPEC, tensors: [...SPEC.tensors, ...Array(1000).fill(shared)] });
  t.ok(file.length < 1_000_000, `${file.length} bytes`);
  t.match(conversionError(file), { code: 'MND_MODEL_INVALID', message: /bytes of constants/ });
});

t.test('the untouched model converts, at any alignment of its bytes', async (t) => {
  const shifted = new Uint8Array(FILE.length + 1);
  shifted.set(FILE, 1);
  const { onnx } = convertTflite(FILE, { form: 'exact' });
  t.strictSame(convertTflite(shifted.subarray(1), { form: 'exact' }).onnx, onnx);
  t.strictSame(convertTflite(Buffer.from(FILE), { form: 'exact' }).onnx, onnx);
});
