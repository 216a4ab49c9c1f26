import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import {
  model as functional,
  type LayersModel,
  layers,
  type Sequential,
  sequential,
} from '@tensorflow/tfjs-layers';
import { createRandom } from '../random.js';

/** A model as TensorFlow.js saves it, with the one that made it. */
export interface SavedModel {
  readonly document: Record<string, unknown> & {
    readonly modelTopology: object;
    readonly weightsManifest: readonly {
      paths: string[];
      weights: tf.io.WeightsManifestEntry[];
    }[];
  };
  readonly shards: readonly Uint8Array[];
}

/** Seeded weights that make answers differ from picture to picture. */
function fill(model: LayersModel, seed: number): void {
  const random = createRandom(seed);
  const weights = model.getWeights().map((weight, index) => {
    const { shape } = weight;
    const inputs = shape.slice(0, -1).reduce((product, side) => product * side, 1);
    const isVector = shape.length === 1;
    const values = Float32Array.from({ length: weight.size }, () => {
      const unit = (random(2001) - 1000) / 1000;
      // Vectors: scales and variances stay well above 0.
      return isVector ? 0.6 + 0.4 * unit + (index % 2) * 0.1 : (unit * 2.2) / Math.sqrt(inputs);
    });
    return tf.tensor(values, shape);
  });
  model.setWeights(weights);
}

async function save(model: LayersModel | Sequential): Promise<SavedModel> {
  let saved: tf.io.ModelArtifacts | null = null;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return {
        modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' },
      };
    }),
  );
  const { modelTopology, weightSpecs = [], weightData } = saved ?? ({} as tf.io.ModelArtifacts);
  const bytes = new Uint8Array(tf.io.concatenateArrayBuffers([weightData].flat() as ArrayBuffer[]));
  const document = {
    modelTopology: modelTopology ?? {},
    format: 'layers-model',
    generatedBy: 'TensorFlow.js tfjs-layers v1.3.1',
    convertedBy: null,
    weightsManifest: [{ paths: ['./weights.bin'], weights: weightSpecs }],
  };
  // What is saved holds objects of the library; a file holds JSON.
  return {
    document: JSON.parse(JSON.stringify(document)) as SavedModel['document'],
    shards: [bytes],
  };
}

/** Blocks of a small MobileNetV2, layer by layer as Keras has them. */
function features(size: number, channels: 1 | 3): LayersModel {
  const input = layers.input({ shape: [size, size, channels], name: 'input_1' });
  type Value = ReturnType<typeof layers.input>;
  const apply = (layer: Pick<LayersModel, 'apply'>, value: Value | Value[]) =>
    layer.apply(value) as Value;
  const norm = (value: Value, name: string, clipped = true) => {
    const normed = apply(layers.batchNormalization({ name, epsilon: 1e-3 }), value);
    return clipped ? apply(layers.reLU({ maxValue: 6, name: `${name}_relu` }), normed) : normed;
  };
  const plain = { useBias: false } as const;
  let value = apply(
    layers.zeroPadding2d({
      padding: [
        [0, 1],
        [0, 1],
      ],
      name: 'Conv1_pad',
    }),
    input,
  );
  value = apply(
    layers.conv2d({
      ...plain,
      filters: 8,
      kernelSize: 3,
      strides: 2,
      padding: 'valid',
      name: 'Conv1',
    }),
    value,
  );
  value = norm(value, 'bn_Conv1');
  const start = value;
  value = norm(
    apply(layers.conv2d({ ...plain, filters: 16, kernelSize: 1, name: 'expand' }), value),
    'expand_BN',
  );
  value = norm(
    apply(
      layers.depthwiseConv2d({ ...plain, kernelSize: 3, padding: 'same', name: 'depthwise' }),
      value,
    ),
    'depthwise_BN',
  );
  value = norm(
    apply(layers.conv2d({ ...plain, filters: 8, kernelSize: 1, name: 'project' }), value),
    'project_BN',
    false,
  );
  value = apply(layers.add({ name: 'add' }), [start, value]);
  // A batch norm that no convolution is before.
  value = apply(
    layers.activation({ activation: 'relu', name: 'after' }),
    norm(value, 'bn_sum', false),
  );
  return functional({ inputs: input, outputs: value, name: 'model1' });
}

