import type { Graph } from './graph.js';
import { constantOf, elementCount, tensorOf } from './tensors.js';

/** Counts of a graph, as a conversion reports them. */
export interface GraphStatistics {
  /** Operators by kind; depthwise convolutions are counted apart. */
  readonly operators: Readonly<Record<string, number>>;
  /** Weights and biases of all convolutions. */
  readonly parameters: number;
  /** Millions of multiply-adds of one inference; null if a size is only known at run time. */
  readonly multAdds: number | null;
}

/**
 * Counts a graph's operators, parameters and multiply-adds. A convolution's multiply-adds are its
 * output values times the weights that make up one of them; biases and activations are not counted,
 * as in the MobileNet paper (arXiv 1704.04861, §3.1).
 */
export function graphStatistics(graph: Graph): GraphStatistics {
  const operators: Record<string, number> = {};
  let parameters = 0;
  let multAdds = 0;
  let fixed = true;
  for (const operator of graph.operators) {
    const depthwise = operator.kind === 'conv' && operator.depthwise;
    const kind = depthwise ? 'depthwise-conv' : operator.kind;
    operators[kind] = (operators[kind] ?? 0) + 1;
    if (operator.kind !== 'conv') continue;
    const weights = constantOf(tensorOf(graph, operator.weights)).length;
    const { shape } = tensorOf(graph, operator.output);
    parameters += weights;
    if (operator.bias !== null) parameters += constantOf(tensorOf(graph, operator.bias)).length;
    const outputs = elementCount(shape);
    if (outputs < 0) fixed = false;
    multAdds += outputs * (weights / (shape[3] ?? 1));
  }
  return { operators, parameters, multAdds: fixed ? multAdds / 1e6 : null };
}
