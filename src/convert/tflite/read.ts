import { codedError } from '../../errors.js';
import type { ScoreKind } from '../../models/variant.js';
import { requireClasses, requireLogits } from '../classifier-head.js';
import type { Graph, Operator } from '../graph.js';
import { INPUT_NAME, LOGITS_NAME } from '../names.js';
import { elementCount, tensorOf } from '../tensors.js';
import { operandOf, type ReadContext, unsupported } from './context.js';
import type { TfliteModel, TfliteOperator } from './model-types.js';
import { OPERATOR_READERS } from './operators.js';
import { addPicture, onlyTensor, type PicturePlan, reservedName } from './picture.js';

/** The end of a network: the tensor that holds its logits, and what makes scores of them. */
export interface TfliteEnd {
  readonly index: number;
  readonly scores: ScoreKind;
  /** Whether the network itself says what makes scores. */
  readonly explicit: boolean;
}

/** Operators that make scores; LOG_SOFTMAX makes their logarithms. */
const SQUASHING: Readonly<Record<string, ScoreKind>> = {
  SOFTMAX: 'softmax',
  LOG_SOFTMAX: 'softmax',
  LOGISTIC: 'sigmoid',
};

/** Operators behind the scores that change no value. */
const TRANSPARENT = ['QUANTIZE', 'DEQUANTIZE', 'RESHAPE', 'SQUEEZE'];
const REQUANTIZING = ['QUANTIZE', 'DEQUANTIZE'];

/**
 * The tensor that holds the logits: the output itself, or what is before a final SOFTMAX or LOGISTIC,
 * which is computed outside the network. QUANTIZE and DEQUANTIZE around it are left out as well: the
 * caller gets the scale and zero point instead.
 */
export function findLogits(model: TfliteModel): TfliteEnd {
  const { index } = onlyTensor(model, 'outputs');
  const last = behind(model, index, TRANSPARENT);
  const scores = SQUASHING[last?.name ?? ''];
  if (last !== undefined && scores !== undefined) {
    const beta = last.name === 'SOFTMAX' ? last.options.float32(0, 1) : 1;
    if (beta !== 1) throw unsupported(last, 'beta 1', `${beta}`);
    const input = operandOf({ model }, last, 'inputs', 0).index;
    return { index: before(model, input, REQUANTIZING), scores, explicit: true };
  }
  return { index: before(model, index, REQUANTIZING), scores: 'softmax', explicit: false };
}

/** The operator that makes a tensor, over some that change nothing; undefined for an input. */
function behind(model: TfliteModel, index: number, over: readonly string[]) {
  const start = before(model, index, over);
  return model.operators.find(({ outputs }) => outputs.includes(start));
}

/** The tensor before those operators. */
function before(model: TfliteModel, start: number, over: readonly string[]): number {
  let index = start;
  // Operators that wait for each other would keep this going for ever.
  for (let steps = 0; steps < 16; steps += 1) {
    const at = index;
    const producer = model.operators.find((operator) => operator.outputs.includes(at));
    if (producer === undefined || !over.includes(producer.name)) return index;
    index = operandOf({ model }, producer, 'inputs', 0).index;
  }
  return index;
}

/** Operators whose further inputs are shapes and axes, which the result's own shape says as well. */
const SHAPED = ['RESHAPE', 'SQUEEZE', 'EXPAND_DIMS'];

/**
 * The operators that some tensors depend on, in the order of the file, back to the picture. What
 * computes a shape (SHAPE, STRIDED_SLICE, PACK before a RESHAPE) is not among them.
 */
function operatorsBefore(
  model: TfliteModel,
  tensors: ReadonlyMap<number, string>,
  picture: number,
): TfliteOperator[] {
  const needed = new Set(tensors.keys());
  const found: TfliteOperator[] = [];
  for (const operator of model.operators.toReversed()) {
    if (!operator.outputs.some((output) => needed.has(output))) continue;
    if (operator.outputs.includes(picture)) continue;
    const inputs = SHAPED.includes(operator.name) ? operator.inputs.slice(0, 1) : operator.inputs;
    for (const input of inputs) needed.add(input);
    found.push(operator);
  }
  return found.reverse();
}

function readOperator(context: ReadContext, operator: TfliteOperator): void {
  const read = OPERATOR_READERS[operator.name];
  if (read === undefined && operator.name.endsWith('SOFTMAX')) {
    throw codedError('MND_MODEL_OPERATOR', {
      subject: `operator ${operator.index} (${operator.name})`,
      expected: 'a softmax as the last operator',
      found: 'one that other operators follow',
      next: 'export the network with its softmax at the end, and what follows it left out',
    });
  }
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
export function readGraph(
  model: TfliteModel,
  outputs: ReadonlyMap<number, string>,
  plan: PicturePlan,
): Graph {
  const inputIndex = plan.source.index;
  const context = createContext(model, new Map([...outputs, [inputIndex, reservedName(plan)]]));
  addPicture(context, plan);
  for (const operator of operatorsBefore(model, outputs, inputIndex)) {
    readOperator(context, operator);
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

/** The graph of a classifier and what makes scores of its output. */
export interface TfliteClassifier {
  readonly graph: Graph;
  readonly scores: ScoreKind;
}

/**
 * The graph of a TFLite classifier: a square RGB picture called `input` in, one output [1, classes]
 * called `logits`. A final softmax or sigmoid is left out.
 *
 * Throws MND_MODEL_INVALID, MND_MODEL_OPERATOR or MND_MODEL_SHAPE, naming the operator or the tensor.
 */
export function classifierGraph(model: TfliteModel, plan: PicturePlan): TfliteClassifier {
  const { index, scores, explicit } = findLogits(model);
  const graph = flatLogits(readGraph(model, new Map([[index, LOGITS_NAME]]), plan));
  if (!explicit) requireLogits(graph, LOGITS_NAME);
  const { shape } = tensorOf(graph, LOGITS_NAME);
  if (shape.length !== 2) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model output',
      expected: 'one row of scores, [1, classes]',
      found: `[${shape.join(', ')}]`,
    });
  }
  requireClasses(shape[1] ?? 0, scores);
  return { graph, scores };
}

/** [1, 1, 1, classes] as [1, classes]. */
function flatLogits(graph: Graph): Graph {
  const logits = tensorOf(graph, LOGITS_NAME);
  const classes = logits.shape.at(-1) ?? 0;
  if (logits.shape.length === 2 || elementCount(logits.shape) !== classes) return graph;
  const name = `${LOGITS_NAME}:pixel`;
  const rename = (operator: Operator): Operator =>
    operator.output === LOGITS_NAME ? { ...operator, output: name } : operator;
  return {
    ...graph,
    tensors: new Map([
      ...graph.tensors,
      [name, { ...logits, name }],
      [LOGITS_NAME, { ...logits, shape: [1, classes] }],
    ]),
    operators: [
      ...graph.operators.map(rename),
      { kind: 'reshape', input: name, output: LOGITS_NAME },
    ],
  };
}
