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

function damaged(operator: TfliteOperator, expected: string): Error {
  return codedError('MND_MODEL_INVALID', {
    subject: `operator ${operator.index} (${operator.name})`,
    expected,
  });
}
