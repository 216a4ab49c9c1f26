import { codedError } from '../../errors.js';
import type { Graph } from '../graph.js';
import { addActivation, operandOf, type ReadContext, unsupported } from './context.js';
import { parseTflite, type TfliteModel, type TfliteOperator } from './model.js';
import { OPERATOR_READERS } from './operators.js';

/** Name of the picture input of every converted model. */
export const INPUT_NAME = 'input';

/** Name of the output of a converted classifier. */
export const LOGITS_NAME = 'logits';

function onlyTensor(model: TfliteModel, list: 'inputs' | 'outputs'): number {
  const [index] = model[list];
  if (index === undefined || model[list].length !== 1) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'TFLite file',
      expected: `a model with one ${list === 'inputs' ? 'input' : 'output'}`,
      found: `${model[list].length}`,
    });
  }
  return index;
}

function addPictureInput(context: ReadContext, index: number): void {
  const source = context.model.tensors[index];
  const [batch, height, width, channels] = source?.shape ?? [];
  if (
    source === undefined ||
    source.shape.length !== 4 ||
    batch !== 1 ||
    channels !== 3 ||
    height === undefined ||
    height !== width
  ) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model input',
      expected: 'one square RGB picture [1, size, size, 3]',
      found: `[${(source?.shape ?? []).join(', ')}]`,
    });
  }
  const input = addActivation(context, 'model input', source);
  if (input.type !== 'uint8') {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model input',
      expected: 'a quantized picture (uint8 or int8)',
      found: input.type,
    });
  }
}

/**
 * The tensor that holds the logits: the output itself, or what is before a final SOFTMAX, which is
 * computed outside the network.
 */
function findLogits(model: TfliteModel): number {
  const index = onlyTensor(model, 'outputs');
  const producer = model.operators.find((operator) => operator.outputs.includes(index));
  if (producer?.name !== 'SOFTMAX') return index;
  const beta = producer.options.float32(0, 1);
  if (beta !== 1) throw unsupported(producer, 'beta 1', `${beta}`);
  return operandOf({ model }, producer, 'inputs', 0).index;
}

/** The operators that a tensor depends on, in the order of the file. */
function operatorsBefore(model: TfliteModel, index: number): TfliteOperator[] {
  const needed = new Set([index]);
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
 * Reads a TFLite classifier into the graph: a quantized one with a square RGB input called `input`
 * and one output [1, classes] called `logits`. A final softmax is left out.
 *
 * Throws MND_MODEL_TRUNCATED, MND_MODEL_INVALID, MND_MODEL_OPERATOR, MND_MODEL_SHAPE or
 * MND_MODEL_TOO_LARGE, naming the operator, the tensor or the offset.
 */
export function readTfliteClassifier(file: Uint8Array): Graph {
  const model = parseTflite(file);
  const inputIndex = onlyTensor(model, 'inputs');
  const index = findLogits(model);
  const reserved = new Map([
    [index, LOGITS_NAME],
    [inputIndex, INPUT_NAME],
  ]);
  const context = createContext(model, reserved);
  addPictureInput(context, inputIndex);
  for (const operator of operatorsBefore(model, index)) readOperator(context, operator);
  const logits = context.tensors.get(LOGITS_NAME);
  if (logits === undefined || index === inputIndex) {
    throw codedError('MND_MODEL_INVALID', {
      subject: 'model output',
      expected: 'a tensor that an operator computes',
      found: `tensor ${index}`,
    });
  }
  if (logits.shape.length !== 2) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model output',
      expected: '[1, classes]',
      found: `[${logits.shape.join(', ')}]`,
    });
  }
  const { tensors, operators } = context;
  return { tensors, operators, inputs: [INPUT_NAME], outputs: [LOGITS_NAME] };
}
