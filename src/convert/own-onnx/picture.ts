import { codedError } from '../../errors.js';
import {
  askForScaling,
  BYTES,
  type ChannelScaling,
  checkScaling,
  inOrder,
  nominalScaling,
  type PictureOptions,
  requireStorable,
  SIGNED_UNIT,
  storedTable,
  UNIT,
  writtenScaling,
} from '../scaling.js';
import type { OnnxFile, OnnxValue } from './parse.js';
import { STORED_READERS, storedPicture } from './stored-picture.js';

/** The picture that a network takes. */
export interface OnnxPicture {
  readonly input: OnnxValue;
  readonly sides: readonly [height: number, width: number];
  readonly channels: 1 | 3;
  /** Whether channels come before rows. */
  readonly planar: boolean;
  readonly type: 'float32' | 'float16' | 'uint8' | 'int8';
  /** Blue first. */
  readonly reversed: boolean;
  /** Null for pixels that are taken as they are. */
  readonly scaling: ChannelScaling | null;
  /** Constants by which real numbers become the network's stored ones; null where they do not. */
  readonly stored: { readonly scale: string; readonly zeroPoint: string } | null;
}

/** TensorProto.DataType */
const TYPES = new Map([
  [1, 'float32'],
  [2, 'uint8'],
  [3, 'int8'],
  [10, 'float16'],
] as const);

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
    throw shapeError(
      'one picture as input',
      `${open.length} inputs`,
      'export it with its picture as the only input, other inputs as constants',
    );
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
      'export it for one picture (batch 1) of such sides',
    );
  }
  const type = TYPES.get(input.type as 1 | 2 | 3 | 10);
  if (type === undefined) {
    throw shapeError(
      'a picture of float32, float16, uint8 or int8',
      `data type ${input.type}`,
      'export it with a float32 picture',
    );
  }
  const reversed =
    options.reversed || (file.metadata.get('Image.BitmapPixelFormat')?.startsWith('Bgr') ?? false);
  const numbers =
    type === 'uint8' || type === 'int8'
      ? storedNumbers(file, input.name, type, { given, colours, reversed })
      : {
          stored: null,
          scaling: realNumbers(file, input.name, { given, colours, reversed }, hint),
        };
  return { input, sides: [height, width], channels: colours, planar, type, reversed, ...numbers };
}

interface Asked {
  readonly given: ChannelScaling | null;
  readonly colours: 1 | 3;
  readonly reversed: boolean;
}

/** The scaling of a picture of real numbers, which must be storable where the network stores them at once. */
function realNumbers(file: OnnxFile, name: string, asked: Asked, hint: string | null) {
  const { given, colours, reversed } = asked;
  const scaling = scalingOf(file, given, colours, reversed, hint);
  const stored = storedPicture(file, name, ['QuantizeLinear']);
  if (stored !== null) requireStorable(scaling, stored);
  return scaling;
}

/**
 * How a picture of whole numbers is stored: as its scale and zero point say, where the network reads it by
 * those; pixels as they are where it reads them as whole numbers.
 */
function storedNumbers(
  file: OnnxFile,
  name: string,
  type: 'uint8' | 'int8',
  { given, colours, reversed }: Asked,
): Pick<OnnxPicture, 'scaling' | 'stored'> {
  const stored = storedPicture(file, name, STORED_READERS);
  if (stored === null) {
    if (given !== null) {
      throw codedError('MND_USAGE', {
        subject: 'mean and scale',
        expected: 'a float32 picture',
        found: `a ${type} picture, which pixels are as they are`,
        next: 'leave --mean and --scale out',
      });
    }
    if (type === 'uint8') return { scaling: null, stored: null };
    throw unexplained('whole numbers that nothing explains');
  }
  // Without a zero point the operator that would store them makes uint8.
  if (type === 'int8' && stored.names.zeroPoint === '') throw unexplained('a scale alone');
  const { scale: step, zeroPoint } = stored;
  const [low, high] = [-zeroPoint * step, (255 - zeroPoint) * step];
  const scaling =
    given ?? nominalScaling(low, high) ?? scalingInFile(file.metadata, colours) ?? null;
  if (scaling === null) {
    throw askForScaling(
      'a quantized picture',
      `stored numbers for ${low.toPrecision(3)} to ${high.toPrecision(3)}, which is no range of pixels`,
    );
  }
  checkScaling(scaling, colours);
  requireStorable(scaling, { scale: step, zeroPoint });
  const own = given !== null && reversed ? inOrder(given, true) : scaling;
  const same = storedTable(own, { scale: step, zeroPoint }) === null;
  if (same && type === 'uint8') return { scaling: null, stored: null };
  return { scaling: own, stored: stored.names };
}

function unexplained(found: string): Error {
  return codedError('MND_MODEL_OPERATOR', {
    subject: 'model input',
    expected:
      'an int8 picture with a scale and a zero point, behind DequantizeLinear or QLinearConv',
    found,
    next: 'export it with a float32 or uint8 input',
  });
}

/** Given numbers are for red, green and blue, those in the file for the network's own channels. */
function scalingOf(
  file: OnnxFile,
  given: ChannelScaling | null,
  channels: 1 | 3,
  reversed: boolean,
  hint: string | null,
): ChannelScaling {
  const scaling = given ?? scalingInFile(file.metadata, channels);
  if (scaling === null) {
    const usual = hint === null ? '' : `; ${hint}`;
    const found = `neither --mean and --scale nor metadata in the file${usual}`;
    throw askForScaling('a float32 picture', found);
  }
  checkScaling(scaling, channels);
  if (given === null || !reversed) return scaling;
  return { mean: given.mean.toReversed(), scale: given.scale.toReversed() };
}

function scalingInFile(
  metadata: ReadonlyMap<string, string>,
  channels: 1 | 3,
): ChannelScaling | null {
  const nominal = NOMINAL_RANGES[metadata.get('Image.NominalPixelRange') ?? ''];
  const mean = numbersIn(metadata.get('mean'));
  const scale = numbersIn(metadata.get('scale'));
  const deviation = numbersIn(metadata.get('std'));
  const factor = scale ?? deviation?.map((value) => 1 / value) ?? null;
  if (mean === null || factor === null) return nominal ?? (isUltralytics(metadata) ? UNIT : null);
  const written = writtenScaling(mean, factor, channels);
  if (written !== null) return written;
  throw codedError('MND_MODEL_INVALID', {
    subject: 'ONNX file',
    expected: 'a mean and a scale of pixels in its metadata',
    found: `mean ${mean.join(', ')}, scale ${factor.join(', ')}`.slice(0, 160),
    next: 'give --mean and --scale as in its training',
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

function shapeError(expected: string, found: string, next: string): Error {
  return codedError('MND_MODEL_SHAPE', { subject: 'model input', expected, found, next });
}