export interface LayersOptions {
  readonly size?: number;
  readonly channels?: 1 | 3;
  readonly classes?: number;
  readonly seed?: number;
}

/**
 * A network as Teachable Machine's web export has it: a truncated MobileNet and a pool in a Sequential, two
 * dense layers in another, both in a third.
 */
export async function teachableModel(options: LayersOptions = {}): Promise<SavedModel> {
  const { size = 32, channels = 3, classes = 3, seed = 1 } = options;
  await tf.setBackend('cpu');
  const first = sequential({ name: 'sequential_1' });
  first.add(features(size, channels));
  first.add(
    layers.globalAveragePooling2d({ name: 'global_average_pooling2d_GlobalAveragePooling2D1' }),
  );
  const second = sequential({ name: 'sequential_3' });
  second.add(
    layers.dense({ units: 10, activation: 'relu', inputShape: [8], name: 'dense_Dense1' }),
  );
  second.add(
    layers.dense({ units: classes, activation: 'softmax', useBias: false, name: 'dense_Dense2' }),
  );
  const whole = sequential({ name: 'sequential_4' });
  whole.add(first);
  whole.add(second);
  fill(whole, seed);
  return save(whole);
}

/** A plain Sequential network of other layers: pools, a flattened map, a dropout, a sigmoid. */
export async function plainModel(options: LayersOptions = {}): Promise<SavedModel> {
  const { size = 24, channels = 3, classes = 4, seed = 2 } = options;
  await tf.setBackend('cpu');
  const whole = sequential({ name: 'plain' });
  whole.add(
    layers.conv2d({
      filters: 6,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
      inputShape: [size, size, channels],
    }),
  );
  whole.add(layers.maxPooling2d({ poolSize: 2, strides: 2 }));
  whole.add(layers.separableConv2d({ filters: 8, kernelSize: 3, strides: 2, padding: 'same' }));
  whole.add(layers.dropout({ rate: 0.5 }));
  whole.add(layers.flatten());
  whole.add(layers.dense({ units: 12, activation: 'relu6' }));
  whole.add(layers.dense({ units: classes, activation: 'sigmoid' }));
  fill(whole, seed);
  return save(whole);
}

/** The same model with its weights in fewer bits, as `tensorflowjs_converter --quantize_…` writes them. */
export function quantizedModel(
  { document, shards }: SavedModel,
  dtype: 'uint8' | 'uint16',
): SavedModel {
  const bytes = Buffer.concat(shards);
  const parts: Uint8Array[] = [];
  let at = 0;
  const most = dtype === 'uint8' ? 255 : 65_535;
  const weights = (document.weightsManifest[0]?.weights ?? []).map((entry) => {
    const count = entry.shape.reduce((product, side) => product * side, 1);
    const values = new Float32Array(new Uint8Array(bytes.subarray(at, at + 4 * count)).buffer);
    at += 4 * count;
    const min = Math.min(0, ...values);
    const scale = Math.max((Math.max(...values) - min) / most, 1e-9);
    const steps = Array.from(values, (value) => Math.round((value - min) / scale));
    parts.push(
      dtype === 'uint8' ? Uint8Array.from(steps) : new Uint8Array(Uint16Array.from(steps).buffer),
    );
    return { ...entry, quantization: { dtype, min, scale } };
  });
  const weightsManifest = [{ paths: ['group1-shard1of1'], weights }];
  return {
    document: { ...document, weightsManifest },
    shards: [new Uint8Array(Buffer.concat(parts))],
  };
}
