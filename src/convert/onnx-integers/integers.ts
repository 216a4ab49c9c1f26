import { UNCHANGED, type WeightChanges } from '../converted-model.js';
import { type EncodedNode, encodeNode, encodeRawTensor } from '../own-onnx/encode.js';
import type { OnnxFile, OnnxNode } from '../own-onnx/parse.js';
import { type IntegerConvolution, type IntegerPlan, readersOf } from './plan.js';
import { nodeField, nodeLike, rebuilt } from './rebuild.js';
import { type ChannelRanges, type StoredScale, storedScales } from './stored-scales.js';
import { integerWeights } from './weights.js';

/** TensorProto.DataType */
const TYPE = { float32: 1, uint8: 2, int8: 3, int32: 6 } as const;

export interface IntegerFile extends WeightChanges {
  readonly onnx: Uint8Array;
}

/**
 * Makes the convolutions of a plan integers (QLinearConv, which operator set 10 has): what they read is
 * stored as uint8 once, what one gives goes to the next as it is, and becomes real numbers where another
 * operator reads it. Everything else of the file stays as it is.
 *
 * @param ranges of all values that the plan stores
 * @param reduced see the numeric form of that name
 */
export function makeIntegers(
  file: OnnxFile,
  plan: IntegerPlan,
  ranges: ReadonlyMap<string, ChannelRanges>,
  reduced: boolean,
): IntegerFile {
  return new IntegerWriter(file, plan, ranges, reduced).write();
}

class IntegerWriter {
  readonly #file: OnnxFile;
  readonly #plan: IntegerPlan;
  readonly #ranges: ReadonlyMap<string, ChannelRanges>;
  readonly #reduced: boolean;
  readonly #scales: ReadonlyMap<string, StoredScale>;
  readonly #prefix: string;
  readonly #nodes: Uint8Array[] = [];
  readonly #constants: Uint8Array[] = [];
  readonly #read = new Set<string>();
  /** Value → the name that it has as uint8. */
  readonly #stored = new Map<string, string>();
  #changes: WeightChanges = UNCHANGED;

  constructor(
    file: OnnxFile,
    plan: IntegerPlan,
    ranges: ReadonlyMap<string, ChannelRanges>,
    reduced: boolean,
  ) {
    this.#file = file;
    this.#plan = plan;
    this.#ranges = ranges;
    this.#reduced = reduced;
    this.#scales = storedScales(plan, ranges);
    this.#prefix = unusedPrefix(file);
    for (const { output } of plan.convolutions) this.#nameStored(output);
  }

