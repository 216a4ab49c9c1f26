import { codedError } from '../../errors.js';
import { constantValues } from './constants.js';
import { damaged } from './fields.js';
import type { OnnxFile, OnnxNode } from './parse.js';

/**
 * Operators that classifiers are made of. Not among them is what makes a large tensor of a few
 * numbers (ConstantOfShape, Expand, Tile, Range, Resize), what loops, and what reads files.
 */
const OPERATORS = new Set(
  (
    'Abs Add AveragePool BatchNormalization Cast Ceil Clip Concat Constant Conv ConvInteger ' +
    'DequantizeLinear Div Dropout DynamicQuantizeLinear Elu Erf Exp Flatten Floor Gather Gelu Gemm ' +
    'GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish Identity InstanceNormalization ' +
    'LayerNormalization LeakyRelu LRN LogSoftmax MatMul MatMulInteger Max MaxPool Min Mish Mul Neg ' +
    'Pad Pow PRelu QLinearConv QLinearMatMul QuantizeLinear ReduceMean ReduceMax ReduceSum Relu ' +
    'Reshape Round Selu Shape Sigmoid Sign Slice Softmax Softplus Softsign Split Sqrt Squeeze Sub ' +
    'Sum Tanh ThresholdedRelu Transpose Unsqueeze Where'
  ).split(' '),
);

/** Besides these, detectors enlarge maps and sort what they found. */
const DETECTOR_OPERATORS = new Set(
  (
    'And ArgMax Equal GatherElements GatherND Greater GreaterOrEqual Less LessOrEqual Mod ' +
    'NonMaxSuppression NonZero Not Or ReduceMin ReduceProd Resize ScatterND TopK Upsample Xor'
  ).split(' '),
);

/** Operators that make a map larger, whose factors are constants. */
const GROWING = ['Resize', 'Upsample'];
const MOST_GROWTH = 4;

/** Values of the largest map that a size in the file may make. */
const MOST_VALUES = 2 ** 24;

/** @throws MND_MODEL_OPERATOR unless the map grows by small factors, or to a size, that stand in the file */
function requireSmallGrowth(file: OnnxFile, { opType, inputs }: OnnxNode): void {
  // Until operator set 10 the factors come second, from 11 on behind a region; a size instead of them last.
  const at = opType === 'Resize' && file.opset > 10 ? 2 : 1;
  const factors = constantValues(file, inputs[at] ?? '') ?? [];
  const size = constantValues(file, inputs[3] ?? '') ?? [];
  if (factors.length > 0) {
    if (factors.every((factor) => factor > 0 && factor <= MOST_GROWTH)) return;
  } else if (size.length > 0 && size.every((side) => side > 0)) {
    if (size.reduce((product, side) => product * side, 1) <= MOST_VALUES) return;
  }
  const found = [...factors, ...size].slice(0, 4).join(', ');
  throw codedError('MND_MODEL_OPERATOR', {
    subject: 'ONNX file',
    expected: `a ${opType} by factors of at most ${MOST_GROWTH}, or to a size, that stand in the file`,
    found: found === '' ? 'a size that is computed' : found,
    next: 'simplify it: python3 -m onnxsim model.onnx simple.onnx',
  });
}

/** Quantized operators of onnxruntime's own set, as its quantizer writes them. */
const MICROSOFT_OPERATORS = new Set(
  (
    'FusedConv FusedGemm QGemm QLinearAdd QLinearAveragePool QLinearConcat QLinearGlobalAveragePool ' +
    'QLinearLeakyRelu QLinearMul QLinearReduceMean QLinearSigmoid QLinearSoftmax DequantizeLinear ' +
    'QuantizeLinear Gelu FastGelu'
  ).split(' '),
);

/**
 * Makes sure that a graph is made of known operators, computes every value once and has no cycle.
 *
 * @throws MND_MODEL_OPERATOR, naming the operator; MND_MODEL_INVALID
 */
export function checkGraph(file: OnnxFile, kind: 'classifier' | 'detector' = 'classifier'): void {
  for (const node of file.nodes) {
    const { opType, domain } = node;
    const own = domain === '' || domain === 'ai.onnx';
    const known = own
      ? OPERATORS.has(opType) || (kind === 'detector' && DETECTOR_OPERATORS.has(opType))
      : domain === 'com.microsoft' && MICROSOFT_OPERATORS.has(opType);
    if (known && own && GROWING.includes(opType)) requireSmallGrowth(file, node);
    if (!known) {
      throw codedError('MND_MODEL_OPERATOR', {
        subject: 'ONNX file',
        expected: `operators that ${kind}s are made of`,
        found: `"${domain === '' ? opType : `${domain}:${opType}`}"`,
        next: 'export the network alone, without what comes before its picture or behind its scores',
      });
    }
  }
  checkOrder(file);
}

/** Every node reads constants, inputs or what other nodes compute, and can at last be run. */
function checkOrder({ nodes, inputs, constants }: OnnxFile): void {
  const producers = new Map<string, number>();
  for (const [index, { outputs }] of nodes.entries()) {
    for (const output of outputs) {
      if (output === '') continue;
      if (producers.has(output) || constants.has(output)) {
        throw damaged(`"${output}" computed twice`);
      }
      producers.set(output, index);
    }
  }
  const known = new Set([...constants.keys(), ...inputs.map(({ name }) => name)]);
  const readers = new Map<number, number[]>();
  const waiting = nodes.map(({ inputs: reads }, index) => {
    const needed = new Set<number>();
    for (const name of reads) {
      if (name === '' || known.has(name)) continue;
      const producer = producers.get(name);
      if (producer === undefined) throw damaged(`"${name}", which nothing computes`);
      needed.add(producer);
    }
    for (const producer of needed) {
      const others = readers.get(producer);
      if (others === undefined) readers.set(producer, [index]);
      else others.push(index);
    }
    return needed.size;
  });
  const ready = waiting.flatMap((count, index) => (count === 0 ? [index] : []));
  let done = 0;
  for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
    done += 1;
    for (const reader of readers.get(index) ?? []) {
      waiting[reader] = (waiting[reader] ?? 0) - 1;
      if (waiting[reader] === 0) ready.push(reader);
    }
  }
  if (done < nodes.length) throw damaged('operators that wait for each other (a cycle)');
}
