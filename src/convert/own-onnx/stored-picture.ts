import { codedError } from '../../errors.js';
import type { StoredPicture } from '../scaling.js';
import { constantNumbers, constantValues, INT8 } from './constants.js';
import type { OnnxFile, OnnxNode } from './parse.js';

/** Operators that read stored numbers by a scale and a zero point, their second and third input. */
export const STORED_READERS = [
  'DequantizeLinear',
  'QLinearConv',
  'QLinearMatMul',
  'QLinearAdd',
  'QLinearMul',
  'QLinearAveragePool',
  'QLinearGlobalAveragePool',
];

/** Operators that move numbers about. */
const MOVING = ['Transpose', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Pad'];
const MAX_STEPS = 8;

/** Scale and zero point as those of uint8, and the names of their constants. */
export interface OnnxStored extends StoredPicture {
  readonly names: { readonly scale: string; readonly zeroPoint: string };
}

/**
 * The scale and zero point by which some operators read a value, or write it: those of the first that reads
 * it, over what only moves numbers. Null where other operators read it.
 *
 * @throws MND_MODEL_OPERATOR for a scale a channel, or one that is computed
 */
export function storedPicture(
  file: OnnxFile,
  value: string,
  readers: readonly string[],
): OnnxStored | null {
  let name = value;
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    const at = name;
    const [reader] = file.nodes.filter(({ inputs }) => inputs.includes(at));
    if (reader === undefined) return null;
    if (readers.includes(reader.opType)) return storedBy(file, reader);
    if (!MOVING.includes(reader.opType)) return null;
    name = reader.outputs[0] ?? '';
  }
  return null;
}

function storedBy(file: OnnxFile, { opType, inputs }: OnnxNode): OnnxStored {
  const [, scaleName = '', zeroName = ''] = inputs;
  const scales = constantValues(file, scaleName);
  const zero = zeroName === '' ? { type: 0, values: [0] } : constantNumbers(file, zeroName);
  const zeros = zero?.values ?? null;
  const [scale = 0] = scales ?? [];
  const zeroPoint = (zeros?.[0] ?? 0) + (zero?.type === INT8 ? 128 : 0);
  if (scales?.length === 1 && zeros?.length === 1 && scale > 0 && Number.isFinite(scale)) {
    return { scale, zeroPoint, names: { scale: scaleName, zeroPoint: zeroName } };
  }
  throw codedError('MND_MODEL_OPERATOR', {
    subject: 'model input',
    expected: `one scale and one zero point in the file, at its ${opType}`,
    found: scales === null || zeros === null ? 'computed ones' : `${scales.length} scales`,
    next: 'quantize it with one scale for the picture (per_channel is for weights)',
  });
}
