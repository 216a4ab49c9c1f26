import { codedError } from '../../errors.js';
import type { Tensor } from '../graph.js';
import { addActivation, operandOf, type ReadContext, unsupported } from './context.js';
import type { TfliteModel, TfliteTensor } from './model-types.js';

/** Name of the picture input of every converted model. */
export const INPUT_NAME = 'input';

/** How pixels become real numbers: real = scale · (pixel − mean). */
export interface PictureScaling {
  readonly mean: number;
  readonly scale: number;
}

/** [−1, 1], as the MobileNets of TensorFlow and Keras want it. */
const SIGNED_UNIT: PictureScaling = { mean: 127.5, scale: 1 / 127.5 };

/** ITU-R BT.601 luma, in hundred-and-twenty-eighths. */
const LUMA = [38, 75, 15];
const LUMA_SUM = 128;

export function onlyTensor(model: TfliteModel, list: 'inputs' | 'outputs'): TfliteTensor {
  const tensor = model.tensors[model[list][0] ?? -1];
  if (tensor === undefined || model[list].length !== 1) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'TFLite file',
      expected: `a model with one ${list === 'inputs' ? 'input' : 'output'}`,
      found: `${model[list].length}`,
    });
  }
  return tensor;
}

/** Products of 255 and the scale of a picture that is stored as it is: [0, 1], [−1, 1], [0, 255]. */
const PICTURE_SPANS = [1, 2, 255];

/**
 * The tensor that the picture's bytes are: the input, or what QUANTIZE makes of a float32 input. Such
 * an input is fed normalized pictures by its own rules, but once quantized its stored values are 0 to
 * 255 again; that must show in the scale.
 */
export function findPicture(model: TfliteModel): TfliteTensor {
  const input = onlyTensor(model, 'inputs');
  if (input.type !== 'float32') return input;
  const readers = model.operators.filter((operator) => operator.inputs.includes(input.index));
  const [quantize] = readers;
  if (quantize?.name !== 'QUANTIZE' || readers.length !== 1) return input;
  const output = operandOf({ model }, quantize, 'outputs', 0);
  const span = 255 * (output.scale[0] ?? 0);
  if (!PICTURE_SPANS.some((wanted) => Math.abs(span - wanted) < 0.02 * wanted)) {
    throw unsupported(
      quantize,
      'a picture over the whole range of its bytes',
      `a range of ${span}`,
    );
  }
  return output;
}

/** The name that the picture's own tensor gets in the graph; it is the input where nothing is before it. */
export function reservedName({ type, shape }: TfliteTensor): string {
  if (shape[3] === 1) return `${INPUT_NAME}:grey`;
  return type === 'float32' ? `${INPUT_NAME}:real` : INPUT_NAME;
}

/**
 * Adds the picture to the graph: uint8 RGB under the name {@link INPUT_NAME}, then what makes the
 * network's own input of it: real numbers where that is float32, grey where it has one channel.
 */
export function addPicture(
  context: ReadContext,
  source: TfliteTensor,
  scaling: PictureScaling = SIGNED_UNIT,
): void {
  const [batch, height, width, channels] = source.shape;
  const square = batch === 1 && height !== undefined && height === width;
  if (source.shape.length !== 4 || !square || (channels !== 3 && channels !== 1)) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model input',
      expected: 'one square picture, RGB or grey: [1, size, size, 3] or [1, size, size, 1]',
      found: `[${source.shape.join(', ')}]`,
    });
  }
  const network = addActivation(context, 'model input', source);
  if (network.name === INPUT_NAME) return;
  const shape = [1, height, height, 3];
  const picture: Tensor = { ...network, name: INPUT_NAME, type: 'uint8', shape };
  context.tensors.set(INPUT_NAME, picture);
  if (network.type === 'uint8') {
    addLuma(context, picture, network);
    return;
  }
  const real: Tensor = {
    ...network,
    name: channels === 1 ? `${INPUT_NAME}:real` : network.name,
    shape,
  };
  context.tensors.set(real.name, real);
  const { mean, scale } = scaling;
  const normalize = { kind: 'normalize', input: INPUT_NAME, output: real.name } as const;
  context.operators.push({ ...normalize, scale, offset: -mean * scale });
  if (channels === 1) addLuma(context, real, network);
}

/** Grey is a 1×1 convolution; its weights add up to 1, so that scale and zero point stay. */
function addLuma(context: ReadContext, picture: Tensor, grey: Tensor): void {
  const quantized = picture.type === 'uint8';
  const weights: Tensor = {
    name: `${INPUT_NAME}:luma`,
    type: quantized ? 'int8' : 'float32',
    shape: [1, 1, 1, 3],
    quantization: quantized ? { scale: [1 / LUMA_SUM], zeroPoint: [0], axis: null } : null,
    data: quantized ? Int8Array.from(LUMA) : Float32Array.from(LUMA, (part) => part / LUMA_SUM),
  };
  context.tensors.set(weights.name, weights);
  context.operators.push({
    kind: 'conv',
    input: picture.name,
    weights: weights.name,
    bias: null,
    output: grey.name,
    depthwise: false,
    stride: [1, 1],
    dilation: [1, 1],
    padding: 'valid',
    activation: 'none',
  });
}
