import { attributesOf, type OnnxWeights, weightsIn } from '../own-onnx/attributes.js';
import { constantValues } from '../own-onnx/constants.js';
import type { OnnxFile, OnnxNode } from '../own-onnx/parse.js';

/** A convolution that becomes integers, with the activation function behind it where that only cuts off. */
export interface IntegerConvolution {
  readonly node: OnnxNode;
  readonly input: string;
  /** What it gives: the result of {@link IntegerConvolution.cut} where there is one. */
  readonly output: string;
  /** A ReLU, or a Clip from 0 on, that the range of the stored values does the work of. */
  readonly cut: OnnxNode | null;
  /** [out, in of a group, height, width] */
  readonly weights: OnnxWeights;
  readonly bias: Float32Array | null;
  readonly groups: number;
}

export interface IntegerPlan {
  readonly convolutions: readonly IntegerConvolution[];
  /** Values that are stored as uint8. */
  readonly stored: ReadonlySet<string>;
}

/** Fewer channels make no integer kernel faster. */
const LEAST_CHANNELS = 8;

/**
 * What reads fewer sees the picture, or parts of it side by side: cheap, and worth being exact. [−1, 1] has no
 * whole zero point, so stored it would be half a step off everywhere.
 */
const LEAST_READ = 16;

/**
 * Which convolutions of a float network become integers: all with constant weights but the last on each way
 * to an output, whose numbers are what the network says, and those that read the picture.
 *
 * @throws MND_MODEL_OPERATOR for weights of another type than float32
 */
export function planIntegers(file: OnnxFile): IntegerPlan {
  const readers = readersOf(file);
  const outputs = new Set(file.outputs.map(({ name }) => name));
  const followed = followedValues(file);
  const single = (name: string): OnnxNode | null => {
    const [first, ...others] = readers.get(name) ?? [];
    return first === undefined || others.length > 0 || outputs.has(name) ? null : first;
  };
  const convolutions = file.nodes.flatMap((node): IntegerConvolution[] => {
    const [input = '', weightsName = '', biasName = ''] = node.inputs;
    const [result = ''] = node.outputs;
    if (node.opType !== 'Conv' || node.domain !== '' || !followed.has(result)) return [];
    const weights = weightsIn(file, weightsName);
    const bias = biasName === '' ? null : weightsIn(file, biasName);
    if (weights?.dims.length !== 4 || (weights.dims[0] ?? 0) < LEAST_CHANNELS) return [];
    if (biasName !== '' && bias === null) return [];
    const behind = single(result);
    const cut = behind !== null && cutsOff(file, behind) ? behind : null;
    const output = cut?.outputs[0] ?? result;
    const groups = attributesOf(node).integer('group', 1);
    if ((weights.dims[1] ?? 0) * groups < LEAST_READ) return [];
    return [{ node, input, output, cut, weights, bias: bias?.values ?? null, groups }];
  });
  const stored = new Set(convolutions.flatMap(({ input, output }) => [input, output]));
  return { convolutions, stored };
}

/** Value → the operators that read it. */
export function readersOf({ nodes }: OnnxFile): ReadonlyMap<string, readonly OnnxNode[]> {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of nodes) {
    for (const name of new Set(node.inputs)) {
      const list = readers.get(name);
      if (list === undefined) readers.set(name, [node]);
      else list.push(node);
    }
  }
  return readers;
}

/** Values that a convolution is still made of, in whatever order the operators stand. */
function followedValues({ nodes }: OnnxFile): ReadonlySet<string> {
  const followed = new Set<string>();
  for (let before = -1; before < followed.size; ) {
    before = followed.size;
    for (const { opType, inputs, outputs } of nodes.toReversed()) {
      const read = opType === 'Conv' ? inputs.slice(0, 1) : [];
      const passed = outputs.some((name) => followed.has(name)) ? inputs : read;
      for (const name of passed) followed.add(name);
    }
  }
  return followed;
}

function cutsOff(file: OnnxFile, node: OnnxNode): boolean {
  if (node.opType === 'Relu') return true;
  if (node.opType !== 'Clip') return false;
  const least = constantValues(file, node.inputs[1] ?? '')?.[0];
  return (least ?? attributesOf(node).float('min', Number.NaN)) === 0;
}
