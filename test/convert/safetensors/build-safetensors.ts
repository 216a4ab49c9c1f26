import { createRandom } from '../random.js';

export interface TensorSpec {
  readonly dtype: 'F32' | 'F16' | 'I8';
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A safetensors file of these tensors. */
export function buildSafetensors(
  tensors: Readonly<Record<string, TensorSpec>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...Object.values(tensors).map(({ bytes }) => bytes)]);
}

export function reals(shape: readonly number[], values: readonly number[]): TensorSpec {
  return { dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

export function int8s(shape: readonly number[], values: readonly number[]): TensorSpec {
  return { dtype: 'I8', shape, bytes: new Uint8Array(Int8Array.from(values).buffer) };
}

/** Channels of the stem and the thirteen blocks at α = 0.25. */
const CHANNELS = [8, 16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256];

export interface TrainedSpec {
  readonly sizes: readonly number[];
  readonly classes: number;
  readonly int8?: boolean;
  readonly seed?: number;
}

/** The tensors of a MobileNetV1 of α = 0.25 with random weights, as training/export.py writes them. */
export function trainedTensors(spec: TrainedSpec): Record<string, TensorSpec> {
  const { sizes, classes, int8 = false, seed = 1 } = spec;
  const whole = createRandom(seed);
  const random = () => whole(1e6) / 1e6;
  const spread = (count: number, width: number) =>
    Array.from({ length: count }, () => (random() * 2 - 1) * width);
  const tensors: Record<string, TensorSpec> = {};
  const weights = (name: string, shape: readonly number[]) => {
    const count = shape.reduce((a, b) => a * b);
    const outputs = shape[0] ?? 0;
    const values = spread(count, Math.sqrt((3 * outputs) / count) * 1.4);
    if (!int8) {
      tensors[`${name}.weight`] = reals(shape, values);
      return;
    }
    const peak = Math.max(...values.map(Math.abs));
    tensors[`${name}.weight`] = int8s(
      shape,
      values.map((value) => Math.round((value / peak) * 127)),
    );
    tensors[`${name}.weight_scale`] = reals([outputs], Array(outputs).fill(peak / 127));
  };
  let inputs = 3;
  for (let layer = 0; layer < 27; layer += 1) {
    const depthwise = layer % 2 === 1;
    const outputs = depthwise ? inputs : (CHANNELS[layer / 2] ?? 0);
    const kernel = layer === 0 || depthwise ? 3 : 1;
    weights(`layers.${layer}`, [outputs, depthwise ? 1 : inputs, kernel, kernel]);
    for (const size of sizes) {
      tensors[`layers.${layer}.scale.${size}`] = reals(
        [outputs],
        spread(outputs, 0.2).map((value) => 1.2 + value),
      );
      tensors[`layers.${layer}.shift.${size}`] = reals(
        [outputs],
        spread(outputs, 0.3).map((value) => 0.4 + value),
      );
    }
    inputs = outputs;
  }
  weights('classifier', [classes, inputs]);
  tensors['classifier.bias'] = reals([classes], spread(classes, 0.1));
  return tensors;
}

/** Metadata of such a file. */
export function trainedMetadata(sizes: readonly number[]): Record<string, string> {
  const format = 'mobilenetd-ladder 1';
  return { format, family: 'mobilenet_v1', alpha: '0.25', sizes: sizes.join(',') };
}

export function trainedFile(spec: TrainedSpec): Uint8Array {
  return buildSafetensors(trainedTensors(spec), trainedMetadata(spec.sizes));
}
