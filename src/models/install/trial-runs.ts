import { ort, sessionOptions } from '../../inference/runtime.js';
import { type ModelInput, type NumericForm, sidesOf } from '../variant.js';
import { trialPictures } from './trial-pictures.js';

/** The outputs of a run that are float32, by name. */
export type TrialRun = ReadonlyMap<
  string,
  { readonly dims: readonly number[]; readonly data: Float32Array }
>;

export interface TrialNetwork {
  readonly onnx: Uint8Array;
  readonly form: NumericForm;
  readonly input: ModelInput;
}

/** What a network answers to each of the trial pictures. Throws what onnxruntime throws. */
export async function runTrials(
  { onnx, form, input }: TrialNetwork,
  outputs: readonly string[],
): Promise<TrialRun[]> {
  const session = await ort.InferenceSession.create(onnx, sessionOptions(1, form));
  const [height, width] = sidesOf(input, input.sizes[0] ?? 0);
  const runs: TrialRun[] = [];
  try {
    for (const bytes of trialPictures(height, width)) {
      const picture = new ort.Tensor('uint8', bytes, [1, height, width, 3]);
      const results = await session.run({ [input.name]: picture });
      const found = outputs.flatMap((name) => {
        const { dims = [], data } = results[name] ?? {};
        return data instanceof Float32Array ? [[name, { dims, data: data.slice() }] as const] : [];
      });
      runs.push(new Map(found));
    }
  } finally {
    await session.release();
  }
  return runs;
}
