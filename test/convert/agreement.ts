import type { Test } from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { openOracle, withoutLastOperator } from './litert.js';
import { mirrorModel, networkInput, skipWithoutMirror, testPictures } from './mirror.js';
import { openOnnx } from './session.js';

const all = skipWithoutMirror() === false ? await testPictures() : [];
const skip = skipWithoutMirror() || (all.length === 0 && 'no test pictures') || false;

function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) {
    if ((values[index] ?? 0) > (values[best] ?? 0)) best = index;
  }
  return best;
}

interface Agreement {
  logits: number;
  equal: number;
  largest: number;
  top1: number;
}

/** Runs every picture through the exact form and through TensorFlow Lite, and compares logits. */
async function compare(name: string, size: number, pictures: typeof all): Promise<Agreement> {
  const file = mirrorModel(name);
  if (file === null) throw new Error(`${name} is not in the mirror`);
  const oracle = await openOracle(withoutLastOperator(file));
  const model = await openOnnx(convertTflite(file, { form: 'exact' }).onnx);
  const agreement = { logits: 0, equal: 0, largest: 0, top1: 0 };
  for (const picture of pictures) {
    const input = networkInput(picture, size);
    const expected = await oracle.run(input, [1, size, size, 3]);
    const { logits } = await model.run(input, size, size);
    if (logits === undefined || logits.data.length !== expected.length) {
      throw new Error(`${name}: ${logits?.data.length} logits, not ${expected.length}`);
    }
    for (const [index, value] of logits.data.entries()) {
      const difference = Math.abs(value - (expected[index] ?? Number.NaN));
      agreement.logits += 1;
      if (difference === 0) agreement.equal += 1;
      agreement.largest = Math.max(agreement.largest, difference);
    }
    if (argMax(logits.data) === argMax(expected)) agreement.top1 += 1;
  }
  oracle.close();
  await model.close();
  return agreement;
}

interface Network {
  readonly name: string;
  readonly size: number;
}

/** Tests a network with every so manieth picture. */
export function testAgreement(t: Test, { name, size }: Network, every: number): void {
  const pictures = all.filter((_, index) => index % every === 0);
  void t.test(`${name}: logits are TensorFlow Lite's, bit for bit`, { skip }, async (t) => {
    const { logits, equal, largest, top1 } = await compare(name, size, pictures);
    t.equal(logits, pictures.length * 1001);
    t.equal(equal, logits, `largest difference ${largest}`);
    t.equal(top1, pictures.length);
  });
}
