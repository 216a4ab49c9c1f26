import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;

export type OnnxModelSpec = ConstructorParameters<typeof onnx.ModelProto>[0];

/** A value without a batch size stands for any. */
export type Dimension = number | string;

export const FLOAT = 1;
export const UINT8 = 2;

export function valueInfo(name: string, elemType: number, dims: readonly Dimension[]) {
  const dim = dims.map((side) =>
    typeof side === 'number' ? { dimValue: side } : { dimParam: side },
  );
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

export function floats(name: string, dims: readonly number[], values: readonly number[]) {
  return { name, dims: [...dims], dataType: FLOAT, floatData: [...values] };
}

export function rawFloats(name: string, dims: readonly number[], values: readonly number[]) {
  const rawData = new Uint8Array(Float32Array.from(values).buffer);
  return { name, dims: [...dims], dataType: FLOAT, rawData };
}

export interface ClassifierOptions {
  readonly layout?: 'nchw' | 'nhwc';
  readonly channels?: 1 | 3;
  readonly type?: 'float32' | 'uint8';
  readonly size?: number;
  readonly batch?: Dimension;
  readonly end?: 'softmax' | 'logits' | 'softmax-flatten';
  readonly inputName?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly quantized?: boolean;
  readonly opset?: number;
  /** Lists the constants among the inputs, as files before IR version 4 do. */
  readonly old?: boolean;
}

export const WEIGHTS = [
  [1.5, -0.5, 0.25],
  [-1, 2, 0.5],
  [0.75, 0.5, -2],
  [0.1, -0.2, 0.3],
] as const;

export const BIAS = [0.1, -0.2, 0.3, 0.05];

/**
 * A classifier of four classes: the mean of each channel, times {@link WEIGHTS}, plus {@link BIAS}. A
 * grey one reads the first weight of each class.
 */
export function classifierSpec(options: ClassifierOptions = {}) {
  const { layout = 'nchw', channels = 3, type = 'float32', size = 8, batch = 1 } = options;
  const { end = 'softmax', inputName = 'input', metadata = {}, opset = 17 } = options;
  const shape = layout === 'nchw' ? [batch, channels, size, size] : [batch, size, size, channels];
  const node: object[] = [];
  let value = inputName;
  const add = (opType: string, inputs: string[], output: string, attribute: object[] = []) => {
    node.push({ opType, input: [value, ...inputs], output: [output], name: output, attribute });
    value = output;
  };
  const initializer: object[] = [
    rawFloats(
      'weights',
      [4, channels],
      WEIGHTS.flatMap((row) => row.slice(0, channels)),
    ),
    floats('bias', [4], BIAS),
  ];
  if (type === 'uint8') add('Cast', [], 'real', [{ name: 'to', type: 2, i: FLOAT }]);
  if (layout === 'nhwc') {
    add('Transpose', [], 'planes', [{ name: 'perm', type: 7, ints: [0, 3, 1, 2] }]);
  }
  if (options.quantized) {
    initializer.push(floats('step', [], [2 ** -6]));
    initializer.push({ name: 'zero', dims: [], dataType: UINT8, int32Data: [128] });
    add('QuantizeLinear', ['step', 'zero'], 'stored');
    add('DequantizeLinear', ['step', 'zero'], 'restored');
  }
  add('GlobalAveragePool', [], 'pooled');
  add('Flatten', [], 'flat');
  add('Gemm', ['weights', 'bias'], 'scores', [{ name: 'transB', type: 2, i: 1 }]);
  if (end !== 'logits') add('Softmax', [], 'probabilities', [{ name: 'axis', type: 2, i: 1 }]);
  if (end === 'softmax-flatten') add('Flatten', [], 'flattened');
  const input = [valueInfo(inputName, type === 'float32' ? FLOAT : UINT8, shape)];
  if (options.old) {
    input.push(valueInfo('weights', FLOAT, [4, channels]), valueInfo('bias', FLOAT, [4]));
  }
  return {
    irVersion: options.old ? 3 : 8,
    opsetImport: [{ domain: '', version: opset }],
    producerName: 'test',
    metadataProps: Object.entries(metadata).map(([key, entry]) => ({ key, value: entry })),
    graph: {
      name: 'classifier',
      node,
      initializer,
      input,
      output: [valueInfo(value, FLOAT, [batch, 4])],
    },
  };
}

export function encodeOnnx(spec: object): Uint8Array {
  return onnx.ModelProto.encode(onnx.ModelProto.fromObject(spec)).finish();
}
