/**
 * The intermediate graph between the readers (tflite/, tfjs/) and the ONNX writer. Activations are
 * NHWC; convolution weights are [out, height, width, in], depthwise weights [height, width, out]
 * with a channel multiplier folded into `out`. A graph is either quantized (activations uint8, every
 * tensor with a quantization) or float (activations float32 but for a uint8 picture input, which a
 * `normalize` operator turns into float32); passes turn one into the other.
 */
export type ElementType = 'float32' | 'uint8' | 'int8' | 'int32';

export type TensorData = Float32Array | Uint8Array | Int8Array | Int32Array;

/** real = scale · (stored − zeroPoint); one entry, or one a channel along `axis`. */
export interface Quantization {
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly axis: number | null;
}

export interface Tensor {
  readonly name: string;
  readonly type: ElementType;
  /** −1 stands for a dimension that is only known at run time (batch excepted: always 1). */
  readonly shape: readonly number[];
  readonly quantization: Quantization | null;
  /** Constants carry their values, row-major; activations have null. */
  readonly data: TensorData | null;
}

export type Activation = 'none' | 'relu' | 'relu6';

export interface ExplicitPadding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** TensorFlow's `same` puts the odd pixel at the end (ONNX SAME_UPPER). */
export type Padding = 'same' | 'valid' | ExplicitPadding;

export interface ConvOperator {
  readonly kind: 'conv';
  readonly input: string;
  readonly weights: string;
  readonly bias: string | null;
  readonly output: string;
  readonly depthwise: boolean;
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly padding: Padding;
  readonly activation: Activation;
}

/**
 * A sum or a product, value by value. One input has the output's shape; the other one may instead be
 * [1, 1, 1, channels], or a constant of one value or of one a channel.
 */
interface BinaryOperator {
  readonly inputs: readonly [string, string];
  readonly output: string;
  readonly activation: Activation;
}

export interface AddOperator extends BinaryOperator {
  readonly kind: 'add';
}

export interface MulOperator extends BinaryOperator {
  readonly kind: 'mul';
}

/** x · ReLU6(x + 3) / 6 of each value (Howard et al. 2019, "Searching for MobileNetV3", §5.2). */
export interface HardSwishOperator {
  readonly kind: 'hard-swish';
  readonly input: string;
  readonly output: string;
}

/** 1 / (1 + e^−x) of each value. */
export interface SigmoidOperator {
  readonly kind: 'sigmoid';
  readonly input: string;
  readonly output: string;
}

/** An activation function by itself; quantized values may change their scale and zero point. */
export interface ActivationOperator {
  readonly kind: 'activation';
  readonly input: string;
  readonly output: string;
  readonly activation: Activation;
}

/** The largest value of a window; quantized values keep their scale and zero point. */
export interface MaxPoolOperator {
  readonly kind: 'max-pool';
  readonly input: string;
  readonly output: string;
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [height: number, width: number];
  readonly padding: 'same' | 'valid';
}

/** Average over all of height and width; output [1, 1, 1, channels] or [1, channels]. */
export interface GlobalAveragePoolOperator {
  readonly kind: 'global-average-pool';
  readonly input: string;
  readonly output: string;
  /**
   * The stored value that halves are rounded away from where input and output are quantized alike:
   * 0 (the default) in TensorFlow Lite's uint8 kernel, 128 for what was int8.
   */
  readonly roundsFrom?: number;
}

/** A change of shape that keeps the order of values (also TFLite's SQUEEZE). */
export interface ReshapeOperator {
  readonly kind: 'reshape';
  readonly input: string;
  readonly output: string;
}

/**
 * What happens to the bytes of a picture before anything else: channels the other way round, and each
 * value looked up in a table of 256, one for each channel of the result or one for all.
 */
export interface PictureOperator {
  readonly kind: 'picture';
  readonly input: string;
  readonly output: string;
  readonly reversed: boolean;
  readonly table: Uint8Array | null;
}

/**
 * uint8 picture to float32: output = scale · input + offset, with one number each or one a channel.
 * Float graphs only.
 */
export interface NormalizeOperator {
  readonly kind: 'normalize';
  readonly input: string;
  readonly output: string;
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

/** float32 to uint8 of the same shape, by the scale and zero point of the output. */
export interface StoreOperator {
  readonly kind: 'store';
  readonly input: string;
  readonly output: string;
}

/** uint8 to uint8 of the same shape, another scale or zero point. Quantized graphs only. */
export interface RequantizeOperator {
  readonly kind: 'requantize';
  readonly input: string;
  readonly output: string;
}

export type Operator =
  | ConvOperator
  | AddOperator
  | MulOperator
  | HardSwishOperator
  | SigmoidOperator
  | ActivationOperator
  | MaxPoolOperator
  | GlobalAveragePoolOperator
  | ReshapeOperator
  | PictureOperator
  | NormalizeOperator
  | StoreOperator
  | RequantizeOperator;

export interface Graph {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** In topological order. */
  readonly operators: readonly Operator[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Names of the tensors an operator reads, constants included. */
export function operatorInputs(operator: Operator): readonly string[] {
  switch (operator.kind) {
    case 'conv':
      return operator.bias === null
        ? [operator.input, operator.weights]
        : [operator.input, operator.weights, operator.bias];
    case 'add':
    case 'mul':
      return operator.inputs;
    default:
      return [operator.input];
  }
}
