import { type Graph, operatorInputs } from './graph.js';
import { layersOf } from './layers.js';
import { tensorOf } from './tensors.js';

/**
 * Where the tail of a classifier begins: the operators at its end whose results are a single vector.
 * They cost next to nothing, and the mean of a map has finer steps than the map, so they stay real.
 */
export function tailOf(graph: Graph): number {
  let start = graph.operators.length;
  for (const [index, operator] of [...graph.operators.entries()].reverse()) {
    const { shape } = tensorOf(graph, operator.output);
    const isVector = shape.slice(1, -1).every((side) => side === 1);
    const input = operatorInputs(operator)[0] ?? '';
    const fromVector = tensorOf(graph, input)
      .shape.slice(1, -1)
      .every((side) => side === 1);
    // A network that ends in a map has no tail; one of a single convolution over all is none either.
    if (!isVector || graph.outputs.length > 1) break;
    start = index;
    if (!fromVector) break;
  }
  return start;
}

/** What belongs to the head: maps with more than this share of the picture's rows, of so few channels. */
const HEAD_ROWS = 1 / 8;
const HEAD_CHANNELS = 32;
/** Share of the multiply-adds that the head may have. */
const MOST_IN_HEAD = 1 / 3;

/**
 * Where the head of a classifier ends: its first operators, which see a large picture in few channels. They are
 * hardly slower in real numbers, and what rounding their results loses is what all others start from.
 *
 * @param end where the tail begins
 */
export function headOf(graph: Graph, end: number): number {
  const [, rows = 0] = tensorOf(graph, graph.inputs[0] ?? '').shape;
  const work = new Map(layersOf(graph).map(({ name, multAdds }) => [name, multAdds ?? 0]));
  const total = [...work.values()].reduce((sum, own) => sum + own, 0);
  let done = 0;
  let start = 0;
  for (const { output } of graph.operators.slice(0, end - 1)) {
    const [, height = 0, , channels = 0] = tensorOf(graph, output).shape;
    done += work.get(output) ?? 0;
    const fits = height > HEAD_ROWS * rows && channels <= HEAD_CHANNELS;
    if (!fits || done > MOST_IN_HEAD * total) break;
    start += 1;
  }
  // What only turns bytes into numbers is no head.
  return graph.operators.slice(0, start).some(({ kind }) => kind === 'conv') ? start : 0;
}
