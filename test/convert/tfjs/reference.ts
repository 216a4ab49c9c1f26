import type { BuiltConstant, NodeDocument, TfjsModel } from './build-tfjs.js';

/** An activation [1, height, width, channels]. */
export interface Activation {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: Float64Array;
}

/**
 * Evaluates one node of a test model by TensorFlow's definitions, node by node and without folding
 * anything: what the reader's graph must agree with.
 */
export function evaluate(
  model: TfjsModel,
  output: string,
  picture: Uint8Array,
  size: number,
): Activation {
  const nodes = new Map(model.document.modelTopology.node.map((node) => [node.name, node]));
  const known = new Map<string, Activation>();
  const activationOf = (name: string): Activation => {
    const clean = name.replace(/:0$/, '');
    const found = known.get(clean) ?? compute(clean);
    known.set(clean, found);
    return found;
  };
  const compute = (name: string): Activation => {
    if (name === 'Preprocessor/sub') {
      const values = Float64Array.from(picture, (pixel) => (pixel * 2) / 255 - 1);
      return { height: size, width: size, channels: 3, values };
    }
    const node = nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return apply(node, model.constants, activationOf);
  };
  return activationOf(output);
}

function apply(
  { op, input, attr }: NodeDocument,
  constants: TfjsModel['constants'],
  activationOf: (name: string) => Activation,
): Activation {
  const [left = '', right = '', ...rest] = input;
  const constant = constants.get(right) ?? constants.get(left);
  const value = constants.has(left) ? activationOf(right) : activationOf(left);
  const each = (f: (x: number, channel: number, index: number) => number): Activation => ({
    ...value,
    values: value.values.map((x, index) => f(x, index % value.channels, index)),
  });
  switch (op) {
    case 'Conv2D':
    case 'DepthwiseConv2dNative':
      if (constant === undefined) throw new Error('no weights');
      return convolve(value, constant, op !== 'Conv2D', attr);
    case 'Relu':
      return each((x) => Math.max(x, 0));
    case 'Relu6':
      return each((x) => Math.min(Math.max(x, 0), 6));
    case 'Mul':
      return each((x, channel) => x * at(constant, channel));
    case 'FusedBatchNormV3': {
      const [beta, mean, variance] = rest.map((name) => constants.get(name));
      return each((x, c) => {
        const normal = (x - at(mean, c)) / Math.sqrt(at(variance, c) + 0.001);
        return normal * at(constant, c) + at(beta, c);
      });
    }
    default: {
      const other = constant === undefined ? activationOf(right) : undefined;
      return each((x, c, index) => x + (other?.values[index] ?? at(constant, c)));
    }
  }
}

function at(constant: BuiltConstant | undefined, channel: number): number {
  return constant?.values[channel] ?? Number.NaN;
}

function convolve(
  input: Activation,
  { shape, values }: BuiltConstant,
  depthwise: boolean,
  attr: Record<string, unknown>,
): Activation {
  const [kernelHeight = 0, kernelWidth = 0, inputs = 0, last = 0] = shape;
  const { strides, padding } = attr as {
    strides: { list: { i: string[] } };
    padding: { s: string };
  };
  const stride = Number(strides.list.i[1]);
  const same = Buffer.from(padding.s, 'base64').toString() === 'SAME';
  const outputSide = (side: number, kernel: number) =>
    Math.ceil(same ? side / stride : (side - kernel + 1) / stride);
  const before = (side: number, kernel: number) =>
    same ? Math.floor(Math.max((outputSide(side, kernel) - 1) * stride + kernel - side, 0) / 2) : 0;
  const height = outputSide(input.height, kernelHeight);
  const width = outputSide(input.width, kernelWidth);
  const channels = depthwise ? inputs * last : last;
  const result = new Float64Array(height * width * channels);
  for (let index = 0; index < result.length; index += 1) {
    const channel = index % channels;
    const x0 = (Math.floor(index / channels) % width) * stride - before(input.width, kernelWidth);
    const y0 = Math.floor(index / channels / width) * stride - before(input.height, kernelHeight);
    let sum = 0;
    for (let tap = 0; tap < kernelHeight * kernelWidth * inputs; tap += 1) {
      const i = tap % inputs;
      const x = x0 + (Math.floor(tap / inputs) % kernelWidth);
      const y = y0 + Math.floor(tap / inputs / kernelWidth);
      if (x < 0 || y < 0 || x >= input.width || y >= input.height) continue;
      if (depthwise && Math.floor(channel / last) !== i) continue;
      const weight = values[tap * last + (depthwise ? channel % last : channel)] ?? 0;
      sum += weight * (input.values[(y * input.width + x) * inputs + i] ?? 0);
    }
    result[index] = sum;
  }
  return { height, width, channels, values: result };
}
