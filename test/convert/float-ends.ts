import { parseTflite } from '#mobilenetd/convert/tflite/model.js';
import type { TfliteOperator, TfliteTensor } from '#mobilenetd/convert/tflite/model-types.js';
import { OPERATOR_NAMES } from '#mobilenetd/convert/tflite/schema.js';
import { CODE } from './build-mobilenet.js';
import { buildTflite, type OperatorSpec, type TensorSpec } from './build-tflite.js';

/** Settings of the operators that quantized networks use: number of the union, and fields by type. */
const SETTINGS: Readonly<
  Record<string, readonly [union: number, int8: number[], int32: number[]]>
> = {
  CONV_2D: [1, [0, 3], [1, 2, 4, 5]],
  DEPTHWISE_CONV_2D: [2, [0, 4], [1, 2, 3, 5, 6]],
  AVERAGE_POOL_2D: [5, [0, 5], [1, 2, 3, 4]],
  MAX_POOL_2D: [5, [0, 5], [1, 2, 3, 4]],
  FULLY_CONNECTED: [8, [0, 1, 2], []],
  SOFTMAX: [9, [], []],
  ADD: [11, [0], []],
  MUL: [21, [0], []],
  RESHAPE: [17, [], []],
  MEAN: [27, [0], []],
  PAD: [22, [], []],
  CONCATENATION: [10, [1], [0]],
};

/** An operator of a file as the writer takes it. Zero and 1 are the defaults of strides and dilations, so an absent field is written as what it means. */
export function operatorSpec(operator: TfliteOperator): OperatorSpec {
  const { name, inputs, outputs, options, customOptions } = operator;
  if (customOptions !== null) return { code: name, inputs, outputs, customOptions };
  const code = OPERATOR_NAMES.indexOf(name);
  const [union, bytes, numbers] = SETTINGS[name] ?? [0, [], []];
  if (union === 0) return { code, inputs, outputs };
  return {
    code,
    inputs,
    outputs,
    options: {
      union,
      int8: Object.fromEntries(bytes.map((field) => [field, options.int8(field, 0)])),
      int32: Object.fromEntries(numbers.map((field) => [field, options.int32(field, 1)])),
      ...(name === 'SOFTMAX' && { float32: { 0: options.float32(0, 1) } }),
    },
  };
}

const ARRAYS = { uint8: Uint8Array, int8: Int8Array, int32: Int32Array, float32: Float32Array };

export function tensorSpec({
  name,
  type,
  shape,
  scale,
  zeroPoint,
  axis,
  bytes,
}: TfliteTensor): TensorSpec {
  const kind = type as keyof typeof ARRAYS;
  const copy = bytes === null ? null : new Uint8Array(bytes);
  return {
    name,
    type: kind,
    shape,
    ...(scale.length > 0 && { scale, zeroPoint, axis }),
    ...(copy !== null && { data: new ARRAYS[kind](copy.buffer) }),
  };
}

/** A detector with other settings of its post-processing, and room for as many answers as these allow. */
export function withPostprocess(file: Uint8Array, settings: Uint8Array, most: number): Uint8Array {
  const model = parseTflite(withOutputShapes(file, most));
  const { inputs, outputs } = model;
  const operators = model.operators.map((operator) => ({
    ...operatorSpec(operator),
    ...(operator.customOptions !== null && { customOptions: settings }),
  }));
  return buildTflite({ tensors: model.tensors.map(tensorSpec), operators, inputs, outputs });
}

/**
 * A detector whose outputs say their shapes, which files leave open and the oracle wants to know.
 *
 * @param most objects that the detector names
 */
export function withOutputShapes(file: Uint8Array, most: number): Uint8Array {
  const model = parseTflite(file);
  const shapes = [[1, most, 4], [1, most], [1, most], [1]];
  const tensors = model.tensors.map((tensor) => {
    const at = model.outputs.indexOf(tensor.index);
    return { ...tensorSpec(tensor), ...(at >= 0 && { shape: shapes[at] ?? [] }) };
  });
  const { inputs, outputs } = model;
  return buildTflite({ tensors, operators: model.operators.map(operatorSpec), inputs, outputs });
}

/**
 * A quantized network whose picture and answer are real numbers, for an oracle that has no int8: a
 * QUANTIZE in front and a DEQUANTIZE behind, the rest as it is.
 */
export function withFloatEnds(file: Uint8Array): Uint8Array {
  const model = parseTflite(file);
  const tensors = model.tensors.map(tensorSpec);
  const operators = model.operators.map(operatorSpec);
  const real = (index: number) => {
    const { name, shape = [] } = tensors[index] ?? { name: '' };
    return tensors.push({ name: `${name}/real`, type: 'float32', shape }) - 1;
  };
  const inputs = model.inputs.map((input) => {
    const picture = real(input);
    operators.unshift({ code: CODE.QUANTIZE, inputs: [picture], outputs: [input] });
    return picture;
  });
  const outputs = model.outputs.map((output) => {
    const answer = real(output);
    operators.push({ code: CODE.DEQUANTIZE, inputs: [output], outputs: [answer] });
    return answer;
  });
  return buildTflite({ tensors, operators, inputs, outputs });
}
