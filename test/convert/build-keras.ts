import { CODE } from './build-mobilenet.js';
import { createSpec } from './build-small.js';
import type { ModelSpec } from './build-tflite.js';

/** How today's converters wrap the same int8 network. */
export type Wrapping = 'int8' | 'uint8' | 'float32';

export interface KerasModel {
  /** As exported: picture in, probabilities out. */
  readonly model: ModelSpec;
  /** The int8 network alone for an oracle without int8: uint8 picture in, float32 logits out. */
  readonly network: ModelSpec;
  /** Quantization of the logits as int8. */
  readonly logits: { readonly scale: number; readonly zeroPoint: number };
}

export interface KerasOptions {
  readonly wrapping: Wrapping;
  readonly pool: 'mean' | 'mean-keep' | 'average';
  /** A hidden layer and a last one without a bias, as Teachable Machine puts on its network. */
  readonly hidden?: boolean;
  readonly size?: number;
  readonly seed?: number;
  /** Scale of a uint8 picture; that of the network unless it is given. */
  readonly pictureScale?: number;
}

/** Scale of the network's input: [−1, 1] in 255 steps. */
const INPUT_SCALE = Math.fround(2 / 255);

const CLASSES = 6;
const HIDDEN = 20;
const RELU6 = 3;
const VALID = 1;

/** No simple fraction of the scales before it: TensorFlow Lite and onnxruntime round halves apart. */
const SUM_SCALE = 0.0613;

/**
 * A small MobileNet as Keras exports it (Teachable Machine, Edge Impulse): int8 with a scale for each
 * channel, an explicit PAD before strided convolutions, a residual, a pool and a dense layer.
 */
