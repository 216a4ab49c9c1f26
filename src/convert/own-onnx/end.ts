import { codedError } from '../../errors.js';
import type { ScoreKind } from '../../models/variant.js';
import { requireClasses } from '../classifier-head.js';
import { looksLike } from './looks-like.js';
import type { OnnxFile, OnnxNode } from './parse.js';

/** The output of the file itself. */
export interface OriginalOutput {
  readonly name: string;
  readonly logarithm: boolean;
  /** What its stored numbers are counted from, and how many steps make 1. */
  readonly zeroPoint: number;
  readonly steps: number;
}

/** Where a classifier ends, and what its numbers are. */
export interface NetworkEnd {
  /** Value of the network that is read. */
  readonly name: string;
  readonly classes: number;
  readonly scores: ScoreKind;
  /** Names of the constants that make real numbers of a quantized value; null for a float one. */
  readonly stored: { readonly scale: string; readonly zeroPoint: string } | null;
  /**
   * What its answers are held against: `softmax` or `sigmoid` of the value that is read must be the
   * output itself, as it is or as its logarithm. Null where the output is read.
   */
  readonly original: OriginalOutput | null;
  /** Whether a sigmoid or softmax is somewhere near the end. */
  readonly squashed: boolean;
  /** Whether the numbers are those of a layer with weights. */
  readonly weighted: boolean;
}

/** TensorProto.DataType */
const FLOAT = 1;
const FLOAT16 = 10;
const UINT8 = 2;
const INT8 = 3;
const MAX_CLASSES = 100_000;

/** Operators behind the scores that change no value, or only its step. */
const TRANSPARENT = new Set(
  (
    'Identity Flatten Squeeze Unsqueeze Reshape Cast Dropout Transpose QuantizeLinear ' +
    'DequantizeLinear'
  ).split(' '),
);

/** Operators with weights, whose results are logits whatever is before them. */
const LAST_LAYERS = new Set(
  (
    'Gemm MatMul Conv QLinearConv QLinearMatMul QGemm MatMulInteger ConvInteger FusedGemm FusedConv ' +
    'BatchNormalization'
  ).split(' '),
);

const SQUASHING: Readonly<Record<string, ScoreKind>> = {
  Softmax: 'softmax',
  LogSoftmax: 'softmax',
  QLinearSoftmax: 'softmax',
  Sigmoid: 'sigmoid',
  QLinearSigmoid: 'sigmoid',
};

/** Longest way back that is looked at. */
const MAX_STEPS = 16;

/**
 * Finds the true end of a classifier: before a final softmax or sigmoid, which are computed outside the
 * network, through whatever quantizes and dequantizes around them. Where something else stands there,
 * the output itself is read. Either is for the caller to measure.
 *
 * @param asItIs whether the output is read whatever makes it
 * @throws MND_MODEL_SHAPE, MND_MODEL_TOO_LARGE
 */
export function findEnd(file: OnnxFile, asItIs = false): NetworkEnd {
  const { name, classes, type } = outputOf(file);
  const last = walkBack(file, name);
  const scores = last === undefined ? undefined : SQUASHING[last.opType];
  if (last !== undefined && scores !== undefined) {
    requireClasses(classes, scores);
    if (!asItIs) {
      const [input = '', scale = '', zeroPoint = ''] = last.inputs;
      const stored = last.opType.startsWith('QLinear') ? { scale, zeroPoint } : null;
      const logarithm = last.opType === 'LogSoftmax';
      // Scores are stored in 256 steps from the lowest number.
      const steps = type === UINT8 || type === INT8 ? 256 : 1;
      const original = { name, logarithm, steps, zeroPoint: type === INT8 ? -128 : 0 };
      return { name: input, classes, scores, stored, original, squashed: true, weighted: false };
    }
  }
  if (type !== FLOAT && type !== FLOAT16)
    throw badOutput('one float32 output', `data type ${type}`);
  const squashed = isSquashed(file, last);
  if (!squashed) requireClasses(classes, 'softmax');
  const weighted = last === undefined || LAST_LAYERS.has(last.opType);
  return { name, classes, scores: 'softmax', stored: null, original: null, squashed, weighted };
}

/** The one output, a row of numbers: [1, N], [N], [1, N, 1, 1] and the like. */
function outputOf(file: OnnxFile) {
  const [output, ...others] = file.outputs;
  if (output === undefined || others.length > 0) {
    throw strange(file, `${file.outputs.length} outputs`);
  }
  const shape = output.shape ?? [];
  const [first = 1] = shape;
  // A batch of any size is one picture here.
  const sides = shape.length > 1 && first === -1 ? shape.slice(1) : shape;
  const wide = sides.filter((side) => side !== 1);
  const classes = wide[0] ?? 1;
  if (output.shape === null || sides.length === 0 || wide.length > 1 || classes < 1) {
    const found = shape.map((side) => (side < 0 ? '?' : side)).join(', ');
    throw strange(file, `[${found}]`);
  }
  if (classes > MAX_CLASSES) {
    throw codedError('MND_MODEL_TOO_LARGE', {
      subject: 'model output',
      expected: `at most ${MAX_CLASSES} classes`,
      found: `${classes}`,
    });
  }
  return { name: output.name, classes, type: output.type };
}

function producerOf(file: OnnxFile, name: string): OnnxNode | undefined {
  return file.nodes.find(({ outputs }) => outputs[0] === name);
}

/** The operator behind the output, over those that change nothing. */
function walkBack(file: OnnxFile, output: string): OnnxNode | undefined {
  let node = producerOf(file, output);
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    if (node === undefined || !TRANSPARENT.has(node.opType)) return node;
    node = producerOf(file, node.inputs[0] ?? '');
  }
  return node;
}

/** Whether a softmax or sigmoid is behind an operator, over a few others with constants. */
function isSquashed(file: OnnxFile, start: OnnxNode | undefined): boolean {
  const pending = start === undefined ? [] : [start];
  const seen = new Set<OnnxNode>();
  while (pending.length > 0 && seen.size < MAX_STEPS) {
    const node = pending.pop();
    if (node === undefined || seen.has(node)) continue;
    seen.add(node);
    if (SQUASHING[node.opType] !== undefined || node.opType === 'HardSigmoid') return true;
    if (LAST_LAYERS.has(node.opType)) continue;
    for (const input of node.inputs) {
      const producer = producerOf(file, input);
      if (producer !== undefined) pending.push(producer);
    }
  }
  return false;
}

/** Says what the network looks like, where that can be told. */
function strange(file: OnnxFile, found: string): Error {
  const kind = looksLike(file);
  return codedError('MND_MODEL_SHAPE', {
    subject: 'model output',
    expected: 'one row of scores, [1, classes], or the boxes of a detector',
    found: kind === null ? found : `${found}: this looks like ${kind}`,
    ...(kind !== null && {
      next: 'take a TensorFlow Lite SSD, or the shipped detector: mobilenetd models pull',
    }),
  });
}

function badOutput(expected: string, found: string): Error {
  return codedError('MND_MODEL_SHAPE', { subject: 'model output', expected, found });
}
