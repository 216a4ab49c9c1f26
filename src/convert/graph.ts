/**
 * The intermediate graph between the readers (tflite/, tfjs/) and the ONNX writer. Activations are
 * NHWC; convolution weights are [out, height, width, in], depthwise weights [height, width, out]
 * with a channel multiplier folded into `out`. A graph is either quantized (activations uint8, every
 * tensor with a quantization) or float (quantization null); passes turn one into the other.
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

/** TensorFlow's `same` puts the odd pixel at the end (ONNX SAME_UPPER). */
export type Padding =
  | 'same'
  | 'valid'
  | {
      readonly top: number;
      readonly bottom: number;
      readonly left: number;
      readonly right: number;
    };

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

export interface AddOperator {
  readonly kind: 'add';
  readonly inputs: readonly [string, string];
  readonly output: string;
  readonly activation: Activation;
}

/** Average over all of height and width; output [1, 1, 1, channels] or [1, channels]. */
export interface GlobalAveragePoolOperator {
  readonly kind: 'global-average-pool';
  readonly input: string;
  readonly output: string;
}

/** A change of shape that keeps the order of values (also TFLite's SQUEEZE). */
export interface ReshapeOperator {
  readonly kind: 'reshape';
  readonly input: string;
  readonly output: string;
}

export type Operator = ConvOperator | AddOperator | GlobalAveragePoolOperator | ReshapeOperator;

export interface Graph {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** In topological order. */
  readonly operators: readonly Operator[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}
