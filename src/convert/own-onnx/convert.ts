import { codedError } from '../../errors.js';
import type { ClassifierHead, NumericForm } from '../../models/variant.js';
import type { ConvertedModel } from '../converted-model.js';
import type { PictureOptions } from '../scaling.js';
import { checkGraph } from './check.js';
import { findEnd, type NetworkEnd } from './end.js';
import { type OnnxFile, type OnnxNode, parseOnnx } from './parse.js';
import { findPicture } from './picture.js';
import { wrapNetwork } from './wrap.js';

/** A classifier that was made to fit, and whether it is known what its outputs are. */
export interface OwnOnnxModel extends ConvertedModel {
  readonly head: ClassifierHead;
  /** See NetworkEnd. */
  readonly end: Pick<NetworkEnd, 'sure' | 'squashed'>;
}

/** Below 7 ONNX broadcast by attributes; above this onnxruntime 1.30 knows nothing. */
const OPSETS = [7, 25] as const;

/**
 * Makes an ONNX classifier fit the daemon: in front of its input goes what turns a uint8 RGB picture
 * [1, size, size, 3] into the network's own numbers, and a final softmax or sigmoid is left out, so that
 * the output is logits. The network itself is passed on byte by byte. The form is `exact` for a network of
 * quantized operators, `float32` for any other.
 *
 * @throws MND_MODEL_TRUNCATED, MND_MODEL_INVALID, MND_MODEL_OPERATOR, MND_MODEL_SHAPE,
 *   MND_MODEL_TOO_LARGE; MND_USAGE if the picture's scaling is not known
 */
export function convertOwnOnnx(bytes: Uint8Array, options: PictureOptions): OwnOnnxModel {
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
  const picture = findPicture(file, options);
  const end = findEnd(file);
  const { classes, scores } = end;
  const form: NumericForm = file.nodes.some(isQuantized) ? 'exact' : 'float32';
  const input = uniqueName(file, 'picture');
  const output = uniqueName(file, 'logits');
  const head: ClassifierHead = {
    kind: 'classifier',
    classes,
    scores,
    logits: { name: output, type: 'float32', scale: 1, zeroPoint: 0 },
  };
  const operators: Record<string, number> = {};
  for (const { opType } of file.nodes) operators[opType] = (operators[opType] ?? 0) + 1;
  return {
    onnx: wrapNetwork(file, picture, { input, end, output }),
    form,
    input: { name: input, sizes: [picture.size] },
    head,
    end,
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
