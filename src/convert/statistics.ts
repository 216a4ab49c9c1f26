import type { Graph } from './graph.js';
import { type LayerReport, layersOf } from './layers.js';

/** Counts of a graph, as a conversion reports them. */
export interface GraphStatistics {
  /** Operators by kind; depthwise convolutions are counted apart. */
  readonly operators: Readonly<Record<string, number>>;
  /** Weights and biases of all convolutions. */
  readonly parameters: number;
  /** Millions of multiply-adds of one inference; null if a size is only known at run time. */
  readonly multAdds: number | null;
  readonly layers: readonly LayerReport[];
}

/** Counts a graph's operators, parameters and multiply-adds. */
export function graphStatistics(graph: Graph): GraphStatistics {
  const layers = layersOf(graph);
  const operators: Record<string, number> = {};
  let parameters = 0;
  let multAdds = 0;
  const fixed = layers.every((layer) => layer.multAdds !== null);
  for (const layer of layers) {
    operators[layer.kind] = (operators[layer.kind] ?? 0) + 1;
    parameters += layer.parameters;
    multAdds += layer.multAdds ?? 0;
  }
  return {
    operators,
    parameters,
    multAdds: fixed ? multAdds / 1e6 : null,
    layers,
  };
}
