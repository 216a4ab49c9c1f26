import { ort, sessionOptions } from '#mobilenetd/inference/runtime.js';
import type { NumericForm } from '#mobilenetd/models/variant.js';

export interface OnnxOutput {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Uint8Array | Float32Array;
}

export interface OnnxModel {
  /** Runs one uint8 picture [1, height, width, 3] through the model. */
  run(picture: Uint8Array, height: number, width: number): Promise<Record<string, OnnxOutput>>;
  close(): Promise<void>;
}

/** Loads an ONNX file as the daemon does, with one thread; `exact` is right for every form. */
export async function openOnnx(file: Uint8Array, form: NumericForm = 'exact'): Promise<OnnxModel> {
  const session = await ort.InferenceSession.create(file, sessionOptions(1, form));
  return {
    async run(picture, height, width) {
      const input = new ort.Tensor('uint8', picture, [1, height, width, 3]);
      const results = await session.run({ [session.inputNames[0] ?? 'input']: input });
      return Object.fromEntries(
        Object.entries(results).map(([name, { type, dims, data }]) => {
          if (!(data instanceof Uint8Array || data instanceof Float32Array)) {
            throw new Error(`output ${name} is ${type}`);
          }
          return [name, { type, dims, data }];
        }),
      );
    },
    close: () => session.release(),
  };
}
