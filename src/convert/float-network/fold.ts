import { outputSide } from '../geometry.js';
import type { Operator, Tensor } from '../graph.js';
import type { Front } from '../scaling.js';
import {
  binaryMaker,
  convolutionMaker,
  type Maker,
  operatorOf,
  POINTWISE,
  scaleAndShift,
} from './maker.js';
import { type FloatNode, inputsOf, type MapShape, nodeError } from './nodes.js';
import { Values } from './values.js';

export interface Folded {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly operators: readonly Operator[];
  readonly front: Front;
  readonly picture: MapShape;
  /** Tensor and shape of a node's result. */
  readonly value: (name: string) => { readonly tensor: string; readonly shape: MapShape };
}

/** Name of the tensor of real numbers that the picture becomes. */
export const REAL_PICTURE = 'input:real';

/**
 * Puts the steps of a float network together to operators of a graph: batch norms and constants go into the
 * convolution before them (or into the picture's scaling), activation functions into the operator before
 * them, zeros around a map into the convolution behind it.
 *
 * @param nodes in topological order, without a softmax
 * @param readers how many times each name is read, the outputs included
 * @throws MND_MODEL_OPERATOR, MND_MODEL_SHAPE
 */
export function fold(nodes: readonly FloatNode[], outputs: readonly string[]): Folded {
  const folding = new Folding(nodes, outputs);
  for (const node of nodes) folding.take(node);
  return folding.finish();
}

class Folding {
  readonly #values: Values;
  readonly #steps: (Maker | Operator)[] = [];
  #front: { factor: number[]; shift: number[] } = { factor: [], shift: [] };
  #picture: MapShape = [0, 0, 0];

  constructor(nodes: readonly FloatNode[], outputs: readonly string[]) {
    this.#values = new Values([...outputs, ...nodes.flatMap(inputsOf)]);
  }

