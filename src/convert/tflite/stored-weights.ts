import { codedError } from '../../errors.js';
import { halvesToFloat32 } from './half.js';
import type { TfliteModel, TfliteOperator, TfliteTensor } from './model-types.js';

/**
 * Takes out the DEQUANTIZE operators that make float32 weights of stored float16 ones: their outputs
 * become constants, so that the readers meet a plain float network. Everything else is untouched.
 *
 * @throws MND_MODEL_INVALID if the weights would take more than the file can have stored, or one is
 *   no finite number
 */
export function unpackHalfWeights(model: TfliteModel, fileBytes: number): TfliteModel {
  const unpacked = new Map<number, TfliteTensor>();
  const left: TfliteOperator[] = [];
  let total = 0;
  for (const operator of model.operators) {
    const source = model.tensors[operator.inputs[0] ?? -1];
    const target = model.tensors[operator.outputs[0] ?? -1];
    const stored = operator.name === 'DEQUANTIZE' && source?.type === 'float16';
    if (!stored || source.bytes === null || target?.type !== 'float32' || target.bytes !== null) {
      left.push(operator);
      continue;
    }
    total += source.bytes.length;
    if (total > fileBytes || source.shape.join() !== target.shape.join()) {
      throw damaged(operator, 'each stored weight to be used once');
    }
    const values = halvesToFloat32(source.bytes);
    if (!values.every(Number.isFinite)) throw damaged(operator, 'finite weights');
    unpacked.set(target.index, { ...target, bytes: new Uint8Array(values.buffer) });
  }
  if (unpacked.size === 0) return model;
  const tensors = model.tensors.map((tensor) => unpacked.get(tensor.index) ?? tensor);
  return { ...model, tensors, operators: left };
}

/** Operators whose weights may be stored more coarsely than they are computed with, by their place. */
const WEIGHTED = ['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED'];

/**
 * Makes real numbers of the int8 weights of a float network (dynamic-range quantization), and of
 * constants behind a DEQUANTIZE: the readers meet a plain float network.
 *
 * @throws MND_MODEL_INVALID if the weights would take more than four times the file
 */
export function unpackRangedWeights(model: TfliteModel, fileBytes: number): TfliteModel {
  const unpacked = new Map<number, TfliteTensor>();
  let total = 0;
  const unpack = (operator: TfliteOperator, tensor: TfliteTensor, index: number) => {
    if (unpacked.has(index)) return;
    total += tensor.bytes?.length ?? 0;
    if (total > fileBytes) throw damaged(operator, 'each stored weight to be used once');
    const { scale, shape, axis } = tensor;
    if (scale.length !== 1 && scale.length !== shape[axis]) {
      throw damaged(operator, 'one scale, or one a channel');
    }
    unpacked.set(index, { ...realTensor(tensor), index });
  };
  const left = model.operators.filter((operator) => {
    const [first = -1, second = -1] = operator.inputs;
    const weights = model.tensors[second];
    if (WEIGHTED.includes(operator.name) && weights !== undefined && isStored(weights)) {
      if (model.tensors[first]?.type === 'float32') unpack(operator, weights, second);
    }
    const source = model.tensors[first];
    const target = model.tensors[operator.outputs[0] ?? -1];
    if (operator.name !== 'DEQUANTIZE' || source === undefined || !isStored(source)) return true;
    if (target?.type !== 'float32') return true;
    unpack(operator, source, target.index);
    return false;
  });
  if (unpacked.size === 0) return model;
  const tensors = model.tensors.map((tensor) => unpacked.get(tensor.index) ?? tensor);
  return { ...model, tensors, operators: left };
}

function isStored({ type, bytes, scale }: TfliteTensor): boolean {
  return type === 'int8' && bytes !== null && scale.length > 0;
}

/** real = scale · (stored − zero point), with a scale for all or for each index along an axis. */
function realTensor(tensor: TfliteTensor): TfliteTensor {
  const { bytes, shape, scale, zeroPoint, axis } = tensor;
  const stored = new Int8Array(
    bytes?.buffer ?? new ArrayBuffer(0),
    bytes?.byteOffset,
    bytes?.length,
  );
  const channels = shape[axis] ?? 1;
  const inner = shape.slice(axis + 1).reduce((product, side) => product * side, 1);
  const values = Float32Array.from(stored, (value, at) => {
    const channel = scale.length === 1 ? 0 : Math.floor(at / inner) % channels;
    return (scale[channel] ?? 1) * (value - (zeroPoint[channel] ?? 0));
  });
  const real = { type: 'float32', scale: [], zeroPoint: [], axis: 0 };
  return { ...tensor, ...real, bytes: new Uint8Array(values.buffer) };
}

function damaged(operator: TfliteOperator, expected: string): Error {
  return codedError('MND_MODEL_INVALID', {
    subject: `operator ${operator.index} (${operator.name})`,
    expected,
  });
}
