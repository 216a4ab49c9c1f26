import { codedError } from '../../errors.js';
import type { Graph } from '../graph.js';
import { tensorOf } from '../tensors.js';
import { operandOf, type ReadContext, unsupported } from './context.js';
import type { TfliteModel, TfliteOperator } from './model-types.js';
import { OPERATOR_READERS } from './operators.js';
import {
  addPicture,
  findPicture,
  INPUT_NAME,
  onlyTensor,
  type PictureScaling,
  reservedName,
} from './picture.js';

/** Name of the output of a converted classifier. */
export const LOGITS_NAME = 'logits';

/**
 * The tensor that holds the logits: the output itself, or what is before a final SOFTMAX, which is
 * computed outside the network. QUANTIZE and DEQUANTIZE around it are left out as well: the caller
 * gets the scale and zero point instead.
 */
function findLogits(model: TfliteModel): number {
  let { index } = onlyTensor(model, 'outputs');
  const seen = new Set<TfliteOperator>();
  const left = new Set<string>(['QUANTIZE', 'DEQUANTIZE', 'SOFTMAX']);
  for (;;) {
    const producer = model.operators.find((operator) => operator.outputs.includes(index));
    if (producer === undefined || !left.has(producer.name)) return index;
    if (producer.name === 'SOFTMAX') {
      const beta = producer.options.float32(0, 1);
      if (beta !== 1) throw unsupported(producer, 'beta 1', `${beta}`);
      left.delete('SOFTMAX');
    }
    // Operators that wait for each other would keep this going for ever.
    if (seen.has(producer)) return index;
    seen.add(producer);
    index = operandOf({ model }, producer, 'inputs', 0).index;
  }
}

/** The operators that some tensors depend on, in the order of the file. */
function operatorsBefore(
  model: TfliteModel,
  tensors: ReadonlyMap<number, string>,
): TfliteOperator[] {
  const needed = new Set(tensors.keys());
  const found: TfliteOperator[] = [];
  for (const operator of model.operators.toReversed()) {
    if (!operator.outputs.some((output) => needed.has(output))) continue;
    for (const input of operator.inputs) needed.add(input);
    found.push(operator);
  }
  return found.reverse();
}

function readOperator(context: ReadContext, operator: TfliteOperator): void {
  const read = OPERATOR_READERS[operator.name];
  if (read === undefined) {
    throw unsupported(
      operator,
      `one of ${Object.keys(OPERATOR_READERS).join(', ')}`,
      operator.name,
    );
  }
  read(context, operator);
}

function createContext(model: TfliteModel, reserved: ReadonlyMap<number, string>): ReadContext {
  const taken = new Set(reserved.values());
  return {
    model,
    tensors: new Map(),
    operators: [],
    names: new Map(),
    pads: new Map(),
    reserved,
    uniqueName(wanted) {
      const base = wanted === '' ? 'tensor' : wanted;
      const name = taken.has(base) ? `${base}#${taken.size}` : base;
      taken.add(name);
      return name;
    },
  };
}

/**
 * Reads the part of a model between its picture and some of its tensors. These become outputs under
 * the given names, the picture becomes the input {@link INPUT_NAME}.
 *
 * @param scaling how pixels become the real numbers of a float32 input; [−1, 1] unless given
 */
export function readGraph(
  model: TfliteModel,
  outputs: ReadonlyMap<number, string>,
  scaling?: PictureScaling,
): Graph {
  const picture = findPicture(model);
  const inputIndex = picture.index;
  const context = createContext(model, new Map([...outputs, [inputIndex, reservedName(picture)]]));
  addPicture(context, picture, scaling);
  for (const operator of operatorsBefore(model, outputs)) {
    if (!operator.outputs.includes(inputIndex)) readOperator(context, operator);
  }
  for (const [index, name] of outputs) {
    if (context.tensors.has(name)) continue;
    throw codedError('MND_MODEL_INVALID', {
      subject: 'model output',
      expected: 'a tensor that an operator computes',
      found: `tensor ${index}`,
    });
  }
  const { tensors, operators } = context;
  return { tensors, operators, inputs: [INPUT_NAME], outputs: [...outputs.values()] };
}

/**
 * The graph of a TFLite classifier: a square RGB picture called `input` in, one output [1, classes]
 * called `logits`. A final softmax is left out.
 *
 * Throws MND_MODEL_INVALID, MND_MODEL_OPERATOR or MND_MODEL_SHAPE, naming the operator or the tensor.
 */
export function classifierGraph(model: TfliteModel, scaling?: PictureScaling): Graph {
  const graph = readGraph(model, new Map([[findLogits(model), LOGITS_NAME]]), scaling);
  const { shape } = tensorOf(graph, LOGITS_NAME);
  if (shape.length !== 2) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model output',
      expected: '[1, classes]',
      found: `[${shape.join(', ')}]`,
    });
  }
  return graph;
}