  write(): IntegerFile {
    const { convolutions } = this.#plan;
    const planned = new Map(convolutions.map((one) => [one.node, one]));
    const cuts = new Set(convolutions.map(({ cut }) => cut));
    const needed = this.#realValues(planned);
    for (const node of this.#file.nodes) {
      const convolution = planned.get(node);
      if (convolution !== undefined) this.#convolve(convolution, needed);
      else if (!cuts.has(node)) this.#keep(node);
    }
    const onnx = rebuilt(this.#file, this.#nodes, this.#read, this.#constants);
    return { onnx, ...this.#changes };
  }

  /** Values that an output or an operator other than the integer convolutions needs. */
  #realValues(planned: ReadonlyMap<OnnxNode, unknown>): ReadonlySet<string> {
    const needed = new Set(this.#file.outputs.map(({ name }) => name));
    for (const [name, readers] of readersOf(this.#file)) {
      if (readers.some((node) => !planned.has(node))) needed.add(name);
    }
    return needed;
  }

  #nameStored(value: string): string {
    const name = this.#stored.get(value) ?? `${this.#prefix}:${this.#stored.size}`;
    this.#stored.set(value, name);
    return name;
  }

  #keep(node: OnnxNode): void {
    this.#nodes.push(node.raw);
    for (const name of node.inputs) this.#read.add(name);
  }

  #convolve(convolution: IntegerConvolution, needed: ReadonlySet<string>): void {
    const { node, input, output } = convolution;
    const [from, to] = [this.#scaleOf(input), this.#scaleOf(output)];
    const range = this.#ranges.get(input) ?? { low: [], high: [], mean: [] };
    const weights = integerWeights(convolution, from, range, to, this.#reduced);
    const channels = [weights.scales.length];
    const read = this.#storedInput(input);
    const result = this.#nameStored(output);
    const constant = (
      part: string,
      type: keyof typeof TYPE,
      dims: readonly number[],
      values: ArrayBufferView,
    ) => this.#constant(`${result}:${part}`, type, dims, values);
    const inputs = [
      read,
      ...this.#parameters(read, from),
      constant('weights', 'int8', convolution.weights.dims, weights.stored),
      constant('weight-scale', 'float32', channels, weights.scales),
      constant('weight-zero', 'int8', channels, new Int8Array(weights.scales.length)),
      ...this.#parameters(result, to),
      constant('bias', 'int32', channels, weights.bias),
    ];
    this.#nodes.push(nodeField(nodeLike(node, 'QLinearConv', inputs, result)));
    if (needed.has(output)) this.#restore(result, to, output);
    const { raisedChannels, rescaledChannels, largestWeightError } = this.#changes;
    this.#changes = {
      raisedChannels: raisedChannels + weights.raisedChannels,
      rescaledChannels: rescaledChannels + to.divisors.filter((divisor) => divisor !== 1).length,
      largestWeightError: Math.max(largestWeightError, weights.largestError),
    };
  }

  /**
   * Real numbers of a stored value, under its own name. Its channels' factors are multiplied in by themselves:
   * onnxruntime fuses quantizing operators with several scales into what takes one only.
   */
  #restore(stored: string, scale: StoredScale, output: string): void {
    const even = isEven(scale) ? output : `${stored}:real`;
    const inputs = [stored, ...this.#parameters(stored, scale)];
    this.#add({ opType: 'DequantizeLinear', inputs, output: even });
    if (even !== output) {
      const factors = this.#factors(`${stored}:factors`, scale.divisors);
      this.#add({ opType: 'Mul', inputs: [even, factors], output });
    }
  }

  /** The name of a value as uint8, which is made of it where it is read first. */
  #storedInput(name: string): string {
    const known = this.#stored.get(name);
    if (known !== undefined) return known;
    const output = this.#nameStored(name);
    const scale = this.#scaleOf(name);
    this.#read.add(name);
    const even = isEven(scale) ? name : `${output}:even`;
    if (even !== name) {
      const reciprocals = scale.divisors.map((divisor) => 1 / divisor);
      const factors = this.#factors(`${output}:factors`, reciprocals);
      this.#add({ opType: 'Mul', inputs: [name, factors], output: even });
    }
    const inputs = [even, ...this.#parameters(output, scale)];
    this.#add({ opType: 'QuantizeLinear', inputs, output });
    return output;
  }

  #add(node: EncodedNode): void {
    this.#nodes.push(nodeField(encodeNode(node)));
  }

  /** One a channel, for a map. */
  #factors(name: string, values: readonly number[]): string {
    return this.#constant(name, 'float32', [values.length, 1, 1], Float32Array.from(values));
  }

  readonly #known = new Set<string>();

  /** Names of a stored value's scale and zero point. */
  #parameters(stored: string, { scale, zeroPoint }: StoredScale): readonly [string, string] {
    const names = [`${stored}:scale`, `${stored}:zero`] as const;
    if (!this.#known.has(stored)) {
      this.#known.add(stored);
      this.#constant(names[0], 'float32', [], Float32Array.of(scale));
      this.#constant(names[1], 'uint8', [], Uint8Array.of(zeroPoint));
    }
    return names;
  }

  #scaleOf(name: string): StoredScale {
    return this.#scales.get(name) ?? { scale: 1, zeroPoint: 0, divisors: [] };
  }

  #constant(
    name: string,
    type: keyof typeof TYPE,
    dims: readonly number[],
    { buffer, byteOffset, byteLength }: ArrayBufferView,
  ): string {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    this.#constants.push(encodeRawTensor(name, TYPE[type], dims, bytes));
    return name;
  }
}

function isEven({ divisors }: StoredScale): boolean {
  return divisors.every((divisor) => divisor === 1);
}

/** One that no name of the file begins with. */
function unusedPrefix({ nodes, constants, inputs }: OnnxFile): string {
  const names = [
    ...constants.keys(),
    ...inputs.map(({ name }) => name),
    ...nodes.flatMap(({ outputs }) => outputs),
  ];
  let prefix = 'stored';
  while (names.some((name) => name.startsWith(`${prefix}:`))) prefix += '_';
  return prefix;
}
