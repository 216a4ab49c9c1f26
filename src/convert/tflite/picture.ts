import { codedError } from '../../errors.js';
import type { Tensor } from '../graph.js';
import { INPUT_NAME } from '../names.js';
import {
  askForScaling,
  type ChannelScaling,
  checkScaling,
  inOrder,
  isStorable,
  nominalScaling,
  type PictureOptions,
  perChannel,
  requireStorable,
  type StoredPicture,
  storedTable,
  together,
  writtenScaling,
} from '../scaling.js';
import { addActivation, operandOf, type ReadContext } from './context.js';
import type { TfliteMetadata } from './metadata.js';
import type { TfliteModel, TfliteTensor } from './model-types.js';
import { floatScaling, frontScaling } from './picture-marks.js';

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

/** How the picture's bytes become what the network takes. */
export interface PicturePlan {
  /** The tensor that they become: the input, or what QUANTIZE makes of a float32 input. */
  readonly source: TfliteTensor;
  readonly reversed: boolean;
  /** Of a quantized picture: what each byte is stored as; null where as itself. */
  readonly table: Uint8Array | null;
  /** Of a float picture. */
  readonly scaling: ChannelScaling | null;
}

/**
 * The tensor that the picture's bytes are: the input, or what QUANTIZE makes of a float32 input. Such
 * an input is fed normalized pictures by its own rules, and its stored values are bytes again.
 */
function storedSource(model: TfliteModel): TfliteTensor {
  const input = onlyTensor(model, 'inputs');
  if (input.type !== 'float32') return input;
  const readers = model.operators.filter((operator) => operator.inputs.includes(input.index));
  const [quantize] = readers;
  if (quantize?.name !== 'QUANTIZE' || readers.length !== 1) return input;
  return operandOf({ model }, quantize, 'outputs', 0);
}

/**
 * Finds out how pixels become the network's numbers: by what is said, by the scale and zero point of a
 * quantized picture, by the file's metadata, by the network's own first operators, by who made it.
 *
 * @throws MND_USAGE for numbers that make no picture; MND_MODEL_QUESTION where nothing says them
 */
export function planPicture(
  model: TfliteModel,
  metadata: TfliteMetadata,
  options: PictureOptions,
): PicturePlan {
  const source = storedSource(model);
  const channels = source.shape[3] === 1 ? 1 : 3;
  const reversed = options.reversed && channels === 3;
  if (options.scaling !== null) checkScaling(options.scaling, channels);
  const given = options.scaling === null ? null : inOrder(options.scaling, reversed);
  if (source.type === 'float32') {
    // What the file says is about its own channels.
    const pixels = given ?? floatScaling(model, source, metadata, options);
    const front = frontScaling(model, source);
    const inner = model.tensors[front.index] ?? source;
    return { source: inner, reversed, table: null, scaling: together(pixels, front) };
  }
  const { scale, zeroPoint } = storedAs(source);
  const [low, high] = [-zeroPoint * scale, (255 - zeroPoint) * scale];
  const nominal = nominalScaling(low, high);
  const scaling = given ?? nominal ?? storableMetadata(metadata, { scale, zeroPoint }, channels);
  if (scaling === null) {
    throw askForScaling(
      'a quantized picture',
      `stored numbers for ${short(low)} to ${short(high)}, which is no range of pixels`,
    );
  }
  requireStorable(scaling, { scale, zeroPoint });
  const table = storedTable(scaling, { scale, zeroPoint });
  return { source, reversed, table, scaling: null };
}

/** What the metadata says, where the file can store it: for quantized pictures it often says nothing true. */
function storableMetadata(
  { normalization }: TfliteMetadata,
  stored: StoredPicture,
  channels: 1 | 3,
): ChannelScaling | null {
  if (normalization === null) return null;
  const written = writtenScaling(normalization.mean, normalization.scale, channels);
  return written !== null && isStorable(written, stored) ? written : null;
}

function short(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

/** Scale and zero point as uint8. */
function storedAs(source: TfliteTensor) {
  const [scale] = source.scale;
  const [zeroPoint = 0] = source.zeroPoint;
  if (scale === undefined || (source.type !== 'uint8' && source.type !== 'int8')) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model input',
      expected: 'a picture of uint8 or int8 with a scale, or of float32',
      found: scale === undefined ? `${source.type} without a scale` : source.type,
    });
  }
  return { scale, zeroPoint: source.type === 'int8' ? zeroPoint + 128 : zeroPoint };
}

/** The name that the picture's own tensor gets in the graph; it is the input where nothing is before it. */
export function reservedName({ source, reversed, table }: PicturePlan): string {
  if (source.shape[3] === 1) return `${INPUT_NAME}:grey`;
  if (source.type === 'float32') return `${INPUT_NAME}:real`;
  return reversed || table !== null ? `${INPUT_NAME}:stored` : INPUT_NAME;
}

/**
 * Adds the picture to the graph: uint8 RGB under the name {@link INPUT_NAME}, then what makes the
 * network's own input of it: other bytes, real numbers where that is float32, grey where it has one
 * channel.
 */
export function addPicture(context: ReadContext, plan: PicturePlan): void {
  const { source, reversed, table, scaling } = plan;
  const [batch, height, width, channels] = source.shape;
  const single = batch === 1 && height !== undefined && width !== undefined;
  if (source.shape.length !== 4 || !single || (channels !== 3 && channels !== 1)) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model input',
      expected: 'one picture, RGB or grey: [1, height, width, 3] or [1, height, width, 1]',
      found: `[${source.shape.join(', ')}]`,
    });
  }
  const network = addActivation(context, 'model input', source);
  if (network.name === INPUT_NAME) return;
  const shape = [1, height, width, 3];
  const bytes: Tensor = { ...network, name: INPUT_NAME, type: 'uint8', shape };
  let picture = bytes;
  if (reversed || table !== null) {
    const grey = channels === 1;
    picture = { ...bytes, name: grey ? `${INPUT_NAME}:stored` : reservedStored(network) };
    context.tensors.set(INPUT_NAME, { ...bytes, quantization: null });
    context.tensors.set(picture.name, picture);
    const operator = { kind: 'picture', input: INPUT_NAME, output: picture.name } as const;
    context.operators.push({ ...operator, reversed, table });
  } else {
    context.tensors.set(INPUT_NAME, bytes);
  }
  if (network.type === 'uint8') {
    if (channels === 1) addLuma(context, picture, network);
    return;
  }
  addReal(context, picture, network, scaling);
}

/** A quantized RGB picture is stored under the network's own name; a float one only on the way to it. */
function reservedStored(network: Tensor): string {
  return network.type === 'uint8' ? network.name : `${INPUT_NAME}:stored`;
}

function addReal(
  context: ReadContext,
  picture: Tensor,
  network: Tensor,
  scaling: ChannelScaling | null,
): void {
  const grey = network.shape[3] === 1;
  const { mean, scale } = scaling ?? { mean: [0], scale: [1] };
  const name = grey ? `${INPUT_NAME}:real` : network.name;
  const real: Tensor = { ...network, name, shape: picture.shape };
  context.tensors.set(real.name, real);
  const channels = Math.max(mean.length, scale.length);
  const offset = Array.from(
    { length: channels },
    (_, channel) => -perChannel(mean, channel) * perChannel(scale, channel),
  );
  context.operators.push({
    kind: 'normalize',
    input: picture.name,
    output: real.name,
    scale: offset.map((_, channel) => perChannel(scale, channel)),
    offset,
  });
  if (grey) addLuma(context, real, network);
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
