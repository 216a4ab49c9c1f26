import { codedError } from '../../errors.js';
import {
  askForScaling,
  BYTES,
  type ChannelScaling,
  checkScaling,
  type PictureOptions,
  SIGNED_UNIT,
  UNIT,
} from '../scaling.js';
import type { OnnxFile, OnnxValue } from './parse.js';

/** The picture that a network takes. */
export interface OnnxPicture {
  readonly input: OnnxValue;
  readonly sides: readonly [height: number, width: number];
  readonly channels: 1 | 3;
  /** Whether channels come before rows. */
  readonly planar: boolean;
  readonly type: 'float32' | 'uint8';
  /** Blue first. */
  readonly reversed: boolean;
  /** Null for uint8. */
  readonly scaling: ChannelScaling | null;
}

const FLOAT = 1;
const UINT8 = 2;

/** ONNX' own metadata for pictures (docs/MetadataProps.md of the ONNX repository). */
const NOMINAL_RANGES: Readonly<Record<string, ChannelScaling>> = {
  NominalRange_0_255: BYTES,
  Normalized_0_1: UNIT,
  Normalized_1_1: SIGNED_UNIT,
};

/**
 * Finds the one picture input of a classifier and how pixels become its numbers: by what is given, or
 * by the file's metadata (`mean` and `scale` or `std`, or ONNX' `Image.NominalPixelRange`).
 *
 * @param hint what is usual for networks that look like this one
 * @throws MND_MODEL_SHAPE; MND_USAGE if a float input's scaling is neither given nor in the file, or
 *   one is given for a uint8 input
 */
export function findPicture(
  file: OnnxFile,
  options: PictureOptions,
  hint: string | null = null,
): OnnxPicture {
  const given = options.scaling;
  const open = file.inputs.filter(({ name }) => !file.constants.has(name) && !isFixed(name));
  const [input, ...others] = open;
  if (input === undefined || others.length > 0) {
    throw shapeError('one picture as input', `${open.length} inputs`);
  }
  const [batch, second, third, fourth] = input.shape ?? [];
  const planar = second === 3 || second === 1;
  const [rows, columns, channels] = planar ? [third, fourth, second] : [second, third, fourth];
  const [height = 0, width = 0] = [rows, columns].map((side) =>
    side === -1 ? sideFor(options) : side,
  );
  const colours = channels === 1 || channels === 3 ? channels : null;
  const sane = [height, width].every((side) => side >= 8 && side <= 1024);
  if (input.shape?.length !== 4 || (batch !== 1 && batch !== -1) || colours === null || !sane) {
    throw shapeError(
      'one picture of at most 1024 pixels, [1, 3, height, width] or [1, height, width, 3]',
      `[${(input.shape ?? []).map((side) => (side < 0 ? '?' : side)).join(', ')}]`,
    );
  }
  if (input.type !== FLOAT && input.type !== UINT8) {
    throw shapeError('a float32 or uint8 picture', `data type ${input.type}`);
  }
  if (input.type === UINT8 && given !== null) {
    throw codedError('MND_USAGE', {
      subject: 'mean and scale',
      expected: 'a float32 picture',
      found: 'a uint8 picture, which pixels are as they are',
      next: 'leave --mean and --scale out',
    });
  }
  const reversed =
    options.reversed || (file.metadata.get('Image.BitmapPixelFormat')?.startsWith('Bgr') ?? false);
  return {
    input,
    sides: [height, width],
    channels: colours,
    planar,
    type: input.type === FLOAT ? 'float32' : 'uint8',
    reversed,
    scaling: input.type === FLOAT ? scalingOf(file, given, colours, reversed, hint) : null,
  };
}

/** Given numbers are for red, green and blue, those in the file for the network's own channels. */
function scalingOf(
  file: OnnxFile,
  given: ChannelScaling | null,
  channels: 1 | 3,
  reversed: boolean,
  hint: string | null,
): ChannelScaling {
  const scaling = given ?? scalingInFile(file.metadata);
  if (scaling === null) {
    const usual = hint === null ? '' : `; ${hint}`;
    const found = `neither --mean and --scale nor metadata in the file${usual}`;
    throw askForScaling('a float32 picture', found);
  }
  checkScaling(scaling, channels);
  if (given === null || !reversed) return scaling;
  return { mean: given.mean.toReversed(), scale: given.scale.toReversed() };
}

function scalingInFile(metadata: ReadonlyMap<string, string>): ChannelScaling | null {
  const nominal = NOMINAL_RANGES[metadata.get('Image.NominalPixelRange') ?? ''];
  const mean = numbersIn(metadata.get('mean'));
  const scale = numbersIn(metadata.get('scale'));
  const deviation = numbersIn(metadata.get('std'));
  const factor = scale ?? deviation?.map((value) => 1 / value) ?? null;
  if (mean === null || factor === null) return nominal ?? (isUltralytics(metadata) ? UNIT : null);
  if (factor.every((value) => Number.isFinite(value) && value !== 0))
    return { mean, scale: factor };
  throw codedError('MND_MODEL_INVALID', {
    subject: 'ONNX file',
    expected: 'finite numbers other than 0 as scale',
    found: factor.join(', '),
  });
}

/** Exports of Ultralytics' program, whose pictures are all in [0, 1]. */
function isUltralytics(metadata: ReadonlyMap<string, string>): boolean {
  return /^ultralytics/i.test(metadata.get('author') ?? metadata.get('description') ?? '');
}

/** Inputs of PaddleDetection's networks besides the picture, which are the same for every picture here. */
const FIXED = ['scale_factor', 'im_shape'];

function isFixed(name: string): boolean {
  return FIXED.includes(name);
}

/** Those inputs, with what they are for a picture that is not scaled. */
export function fixedInputs(file: OnnxFile, [height, width]: OnnxPicture['sides']) {
  return file.inputs
    .filter(({ name }) => isFixed(name) && !file.constants.has(name))
    .map(({ name }) => ({
      name,
      dims: [1, 2],
      values: name === 'scale_factor' ? Float32Array.of(1, 1) : Float32Array.of(height, width),
    }));
}

function numbersIn(text: string | undefined): number[] | null {
  if (text === undefined) return null;
  const numbers = text
    .replace(/[[\]]/g, '')
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map(Number);
  return numbers.length > 0 && numbers.every(Number.isFinite) ? numbers : null;
}

/** The side of a picture that the network takes at any size. */
function sideFor({ size }: PictureOptions): number {
  if (size !== null) return size;
  throw codedError('MND_MODEL_QUESTION', {
    subject: 'model input',
    expected: 'the side of its picture, for the network takes any',
    next: 'give --size PIXELS as in its training, e.g. --size 224',
  });
}

function shapeError(expected: string, found: string): Error {
  return codedError('MND_MODEL_SHAPE', { subject: 'model input', expected, found });
}
