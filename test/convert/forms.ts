import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import type { NumericForm } from '#mobilenetd/models/variant.js';
import {
  mirrorModel,
  networkInput,
  skipWithoutMirror,
  type TestPicture,
  testPictures,
} from './mirror.js';
import { openOnnx } from './session.js';

const LABELS = join(
  process.env.MOBILENETD_MODELS_MIRROR ?? '../shared/models',
  'imagenet_labels.txt',
);

const pictures = skipWithoutMirror() === false ? await testPictures() : [];
const skip =
  skipWithoutMirror() ||
  (pictures.length === 0 && 'no test pictures') ||
  (!existsSync(LABELS) && 'no ImageNet labels') ||
  false;

/** Each class has one or more names, separated by commas. */
function isRight(labels: readonly string[], index: number, { file }: TestPicture): boolean {
  const name = file.replace(/^n\d+_|\.\w+$/g, '').replaceAll('_', ' ');
  const names = (labels[index] ?? '').split(',').map((label) => label.trim().toLowerCase());
  return names.includes(name.toLowerCase());
}

async function top1(name: string, size: number, form: NumericForm): Promise<number> {
  const labels = readFileSync(LABELS, 'utf8').trim().split('\n');
  const file = mirrorModel(name);
  if (file === null) throw new Error(`${name} is not in the mirror`);
  const model = await openOnnx(convertTflite(file, { form }).onnx, form);
  let right = 0;
  for (const picture of pictures) {
    const { logits } = await model.run(networkInput(picture, size), size, size);
    const values = Array.from(logits?.data ?? []);
    if (isRight(labels, values.indexOf(Math.max(...values)), picture)) right += 1;
  }
  await model.close();
  return right;
}

// Pictures an independent runtime gets right, of the 100, less one.
const EXPECTED: Readonly<Record<string, number>> = {
  'mobilenet_v1_0.25_128_quant': 43,
  'mobilenet_v1_0.5_160_quant': 60,
  'mobilenet_v1_0.75_192_quant': 72,
  'mobilenet_v2_1.0_224_quant': 86,
};

interface Network {
  readonly name: string;
  readonly size: number;
}

export function testForms(t: Test, { name, size }: Network): void {
  void t.test(`${name}: every form is about as often right`, { skip }, async (t) => {
    const exact = await top1(name, size, 'exact');
    t.ok(exact >= (EXPECTED[name] ?? 100), `exact: ${exact} of ${pictures.length}`);
    for (const form of ['symmetric', 'reduced', 'float32'] as const) {
      const right = await top1(name, size, form);
      t.ok(right >= exact - 2, `${form}: ${right}, exact: ${exact}`);
    }
  });
}
