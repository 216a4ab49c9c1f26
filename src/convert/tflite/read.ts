import { codedError } from '../../errors.js';
import type { Graph } from '../graph.js';
import { tensorOf } from '../tensors.js';
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
 * computed outside the network. QUANTIZE and DEQUANTIZE around it are left out as well: the caller
 * gets the scale and zero point instead.
 */
function findLogits(model: TfliteModel): number {
  let index = onlyTensor(model, 'outputs');
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

/** Products of 255 and the scale of a picture that is stored as it is: [0, 1], [−1, 1], [0, 255]. */
const PICTURE_SPANS = [1, 2, 255];

/**
 * The tensor that the picture's bytes are: the input, or what QUANTIZE makes of a float32 input. A
 * float32 input is fed normalized pictures by its own rules, but once quantized its stored values
 * are 0 to 255 again; that must show in the scale.
 */
function findPicture(model: TfliteModel): number {
  const index = onlyTensor(model, 'inputs');
  if (model.tensors[index]?.type !== 'float32') return index;
  const readers = model.operators.filter((operator) => operator.inputs.includes(index));
  const [quantize] = readers;
  if (quantize?.name !== 'QUANTIZE' || readers.length !== 1) return index;
  const output = operandOf({ model }, quantize, 'outputs', 0);
  const span = 255 * (output.scale[0] ?? 0);
  if (!PICTURE_SPANS.some((wanted) => Math.abs(span - wanted) < 0.02 * wanted)) {
    throw unsupported(
      quantize,
      'a picture over the whole range of its bytes',
      `a range of ${span}`,
    );
  }
  return output.index;
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
 */
export function readGraph(model: TfliteModel, outputs: ReadonlyMap<number, string>): Graph {
  const inputIndex = findPicture(model);
  const context = createContext(model, new Map([...outputs, [inputIndex, INPUT_NAME]]));
  addPictureInput(context, inputIndex);
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
 * The graph of a TFLite classifier: a quantized one with a square RGB input called `input` and one
 * output [1, classes] called `logits`. A final softmax is left out.
 *
 * Throws MND_MODEL_INVALID, MND_MODEL_OPERATOR or MND_MODEL_SHAPE, naming the operator or the tensor.
 */
export function classifierGraph(model: TfliteModel): Graph {
  const graph = readGraph(model, new Map([[findLogits(model), LOGITS_NAME]]));
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

/** Parses a file and reads it by {@link classifierGraph}. Throws what parseTflite throws, too. */
export function readTfliteClassifier(file: Uint8Array): Graph {
  return classifierGraph(parseTflite(file));
}
