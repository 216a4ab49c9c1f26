import { codedError } from '../errors.js';
import type { ClassifierHead, ScoreKind } from '../models/variant.js';
import { type Graph, type Operator, operatorInputs } from './graph.js';
import { scalarQuantization, tensorOf } from './tensors.js';

/**
 * Refuses a network of one number: a score if a sigmoid makes it one, else a measure of something.
 *
 * @throws MND_MODEL_SHAPE
 */
export function requireClasses(classes: number, scores: ScoreKind): void {
  if (classes >= 2 || (classes === 1 && scores === 'sigmoid')) return;
  throw codedError('MND_MODEL_SHAPE', {
    subject: 'model output',
    expected: 'scores of several classes, or one that a sigmoid makes a probability',
    found: 'one number without a sigmoid: this looks like a regression, which names nothing',
  });
}

/** The head of a classifier graph whose one output is [1, classes]. */
export function classifierHead(graph: Graph, name: string, scores: ScoreKind): ClassifierHead {
  const logits = tensorOf(graph, name);
  const quantized = logits.type === 'uint8';
  return {
    kind: 'classifier',
    classes: logits.shape[1] ?? 0,
    scores,
    logits: {
      name,
      type: quantized ? 'uint8' : 'float32',
      ...(quantized ? scalarQuantization(logits) : { scale: 1, zeroPoint: 0 }),
    },
  };
}

/** Operators without weights, through which scores still show. */
const SEEN_THROUGH = new Set<Operator['kind']>([
  'add',
  'mul',
  'activation',
  'hard-swish',
  'max-pool',
  'global-average-pool',
  'reshape',
  'requantize',
]);

/**
 * Refuses a network whose output is not logits though no softmax or sigmoid ends it: something is done to
 * scores behind a sigmoid.
 *
 * @throws MND_MODEL_SHAPE
 */
export function requireLogits({ operators }: Graph, output: string): void {
  const makers = new Map(operators.map((operator) => [operator.output, operator]));
  const pending = [output];
  const seen = new Set<string>();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const maker = makers.get(name);
    if (maker === undefined || seen.has(name)) continue;
    seen.add(name);
    if (maker.kind === 'sigmoid') {
      throw codedError('MND_MODEL_SHAPE', {
        subject: 'model output',
        expected: 'logits, or scores of a softmax or sigmoid as they are',
        found: 'scores of a sigmoid that something else is done to',
        next: 'export the network with its softmax or sigmoid as the last operator',
      });
    }
    if (SEEN_THROUGH.has(maker.kind)) pending.push(...operatorInputs(maker));
  }
}
