import { codedError } from '../../errors.js';
import type { ClassifierHead, NumericForm } from '../../models/variant.js';
import type { ConvertedModel } from '../converted-model.js';
import { checkGraph } from './check.js';
import { type OnnxFile, type OnnxNode, parseOnnx } from './parse.js';
import { type ChannelScaling, findPicture } from './picture.js';
import { wrapNetwork } from './wrap.js';

export interface OwnOnnxOptions {
  /** How pixels become the numbers of a float32 input; null to look into the file's metadata. */
  readonly scaling: ChannelScaling | null;
}

/** Below 7 ONNX broadcast by attributes; above this onnxruntime 1.30 knows nothing. */
const OPSETS = [7, 25] as const;

const MAX_CLASSES = 100_000;
const FLOAT = 1;

/** Operators behind a softmax that change no value. */
const TRANSPARENT = ['Identity', 'Flatten', 'Squeeze', 'Reshape', 'Cast', 'Dropout'];

/**
 * Makes an ONNX classifier fit the daemon: in front of its input goes what turns a uint8 RGB picture
 * [1, size, size, 3] into the network's own numbers, and a final softmax is left out, so that the
 * output is logits. The network itself is passed on byte by byte. The form is `exact` for a network of
 * quantized operators, `float32` for any other.
 *
 * @throws MND_MODEL_TRUNCATED, MND_MODEL_INVALID, MND_MODEL_OPERATOR, MND_MODEL_SHAPE,
 *   MND_MODEL_TOO_LARGE; MND_USAGE if the picture's scaling is not known
 */
export function convertOwnOnnx(bytes: Uint8Array, options: OwnOnnxOptions): ConvertedModel {
  const file = parseOnnx(bytes);
  const [least, most] = OPSETS;
  if (file.opset < least || file.opset > most) {
    throw codedError('MND_MODEL_OPERATOR', {
      subject: 'ONNX file',
      expected: `operator set ${least} to ${most}`,
      found: `${file.opset}`,
    });
  }
  checkGraph(file);
  const picture = findPicture(file, options.scaling);
  const { name, classes } = findLogits(file);
  const form: NumericForm = file.nodes.some(isQuantized) ? 'exact' : 'float32';
  const input = uniqueName(file, 'picture');
  const output = uniqueName(file, 'logits');
  const head: ClassifierHead = {
    kind: 'classifier',
    classes,
    logits: { name: output, type: 'float32', scale: 1, zeroPoint: 0 },
  };
  const operators: Record<string, number> = {};
  for (const { opType } of file.nodes) operators[opType] = (operators[opType] ?? 0) + 1;
  return {
    onnx: wrapNetwork(file, picture, { input, logits: name, output, classes }),
    form,
    input: { name: input, sizes: [picture.size] },
    head,
    report: {
      operators,
      parameters: file.parameters,
      multAdds: null,
      raisedChannels: 0,
      rescaledChannels: 0,
      largestWeightError: 0,
      layers: [],
    },
  };
}

function isQuantized({ opType }: OnnxNode): boolean {
  return /^QLinear|QuantizeLinear$|^QGemm$|Integer$/.test(opType);
}

/** The output before a final softmax, and how many classes it has. */
function findLogits(file: OnnxFile): { readonly name: string; readonly classes: number } {
  const [output, ...others] = file.outputs;
  const [batch, classes = -1] = output?.shape ?? [];
  const isRow = output?.shape?.length === 2 && (batch === 1 || batch === -1);
  if (output === undefined || others.length > 0 || !isRow || classes < 2 || output.type !== FLOAT) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model output',
      expected: 'one float32 output [1, classes]',
      found:
        output === undefined || others.length > 0
          ? `${file.outputs.length} outputs`
          : `data type ${output.type}, [${(output.shape ?? []).map((side) => (side < 0 ? '?' : side)).join(', ')}]`,
    });
  }
  if (classes > MAX_CLASSES) {
    throw codedError('MND_MODEL_TOO_LARGE', {
      subject: 'model output',
      expected: `at most ${MAX_CLASSES} classes`,
      found: `${classes}`,
    });
  }
  return { name: beforeSoftmax(file, output.name), classes };
}

function beforeSoftmax(file: OnnxFile, output: string): string {
  const producerOf = (name: string) => file.nodes.find(({ outputs }) => outputs[0] === name);
  let node = producerOf(output);
  for (let steps = 0; steps < 8 && node !== undefined; steps += 1) {
    if (node.opType === 'Softmax' || node.opType === 'LogSoftmax') return node.inputs[0] ?? output;
    if (node.opType === 'Sigmoid' || node.opType === 'QLinearSoftmax') {
      throw codedError('MND_MODEL_OPERATOR', {
        subject: 'ONNX file',
        expected: 'a classifier that ends in logits or in Softmax',
        found: node.opType,
      });
    }
    if (!TRANSPARENT.includes(node.opType)) break;
    node = producerOf(node.inputs[0] ?? '');
  }
  return output;
}

/** A name that no value has, nor has with a colon and something behind it. */
function uniqueName({ inputs, nodes, constants }: OnnxFile, wanted: string): string {
  const taken = new Set<string>();
  const take = (name: string) => taken.add(name.split(':')[0] ?? name);
  for (const name of constants) take(name);
  for (const { name } of inputs) take(name);
  for (const { outputs } of nodes) for (const output of outputs) take(output);
  let name = wanted;
  for (let count = 1; taken.has(name); count += 1) name = `${wanted}_${count}`;
  return name;
}
