import { codedError } from '../errors.js';
import type { Graph, Operator } from './graph.js';
import { tensorOf } from './tensors.js';

/**
 * Makes height and width of all activations unknown (−1), so that one file serves any input size.
 *
 * @throws MND_MODEL_OPERATOR unless every operator works at any size: convolutions with padding
 *   `same`, additions and the picture's normalisation
 */
export function freeSize(graph: Graph): Graph {
  const fixed = graph.operators.find((operator) => !worksAtAnySize(graph, operator));
  if (fixed !== undefined) {
    throw codedError('MND_MODEL_OPERATOR', {
      subject: `operator ${fixed.kind} to ${fixed.output}`,
      expected: 'convolutions with padding SAME and additions only',
    });
  }
  const tensors = new Map(
    [...graph.tensors].map(([name, tensor]) => {
      const [batch = 1, , , channels = 1] = tensor.shape;
      const free = tensor.data === null && tensor.shape.length === 4;
      return [name, free ? { ...tensor, shape: [batch, -1, -1, channels] } : tensor] as const;
    }),
  );
  return { ...graph, tensors };
}

const SIZELESS: readonly Operator['kind'][] = ['add', 'normalize', 'picture'];

function worksAtAnySize(graph: Graph, operator: Operator): boolean {
  if (operator.kind !== 'conv') return SIZELESS.includes(operator.kind);
  const { shape } = tensorOf(graph, operator.weights);
  const kernel = operator.depthwise ? shape.slice(0, 2) : shape.slice(1, 3);
  // Over single pixels both paddings are the same.
  return operator.padding === 'same' || (operator.padding === 'valid' && kernel.join() === '1,1');
}
