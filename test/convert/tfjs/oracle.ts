import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { loadLayersModel } from '@tensorflow/tfjs-layers';

/** A TensorFlow.js model as TensorFlow.js itself runs it, in plain JavaScript. */
export interface TfjsOracle {
  /** The scores of one picture of real numbers, [1, height, width, channels]. */
  run(input: Float32Array, shape: readonly [number, number, number, number]): Promise<Float32Array>;
  close(): void;
}

/** @param document the parsed model.json */
export async function openTfjs(
  document: Readonly<Record<string, unknown>>,
  shards: readonly Uint8Array[],
): Promise<TfjsOracle> {
  await tf.setBackend('cpu');
  const { modelTopology, weightsManifest, format, ...rest } = document as unknown as {
    readonly modelTopology: Readonly<Record<string, unknown>>;
    readonly weightsManifest: readonly { readonly weights: tf.io.WeightsManifestEntry[] }[];
    readonly format?: string;
  };
  const artifacts: tf.io.ModelArtifacts = {
    ...rest,
    format,
    modelTopology,
    weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
    weightData: new Uint8Array(Buffer.concat(shards)).buffer,
  };
  const handler = tf.io.fromMemory(artifacts);
  const isGraph = Array.isArray(modelTopology.node);
  const model = isGraph ? await loadGraphModel(handler) : await loadLayersModel(handler);
  return {
    async run(input, shape) {
      const picture = tf.tensor4d(input, [...shape]);
      const output = model.predict(picture) as tf.Tensor;
      const values = Float32Array.from(await output.data());
      picture.dispose();
      output.dispose();
      return values;
    },
    close: () => model.dispose(),
  };
}