export function kerasModel(options: KerasOptions): KerasModel {
  const { wrapping, pool, size = 16, seed = 1, pictureScale = INPUT_SCALE } = options;
  const spec = createSpec(seed);
  const outer = { int8: 'int8', uint8: 'uint8', float32: 'float32' } as const;
  const scale = INPUT_SCALE;
  const picture =
    wrapping === 'int8'
      ? -1
      : spec.activation(
          [1, size, size, 3],
          pictureScale,
          wrapping === 'uint8' ? 127 : 0,
          outer[wrapping],
        );
  const input = spec.activation([1, size, size, 3], scale, -1, 'int8');
  if (picture >= 0) spec.operator({ code: CODE.QUANTIZE, inputs: [picture], outputs: [input] });

  const pad = (from: number, side: number, channels: number, fromScale: number, zero: number) => {
    const padded = spec.activation([1, side + 1, side + 1, channels], fromScale, zero, 'int8');
    const paddings = spec.tensor({
      name: 'paddings',
      type: 'int32',
      shape: [4, 2],
      data: Int32Array.of(0, 0, 0, 1, 0, 1, 0, 0),
    });
    spec.operator({
      code: CODE.PAD,
      inputs: [from, paddings],
      outputs: [padded],
      options: { union: 22 },
    });
    return padded;
  };

  const half = size / 2;
  const relu6 = 6 / 255;
  const first = spec.activation([1, half, half, 8], relu6, -128, 'int8');
  const w1 = spec.weights([8, 3, 3, 3], { type: 'int8', deviation: 0.3, axis: 0 });
  spec.operator({
    code: CODE.CONV_2D,
    inputs: [pad(input, size, 3, scale, -1), w1, spec.bias(scale, w1, 8)],
    outputs: [first],
    options: { union: 1, int8: { 0: VALID, 3: RELU6 }, int32: { 1: 2, 2: 2, 4: 1, 5: 1 } },
  });

  const quarter = half / 2;
  const second = spec.activation([1, quarter, quarter, 8], relu6, -128, 'int8');
  const w2 = spec.weights([1, 3, 3, 8], { type: 'int8', deviation: 0.5, axis: 3 });
  spec.operator({
    code: CODE.DEPTHWISE_CONV_2D,
    inputs: [pad(first, half, 8, relu6, -128), w2, spec.bias(relu6, w2, 8)],
    outputs: [second],
    options: {
      union: 2,
      int8: { 0: VALID, 4: RELU6 },
      int32: { 1: 2, 2: 2, 3: 1, 5: 1, 6: 1 },
    },
  });

  const linear = spec.activation([1, quarter, quarter, 8], 0.0517, 5, 'int8');
  const w3 = spec.weights([8, 1, 1, 8], { type: 'int8', deviation: 0.4, axis: 0 });
  spec.operator({
    code: CODE.CONV_2D,
    inputs: [second, w3, spec.bias(relu6, w3, 8)],
    outputs: [linear],
    options: { union: 1, int32: { 1: 1, 2: 1, 4: 1, 5: 1 } },
  });
  const sum = spec.activation([1, quarter, quarter, 8], SUM_SCALE, -20, 'int8');
  spec.operator({
    code: CODE.ADD,
    inputs: [linear, second],
    outputs: [sum],
    options: { union: 11 },
  });

  const pooledScale = pool === 'average' ? SUM_SCALE : 0.0287;
  const pooledZero = pool === 'average' ? -20 : -60;
  const pooledShape = pool === 'mean' ? [1, 8] : [1, 1, 1, 8];
  const pooled = spec.activation(pooledShape, pooledScale, pooledZero, 'int8');
  const axes = { name: 'axes', type: 'int32', shape: [2], data: Int32Array.of(1, 2) } as const;
  spec.operator(
    pool === 'average'
      ? {
          code: CODE.AVERAGE_POOL_2D,
          inputs: [sum],
          outputs: [pooled],
          options: {
            union: 5,
            int8: { 0: VALID },
            int32: { 1: 1, 2: 1, 3: quarter, 4: quarter },
          },
        }
      : {
          code: CODE.MEAN,
          inputs: [sum, spec.tensor(axes)],
          outputs: [pooled],
          options: { union: 27, int8: { 0: pool === 'mean' ? 0 : 1 } },
        },
  );

  const logits = { scale: 0.04, zeroPoint: 10 };
  const scores = spec.activation([1, CLASSES], logits.scale, logits.zeroPoint, 'int8');
  if (options.hidden) {
    const hiddenScale = 0.0263;
    const hidden = spec.activation([1, HIDDEN], hiddenScale, -128, 'int8');
    const w4 = spec.weights([HIDDEN, 8], { type: 'int8', deviation: 0.5 });
    spec.operator({
      code: CODE.FULLY_CONNECTED,
      inputs: [pooled, w4, spec.bias(pooledScale, w4, HIDDEN)],
      outputs: [hidden],
      options: { union: 8, int8: { 0: 1 } },
    });
    const w5 = spec.weights([CLASSES, HIDDEN], { type: 'int8', deviation: 0.3 });
    spec.operator({
      code: CODE.FULLY_CONNECTED,
      inputs: [hidden, w5, -1],
      outputs: [scores],
      options: { union: 8 },
    });
  } else {
    const w4 = spec.weights([CLASSES, 8], { type: 'int8', deviation: 0.5 });
    spec.operator({
      code: CODE.FULLY_CONNECTED,
      inputs: [pooled, w4, spec.bias(pooledScale, w4, CLASSES)],
      outputs: [scores],
      options: { union: 8 },
    });
  }
  const probabilities = spec.activation([1, CLASSES], 1 / 256, -128, 'int8');
  spec.operator({
    code: CODE.SOFTMAX,
    inputs: [scores],
    outputs: [probabilities],
    options: { union: 9, float32: { 0: 1 } },
  });
  const network = oracleNetwork(spec.finish([input], [scores]), size, pictureScale);
  if (wrapping === 'int8') return { model: spec.finish([input], [probabilities]), network, logits };
  const output = spec.activation([1, CLASSES], 1 / 256, 0, wrapping);
  const code = wrapping === 'uint8' ? CODE.QUANTIZE : CODE.DEQUANTIZE;
  spec.operator({ code, inputs: [probabilities], outputs: [output] });
  return { model: spec.finish([picture], [output]), network, logits };
}

/** Keeps what lies between an int8 picture and int8 logits, with uint8 before and float32 behind. */
function oracleNetwork(
  { tensors, operators, inputs, outputs }: ModelSpec,
  size: number,
  pictureScale: number,
): ModelSpec {
  const wrapped = ['QUANTIZE', 'SOFTMAX'] as const;
  const codes: (number | string)[] = wrapped.map((name) => CODE[name]);
  const picture = {
    name: 'picture',
    type: 'uint8',
    shape: [1, size, size, 3],
    scale: [Math.fround(pictureScale)],
    zeroPoint: [127],
  } as const;
  const real = { name: 'real', type: 'float32', shape: [1, CLASSES] } as const;
  const first = tensors.length;
  return {
    tensors: [...tensors, picture, real],
    operators: [
      { code: CODE.QUANTIZE, inputs: [first], outputs: inputs },
      ...operators.filter(({ code }) => !codes.includes(code)),
      { code: CODE.DEQUANTIZE, inputs: outputs, outputs: [first + 1] },
    ],
    inputs: [first],
    outputs: [first + 1],
  };
}
