import type { Member } from '#mobilenetd/families/family.js';
import type { Layer } from '#mobilenetd/families/layers.js';
import { MOBILENET_V1 } from '#mobilenetd/families/mobilenet-v1.js';
import type { ModelSpec, OperatorSpec, TensorSpec } from './build-tflite.js';
import { createRandom } from './random.js';

export const CODE = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONCATENATION: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  FULLY_CONNECTED: 9,
  LOGISTIC: 14,
  MAX_POOL_2D: 17,
  MUL: 18,
  RELU: 19,
  RELU6: 21,
  RESHAPE: 22,
  SOFTMAX: 25,
  PAD: 34,
  MEAN: 40,
  QUANTIZE: 114,
  HARD_SWISH: 117,
} as const;

const SAME = 0;
const RELU6 = 3;

/** 0 to 6 in 255 steps, as the official files have it. */
const RELU6_SCALE = 0.023528477177023888;

interface Construction {
  readonly tensors: TensorSpec[];
  readonly operators: OperatorSpec[];
  readonly random: (below: number) => number;
}

function addTensor({ tensors }: Construction, tensor: TensorSpec): number {
  return tensors.push(tensor) - 1;
}

function randomBytes(random: (below: number) => number, count: number): Uint8Array {
  const data = new Uint8Array(count);
  for (let index = 0; index < count; index += 1) data[index] = random(256);
  return data;
}

/** Adds random weights whose outputs spread over the range of ReLU6 (He's initialisation). */
function addWeights(construction: Construction, layer: Layer, inputScale: number) {
  const { random } = construction;
  const depthwise = layer.kind === 'depthwise';
  const channels = layer.output[2];
  const fanIn = layer.kernel ** 2 * (depthwise ? 1 : layer.input[2]);
  const shape = depthwise
    ? [1, layer.kernel, layer.kernel, channels]
    : [channels, layer.kernel, layer.kernel, layer.input[2]];
  // Bytes of equal probability have a standard deviation of 74.
  const scale = Math.fround(Math.sqrt(2 / fanIn) / 74);
  const weights = addTensor(construction, {
    name: `${layer.name}/weights`,
    type: 'uint8',
    shape,
    scale: [scale],
    zeroPoint: [118 + random(20)],
    data: randomBytes(random, fanIn * channels),
  });
  const biasScale = Math.fround(inputScale * scale);
  const span = Math.ceil(0.5 / biasScale);
  const bias = addTensor(construction, {
    name: `${layer.name}/bias`,
    type: 'int32',
    shape: [channels],
    scale: [biasScale],
    zeroPoint: [0],
    data: Int32Array.from({ length: channels }, () => random(2 * span) - span),
  });
  return { weights, bias };
}

function addConvolution(construction: Construction, layer: Layer, input: number): number {
  const inputScale = construction.tensors[input]?.scale?.[0] ?? 1;
  const { weights, bias } = addWeights(construction, layer, inputScale);
  const classifier = layer.kind === 'classifier';
  const output = addTensor(construction, {
    name: layer.name,
    type: 'uint8',
    shape: [1, ...layer.output],
    scale: [classifier ? 0.05 : RELU6_SCALE],
    zeroPoint: [classifier ? 110 : 0],
  });
  const { stride } = layer;
  const activation = classifier ? 0 : RELU6;
  construction.operators.push(
    layer.kind === 'depthwise'
      ? {
          code: CODE.DEPTHWISE_CONV_2D,
          inputs: [input, weights, bias],
          outputs: [output],
          options: {
            union: 2,
            int8: { 0: SAME, 4: activation },
            int32: { 1: stride, 2: stride, 3: 1, 5: 1, 6: 1 },
          },
        }
      : {
          code: CODE.CONV_2D,
          inputs: [input, weights, bias],
          outputs: [output],
          options: {
            union: 1,
            int8: { 0: SAME, 3: activation },
            int32: { 1: stride, 2: stride, 4: 1, 5: 1 },
          },
        },
  );
  return output;
}

function addPool(construction: Construction, layer: Layer, input: number): number {
  const output = addTensor(construction, {
    name: layer.name,
    type: 'uint8',
    shape: [1, ...layer.output],
    scale: [RELU6_SCALE],
    zeroPoint: [0],
  });
  const { kernel } = layer;
  construction.operators.push({
    code: CODE.AVERAGE_POOL_2D,
    inputs: [input],
    outputs: [output],
    options: { union: 5, int8: { 0: 1 }, int32: { 1: 1, 2: 1, 3: kernel, 4: kernel } },
  });
  return output;
}

/**
 * A quantized MobileNetV1 with pseudo-random weights, laid out as the official files are: uint8
 * picture, 27 convolutions, average pool, classifier, reshape, softmax.
 */
export function mobilenetV1Spec(network: Member, seed = 1): ModelSpec {
  const construction: Construction = { tensors: [], operators: [], random: createRandom(seed) };
  const { size, classes } = network;
  const input = addTensor(construction, {
    name: 'input',
    type: 'uint8',
    shape: [1, size, size, 3],
    scale: [0.0078125],
    zeroPoint: [128],
  });
  let value = input;
  for (const layer of MOBILENET_V1.describe(network).layers) {
    value =
      layer.kind === 'average-pool'
        ? addPool(construction, layer, value)
        : addConvolution(construction, layer, value);
  }
  const shape = addTensor(construction, {
    name: 'shape',
    type: 'int32',
    shape: [2],
    data: Int32Array.of(1, classes),
  });
  const scores = { type: 'uint8', shape: [1, classes] } as const;
  const logits = addTensor(construction, {
    name: 'squeezed',
    ...scores,
    scale: [0.05],
    zeroPoint: [110],
  });
  const probabilities = addTensor(construction, {
    name: 'probabilities',
    ...scores,
    scale: [1 / 256],
    zeroPoint: [0],
  });
  construction.operators.push(
    { code: CODE.RESHAPE, inputs: [value, shape], outputs: [logits] },
    {
      code: CODE.SOFTMAX,
      inputs: [logits],
      outputs: [probabilities],
      options: { union: 9, float32: { 0: 1 } },
    },
  );
  const { tensors, operators } = construction;
  return { tensors, operators, inputs: [input], outputs: [probabilities] };
}
