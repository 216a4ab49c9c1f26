import { codedError } from '../errors.js';
import { type ConvOperator, type Graph, operatorInputs, type Tensor } from './graph.js';
import { constantOf, tensorOf } from './tensors.js';

/** Divisors of each channel, under the name of a group's first activation. */
export type ChannelScales = ReadonlyMap<string, readonly number[]>;

/**
 * How much of the difference between channels goes into the weights that read them. Half of it is best for
 * what was seen (Nagel et al. 2019, "Data-Free Quantization", §4.1). Behind a ReLU6 it is less: many of those
 * channels stand for things of which the pictures had few, and on other pictures reach further. Each keeps
 * room above what was seen, the more the less that was.
 */
export const POWER = 0.5;
export const POWER_BEHIND_RELU6 = 0.2;

/**
 * Activations that may be rescaled channel by channel without changing what the network computes:
 * results of convolutions and sums without an activation function, as long as they are no outputs.
 * Those that additions join must share their scales and form one group, in the graph's order.
 */
export function equalizableGroups(graph: Graph): readonly (readonly string[])[] {
  const groupOf = new Map<string, Set<string>>();
  const linear = new Set<string>();
  // What anything else reads must stay as it is.
  const fixed = new Set(
    graph.operators
      .filter(({ kind }) => kind !== 'conv' && kind !== 'add')
      .flatMap((operator) => operatorInputs(operator)),
  );
  for (const operator of graph.operators) {
    if (operator.kind !== 'conv' && operator.kind !== 'add') continue;
    const { output, activation } = operator;
    if (activation === 'none' && !graph.outputs.includes(output)) linear.add(output);
    const joined = operator.kind === 'add' ? [...operator.inputs] : [];
    const members = new Set(joined.flatMap((name) => [...(groupOf.get(name) ?? [name])]));
    members.add(output);
    for (const name of members) groupOf.set(name, members);
  }
  return [...new Set(groupOf.values())]
    .map((members) => graph.operators.map(({ output }) => output).filter((o) => members.has(o)))
    .filter((group) => group.every((name) => linear.has(name) && !fixed.has(name)));
}

/**
 * Results of convolutions with ReLU or ReLU6 that nothing but convolutions reads: their channels may be
 * rescaled one by one as well. ReLU6 then cuts a channel off at six times its divisor, so divisors of
 * those are at most 1, and no less than a sixth of what the channel reaches.
 */
export function rectifiedConvolutions(graph: Graph): readonly string[] {
  const elsewhere = new Set(
    graph.operators.filter(({ kind }) => kind !== 'conv').flatMap(operatorInputs),
  );
  return graph.operators.flatMap((operator) =>
    operator.kind === 'conv' &&
    operator.activation !== 'none' &&
    !elsewhere.has(operator.output) &&
    !graph.outputs.includes(operator.output)
      ? [operator.output]
      : [],
  );
}

/** All that may be rescaled: groups of linear results, and single ones behind ReLU. */
export function rescalableGroups(graph: Graph): readonly (readonly string[])[] {
  return [...equalizableGroups(graph), ...rectifiedConvolutions(graph).map((name) => [name])];
}

/**
 * Divides activations channel by channel and multiplies the weights that read them, so that
 * channels of very different ranges can share one quantization (the idea of Nagel et al. 2019,
 * "Data-Free Quantization", §4.1, applied to activations). In exact arithmetic the network's
 * outputs do not change.
 *
 * @throws MND_MODEL_MISMATCH unless the scales are positive and belong to {@link rescalableGroups}
 */
export function equalizeGraph(graph: Graph, scales: ChannelScales): Graph {
  const scalesOf = spreadOverGroups(graph, scales);
  const tensors = new Map(graph.tensors);
  for (const operator of graph.operators) {
    if (operator.kind !== 'conv') continue;
    const divisors = scalesOf.get(operator.output);
    const factors = scalesOf.get(operator.input);
    if (divisors === undefined && factors === undefined) continue;
    const weights = tensorOf(graph, operator.weights);
    tensors.set(weights.name, rescaleWeights(operator, weights, divisors, factors));
    if (operator.bias !== null && divisors !== undefined) {
      const bias = tensorOf(graph, operator.bias);
      const data = Float32Array.from(constantOf(bias), (value, channel) => {
        return value / (divisors[channel] ?? 1);
      });
      tensors.set(bias.name, { ...bias, data });
    }
  }
  return { ...graph, tensors };
}

/** Weights are [out, height, width, in], depthwise [height, width, out]. */
function rescaleWeights(
  { depthwise }: ConvOperator,
  weights: Tensor,
  divisors: readonly number[] | undefined,
  factors: readonly number[] | undefined,
): Tensor {
  const data = Float32Array.from(constantOf(weights));
  const outputs = weights.shape[depthwise ? 2 : 0] ?? 1;
  const inputs = depthwise ? (factors?.length ?? outputs) : (weights.shape[3] ?? 1);
  const perOutput = data.length / outputs;
  for (let i = 0; i < data.length; i++) {
    const output = depthwise ? i % outputs : Math.floor(i / perOutput);
    const input = depthwise ? Math.floor((output * inputs) / outputs) : i % inputs;
    data[i] = ((data[i] ?? 0) * (factors?.[input] ?? 1)) / (divisors?.[output] ?? 1);
  }
  return { ...weights, data };
}

function spreadOverGroups(graph: Graph, scales: ChannelScales): ChannelScales {
  const result = new Map<string, readonly number[]>();
  const unknown = new Set(scales.keys());
  for (const group of rescalableGroups(graph)) {
    const first = group[0] ?? '';
    const own = scales.get(first);
    unknown.delete(first);
    if (own === undefined) continue;
    const channels = tensorOf(graph, first).shape.at(-1);
    if (own.length !== channels || !own.every((value) => value > 0)) {
      throw mismatch(first, `${channels} positive scales`);
    }
    for (const name of group) result.set(name, own);
  }
  for (const name of unknown) throw mismatch(name, 'scales for linear activations only');
  return result;
}

function mismatch(name: string, expected: string) {
  return codedError('MND_MODEL_MISMATCH', {
    subject: `channel scales of ${name.slice(0, 120)}`,
    expected,
    found: 'a calibration of another model',
  });
}
