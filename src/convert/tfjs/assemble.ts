import { codedError } from '../../errors.js';
import type { Graph, Operator, Tensor, TensorData } from '../graph.js';
import type { AddDraft, ConvDraft, Draft } from './fold.js';
import { quote } from './json.js';

const PICTURE = 'input';

/** Turns finished drafts (in topological order) into a graph. */
export function assembleGraph(
  input: Draft,
  normalisation: { readonly scale: number; readonly offset: number },
  drafts: readonly (ConvDraft | AddDraft)[],
  outputs: readonly string[],
  values: ReadonlyMap<string, Draft>,
): Graph {
  const tensors = new Map<string, Tensor>();
  const activation = (name: string, type: 'uint8' | 'float32', channels: number) => {
    tensors.set(name, { name, type, shape: [1, -1, -1, channels], quantization: null, data: null });
  };
  activation(PICTURE, 'uint8', input.channels);
  activation(input.output, 'float32', input.channels);
  const constant = (name: string, shape: readonly number[], data: TensorData) => {
    tensors.set(name, { name, type: 'float32', shape, quantization: null, data });
    return name;
  };
  const operators = drafts.map((draft): Operator => {
    const { output, channels } = draft;
    activation(output, 'float32', channels);
    if (draft.kind === 'add') {
      const [left, right] = draft.inputs;
      return {
        kind: 'add',
        inputs: [left.output, right.output],
        output,
        activation: draft.activation,
      };
    }
    return {
      kind: 'conv',
      input: draft.input.output,
      weights: constant(`${output}/weights`, draft.shape, draft.weights),
      bias: draft.bias === null ? null : constant(`${output}/bias`, [channels], draft.bias),
      output,
      depthwise: draft.depthwise,
      ...draft.geometry,
      activation: draft.activation,
    };
  });
  return {
    tensors,
    operators: [
      {
        kind: 'normalize',
        input: PICTURE,
        output: input.output,
        scale: [normalisation.scale],
        offset: [normalisation.offset],
      },
      ...operators,
    ],
    inputs: [PICTURE],
    outputs: outputs.map((name) => finalName(name, values)),
  };
}

/** An output of the cut must be the end of what was folded together. */
function finalName(name: string, values: ReadonlyMap<string, Draft>): string {
  if (values.get(name)?.output === name) return name;
  throw codedError('MND_MODEL_OPERATOR', {
    subject: `output ${quote(name)}`,
    expected: 'a value of its own',
    found: 'one inside a folded convolution',
  });
}