  take(node: FloatNode): void {
    switch (node.kind) {
      case 'picture':
        this.#addPicture(node.name, node.shape);
        return;
      case 'conv':
        this.#addConvolution(node);
        return;
      case 'dense':
        this.#addDense(node);
        return;
      case 'affine':
        this.#addAffine(node);
        return;
      case 'activation':
        this.#addActivation(node);
        return;
      case 'add':
      case 'mul':
        this.#addBinary(node);
        return;
      case 'pad':
        this.#addPad(node);
        return;
      case 'max-pool':
      case 'average-pool':
        this.#addPool(node);
        return;
      case 'global-average':
        this.#addMean(node.name, node.input);
        return;
      case 'flatten': {
        const value = this.#values.plain(node.input);
        const [height, width, channels] = value.shape;
        // Of a map the next dense layer makes a convolution; of a vector nothing changes.
        const shape: MapShape = height * width === 1 ? [1, 1, channels] : value.shape;
        this.#values.set(node.name, { ...value, shape, maker: this.#values.foldable(node.input) });
        return;
      }
      case 'identity':
        this.#values.set(node.name, {
          ...this.#values.of(node.input),
          maker: this.#values.foldable(node.input),
        });
    }
  }

  finish(): Folded {
    const operators = this.#steps.map((step) =>
      'geometry' in step ? operatorOf(step, this.#values.tensors) : step,
    );
    const { factor, shift } = this.#front;
    return {
      tensors: this.#values.tensors,
      operators,
      front: { factor, shift },
      picture: this.#picture,
      value: (name) => {
        const { tensor, shape, pad } = this.#values.of(name);
        if (pad !== null)
          throw nodeError('MND_MODEL_OPERATOR', name, 'a convolution', 'zeros around');
        return { tensor, shape };
      },
    };
  }

  #addPicture(name: string, shape: MapShape): void {
    this.#picture = shape;
    this.#front = {
      factor: Array.from({ length: shape[2] }, () => 1),
      shift: Array.from({ length: shape[2] }, () => 0),
    };
    this.#values.addTensor(REAL_PICTURE, shape);
    this.#values.set(name, { shape, maker: null, pad: null, tensor: REAL_PICTURE });
  }

  #addConvolution(node: Extract<FloatNode, { kind: 'conv' }>): void {
    const input = this.#values.of(node.input);
    const { depthwise, stride, dilation, kernel, channels } = node;
    if (input.pad !== null && node.padding !== 'valid') {
      throw nodeError('MND_MODEL_OPERATOR', node.name, 'padding valid behind zeros', node.padding);
    }
    const padding = input.pad ?? node.padding;
    const perPixel = depthwise ? channels : channels * input.shape[2];
    const [rows, columns] = kernel;
    if (
      node.weights.length !== rows * columns * perPixel ||
      (depthwise && channels % input.shape[2])
    ) {
      const found = `${node.weights.length} weights for ${input.shape[2]} to ${channels} channels`;
      throw nodeError('MND_MODEL_SHAPE', node.name, 'weights that fit its input', found);
    }
    const geometry = { depthwise, stride, dilation, padding };
    const [height, width] = input.shape;
    this.#addMaker(convolutionMaker(node.name, input.tensor, node, geometry), [
      outputSide(geometry, 'height', height, rows),
      outputSide(geometry, 'width', width, columns),
      channels,
    ]);
  }

  #addDense(node: Extract<FloatNode, { kind: 'dense' }>): void {
    const input = this.#values.plain(node.input);
    const [height, width, inputs] = input.shape;
    const { channels, weights } = node;
    if (weights.length !== channels * height * width * inputs) {
      const found = `${weights.length / channels} for ${height}×${width}×${inputs} values`;
      throw nodeError('MND_MODEL_SHAPE', node.name, 'a weight for each value', found);
    }
    const kernel = [height, width] as const;
    const maker = convolutionMaker(node.name, input.tensor, { weights, kernel, channels });
    this.#addMaker(maker, [1, 1, channels]);
  }

  #addMaker(maker: Maker, shape: MapShape): Maker {
    const name = maker.output;
    this.#values.addTensor(name, shape);
    this.#steps.push(maker);
    this.#values.set(name, { shape, maker, pad: null, tensor: name });
    return maker;
  }

  #addAffine(node: Extract<FloatNode, { kind: 'affine' }>): void {
    const input = this.#values.of(node.input);
    const channels = input.shape[2];
    const [scale, shift] = [spread(node, 'scale', channels), spread(node, 'shift', channels)];
    if (
      input.tensor === REAL_PICTURE &&
      input.pad === null &&
      this.#values.isReadOnce(node.input)
    ) {
      const { factor, shift: before } = this.#front;
      this.#front = {
        factor: factor.map((value, channel) => value * (scale[channel] ?? 1)),
        shift: before.map(
          (value, channel) => value * (scale[channel] ?? 1) + (shift[channel] ?? 0),
        ),
      };
      this.#values.set(node.name, input);
      return;
    }
    const maker = this.#values.foldable(node.input);
    if (maker?.kind === 'conv' && maker.activation === 'none' && maker.channels === channels) {
      scaleAndShift(maker, scale, shift);
      this.#values.set(node.name, { ...input, maker });
      return;
    }
    const plain = this.#values.plain(node.input);
    const [height, width] = plain.shape;
    const weights = new Float32Array(channels).fill(1);
    const geometry = { ...POINTWISE, depthwise: true };
    const kernel = [1, 1] as const;
    const own = convolutionMaker(node.name, plain.tensor, { weights, kernel, channels }, geometry);
    scaleAndShift(this.#addMaker(own, [height, width, channels]), scale, shift);
  }

  #addActivation(node: Extract<FloatNode, { kind: 'activation' }>): void {
    const { name, input: source } = node;
    const input = this.#values.plain(source);
    if (node.function === 'softmax') {
      throw nodeError('MND_MODEL_OPERATOR', name, 'a softmax at the end alone', 'one inside');
    }
    const maker = this.#values.foldable(source);
    if (node.function === 'relu' || node.function === 'relu6') {
      if (maker !== null && maker.activation === 'none') {
        maker.activation = node.function;
        this.#values.set(name, { ...input, maker });
        return;
      }
      this.#values.addTensor(name, input.shape);
      const activation = node.function;
      this.#steps.push({ kind: 'activation', input: input.tensor, output: name, activation });
    } else {
      this.#values.addTensor(name, input.shape);
      this.#steps.push({ kind: node.function, input: input.tensor, output: name });
    }
    this.#values.set(name, { shape: input.shape, maker: null, pad: null, tensor: name });
  }

  #addBinary({ name, kind, inputs }: Extract<FloatNode, { kind: 'add' | 'mul' }>): void {
    const [left, right] = [this.#values.plain(inputs[0]), this.#values.plain(inputs[1])];
    const size = ([height, width]: MapShape) => height * width;
    const shape = size(left.shape) >= size(right.shape) ? left.shape : right.shape;
    for (const operand of [left, right]) {
      const same = operand.shape.join() === shape.join();
      if (same || (size(operand.shape) === 1 && operand.shape[2] === shape[2])) continue;
      const found = `${left.shape.join('×')} and ${right.shape.join('×')}`;
      throw nodeError('MND_MODEL_SHAPE', name, 'equal shapes', found);
    }
    this.#addMaker(binaryMaker(kind, name, [left.tensor, right.tensor], shape[2]), shape);
  }

  #addPad({ name, input, padding }: Extract<FloatNode, { kind: 'pad' }>): void {
    const value = this.#values.plain(input);
    const none = Object.values(padding).every((edge) => edge === 0);
    this.#values.set(name, { ...value, maker: null, pad: none ? null : padding });
  }

  #addPool(node: Extract<FloatNode, { kind: 'max-pool' | 'average-pool' }>): void {
    const input = this.#values.plain(node.input);
    const { kernel, stride, padding, name } = node;
    const [height, width, channels] = input.shape;
    if (node.kind === 'average-pool') {
      if (kernel[0] === height && kernel[1] === width && padding === 'valid') {
        this.#addMean(name, node.input);
        return;
      }
      const found = `${kernel.join('×')} of ${height}×${width}`;
      throw nodeError('MND_MODEL_OPERATOR', name, 'an average over the whole map', found);
    }
    const geometry = { padding, stride, dilation: [1, 1] } as const;
    const shape: MapShape = [
      outputSide(geometry, 'height', height, kernel[0]),
      outputSide(geometry, 'width', width, kernel[1]),
      channels,
    ];
    this.#values.addTensor(name, shape);
    this.#steps.push({
      kind: 'max-pool',
      input: input.tensor,
      output: name,
      kernel,
      stride,
      padding,
    });
    this.#values.set(name, { shape, maker: null, pad: null, tensor: name });
  }

  #addMean(name: string, source: string): void {
    const input = this.#values.plain(source);
    const shape: MapShape = [1, 1, input.shape[2]];
    this.#values.addTensor(name, shape);
    this.#steps.push({ kind: 'global-average-pool', input: input.tensor, output: name });
    this.#values.set(name, { shape, maker: null, pad: null, tensor: name });
  }
}

/** One number a channel. */
function spread(
  node: Extract<FloatNode, { kind: 'affine' }>,
  which: 'scale' | 'shift',
  channels: number,
): Float64Array {
  const values = node[which];
  if (values === null) return new Float64Array(channels).fill(which === 'scale' ? 1 : 0);
  if (values.length === 1) return new Float64Array(channels).fill(values[0] ?? 0);
  if (values.length === channels) return Float64Array.from(values);
  const found = `${values.length}`;
  throw nodeError('MND_MODEL_SHAPE', node.name, `one number, or ${channels}`, found);
}
