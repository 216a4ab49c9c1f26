import { codedError, messageOf } from '../../errors.js';
import { checkClasses, checkModel, openSession } from '../../inference/model.js';
import { ort } from '../../inference/runtime.js';
import { sidesOf, type Variant } from '../variant.js';

export interface VerifyRequest {
  readonly variants: readonly Variant[];
}

/** Mid-grey: in the middle of every input range. */
const GREY = 128;

/**
 * Loads each variant and runs it once on a grey picture: it must load, have the inputs and outputs
 * that its description names, and give finite numbers. Meant for a child process, for a runtime that
 * does not fit the processor kills the process it is in.
 *
 * @throws MND_MODEL_VERIFY
 */
export async function verifyVariants({ variants }: VerifyRequest): Promise<void> {
  for (const variant of variants) {
    try {
      await verifyVariant(variant);
    } catch (error) {
      throw codedError('MND_MODEL_VERIFY', {
        subject: `${variant.name} (${variant.form})`,
        found: messageOf(error),
      });
    }
  }
}

async function verifyVariant(variant: Variant): Promise<void> {
  const session = await openSession(variant, 1);
  try {
    checkModel(session, variant);
    const [height, width] = sidesOf(variant.input, variant.size);
    const picture = new Uint8Array(height * width * 3).fill(GREY);
    const shape = [1, height, width, 3];
    const feeds = { [variant.input.name]: new ort.Tensor('uint8', picture, shape) };
    const outputs = await session.run(feeds);
    for (const [name, { data }] of Object.entries(outputs)) {
      if (data.length === 0) throw new Error(`output "${name}" is empty`);
      if (data instanceof Float32Array && !data.every(Number.isFinite)) {
        throw new Error(`output "${name}" has values that are no finite numbers`);
      }
    }
    const { head } = variant;
    checkClasses(variant, head.kind === 'classifier' ? outputs[head.logits.name] : undefined);
  } finally {
    await session.release();
  }
}
