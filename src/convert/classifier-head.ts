import { codedError } from '../errors.js';
import type { ClassifierHead, ScoreKind } from '../models/variant.js';
import type { Graph } from './graph.js';
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
