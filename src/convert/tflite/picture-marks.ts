import {
  askForScaling,
  type ChannelScaling,
  type Front,
  MAKER_SCALINGS,
  type PictureOptions,
  SIGNED_UNIT,
  scalingBefore,
  writtenScaling,
} from '../scaling.js';
import type { TfliteMetadata } from './metadata.js';
import type { TfliteModel, TfliteOperator, TfliteTensor } from './model-types.js';

/** Names of tensors by which a network's maker is known, and the range of its pictures. */
const MARKS: readonly { readonly name: RegExp; readonly scaling: ChannelScaling }[] = [
  // Teachable Machine: a MobileNet inside `sequential_1`, two dense layers behind it.
  {
    name: /sequential_\d+\/dense_Dense\d/,
    scaling: SIGNED_UNIT,
  },
  // TensorFlow's slim checkpoints, and the detectors of its Object Detection API.
  {
    name: /^MobilenetV[123]\/|^normalized_input_image_tensor$|^FeatureExtractor\/Mobilenet/,
    scaling: SIGNED_UNIT,
  },
];

/**
 * How pixels become the numbers of a float picture: as somebody said, as the metadata or the network's
 * first operators say, as its maker does it.
 *
 * @throws MND_MODEL_QUESTION, where nothing says it
 */
export function floatScaling(
  model: TfliteModel,
  picture: TfliteTensor,
  { normalization }: TfliteMetadata,
  { scaling, maker }: PictureOptions,
): ChannelScaling {
  const channels = picture.shape[3] === 1 ? 1 : 3;
  const written =
    normalization === null
      ? null
      : writtenScaling(normalization.mean, normalization.scale, channels);
  const known =
    scaling ??
    written ??
    rescalingOf(model, picture) ??
    (maker === null ? null : MAKER_SCALINGS[maker]) ??
    MARKS.find(({ name }) => model.tensors.some((tensor) => name.test(tensor.name)))?.scaling;
  if (known !== undefined && known !== null) return known;
  throw askForScaling(
    'a float32 picture',
    normalization === null || written !== null
      ? 'neither --mean and --scale, nor metadata, nor a rescaling at the beginning of the network'
      : `metadata that makes no picture (mean ${normalization.mean.join(', ')}; 1 / ${normalization.scale.map((value) => Number((1 / value).toPrecision(4))).join(', ')})`,
  );
}

/** Where a network begins by scaling its numbers, that says what they are. */
function rescalingOf(model: TfliteModel, picture: TfliteTensor): ChannelScaling | null {
  const factor = firstFactor(model, picture);
  return factor === null ? null : scalingBefore(factor);
}

/** What the first operators make of a picture's numbers. */
export interface FrontScaling extends Front {
  /** The tensor that holds the result. */
  readonly index: number;
}

/**
 * Additions and multiplications by constants between a picture and its first real operator; they are
 * one scaling with that of the pixels.
 */
export function frontScaling(model: TfliteModel, picture: TfliteTensor): FrontScaling {
  const channels = picture.shape[3] === 1 ? 1 : 3;
  let factor: number[] = Array.from({ length: channels }, () => 1);
  let shift: number[] = Array.from({ length: channels }, () => 0);
  let { index } = picture;
  for (let steps = 0; steps < 8; steps += 1) {
    const at = index;
    const readers = model.operators.filter(({ inputs }) => inputs.includes(at));
    const [operator] = readers;
    const values = operator === undefined ? null : channelValues(model, operator, at, channels);
    if (operator === undefined || values === null || readers.length !== 1) break;
    const each = (apply: (value: number, constant: number) => number, of: number[]) =>
      of.map((value, channel) => apply(value, values[channel] ?? 0));
    const first = operator.inputs[0] === at;
    if (operator.name === 'MUL') {
      factor = each((value, constant) => value * constant, factor);
      shift = each((value, constant) => value * constant, shift);
    } else if (operator.name === 'DIV' && first) {
      factor = each((value, constant) => value / constant, factor);
      shift = each((value, constant) => value / constant, shift);
    } else if (operator.name === 'ADD') shift = each((value, constant) => value + constant, shift);
    else if (operator.name === 'SUB' && first) {
      shift = each((value, constant) => value - constant, shift);
    } else break;
    // A fused activation function is more than a scaling.
    if (operator.options.int8(0, 0) !== 0) break;
    index = operator.outputs[0] ?? -1;
  }
  const sane = [...factor, ...shift].every(Number.isFinite) && factor.every((value) => value > 0);
  if (sane) return { index, factor, shift };
  return { index: picture.index, factor: [1], shift: [0] };
}

/** The constant that an operator combines a tensor with, one number a channel; null if there is none. */
function channelValues(
  model: TfliteModel,
  operator: TfliteOperator,
  index: number,
  channels: number,
): readonly number[] | null {
  const tensor = model.tensors[operator.inputs.find((input) => input !== index) ?? -1];
  const bytes = tensor?.bytes;
  if (bytes === undefined || bytes === null || tensor?.type !== 'float32') return null;
  const count = bytes.length / 4;
  if (count !== 1 && count !== channels) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: channels }, (_, channel) =>
    view.getFloat32(count === 1 ? 0 : 4 * channel, true),
  );
}

/** What the first operators multiply a picture by; null if they do not. */
function firstFactor(model: TfliteModel, picture: TfliteTensor): number | null {
  let factor: number | null = null;
  let { index } = picture;
  for (let steps = 0; steps < 8; steps += 1) {
    const readers = model.operators.filter(({ inputs }) => inputs.includes(index));
    const [operator] = readers;
    if (operator === undefined || readers.length !== 1) return factor;
    const constant = constantOf(model, operator, index);
    if (operator.name === 'MUL' && constant !== null) factor = (factor ?? 1) * constant;
    else if (operator.name === 'DIV' && constant !== null) factor = (factor ?? 1) / constant;
    else if (operator.name !== 'SUB' && operator.name !== 'ADD') return factor;
    else if (constant === null) return factor;
    index = operator.outputs[0] ?? -1;
  }
  return factor;
}

/** The mean of the float constant that an operator combines a tensor with; null if there is none. */
function constantOf(model: TfliteModel, operator: TfliteOperator, index: number): number | null {
  const other = operator.inputs.find((input) => input !== index);
  const tensor = model.tensors[other ?? -1];
  if (tensor?.bytes === undefined || tensor.bytes === null || tensor.type !== 'float32')
    return null;
  const { bytes } = tensor;
  if (bytes.length === 0 || bytes.length > 64) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 4) sum += Math.abs(view.getFloat32(at, true));
  const mean = sum / (bytes.length / 4);
  return Number.isFinite(mean) && mean > 0 ? mean : null;
}
