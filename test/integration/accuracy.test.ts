import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { startEngine } from '#mobilenetd/inference/engine.js';
import { readLabels } from '#mobilenetd/models/labels.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { decodePicture } from '#mobilenetd/vision/decode.js';
import { labelledPictures, modelMirror } from './pictures.js';

/** Of 100 pictures, as an independent runtime labels them, less one: another JPEG decoder. */
const MODELS = [
  { model: 'mobilenet_v1_0.75_192_quant', alpha: 0.75, size: 192, least: 72 },
  { model: 'mobilenet_v1_0.5_160_quant', alpha: 0.5, size: 160, least: 60 },
  { model: 'mobilenet_v1_0.25_128_quant', alpha: 0.25, size: 128, least: 43 },
  { model: 'mobilenet_v2_1.0_224_quant', alpha: 1, size: 224, least: 86 },
] as const;

const pictures = await labelledPictures();
const skip =
  modelMirror === null || pictures.length !== 100
    ? 'needs the model mirror and the 100 labelled pictures'
    : false;
const mirror = modelMirror ?? '';
const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-accuracy-'));
t.teardown(() => rm(folder, { recursive: true }));

async function install(entry: (typeof MODELS)[number]): Promise<Variant> {
  const { model, alpha, size } = entry;
  const tflite = await readFile(join(mirror, `${model}.tflite`));
  const { onnx, input, head } = convertTflite(tflite, { form: 'exact' });
  const file = join(folder, `${model}.onnx`);
  await writeFile(file, onnx);
  return {
    name: model,
    model,
    family: 'mobilenet',
    task: 'classify',
    alpha,
    size,
    form: 'exact',
    file,
    sha256: createHash('sha256').update(onnx).digest('hex'),
    input,
    head,
    preprocessing: { centralCrop: 0.875 },
    labels: await readLabels(join(mirror, 'imagenet_labels.txt')),
    accuracy: { top1: null, top5: null, map: null },
    multAdds: null,
  };
}

const blank = { sequence: 1, camera: 'test', capturedAt: 0, time: 0, range: 'full' } as const;

async function encoded(file: string): Promise<Frame> {
  return { ...blank, width: 0, height: 0, format: 'jpeg', bytes: await readFile(file) };
}

async function decoded(file: string): Promise<Frame> {
  const picture = await decodePicture(await readFile(file), { subject: file });
  const bytes = new Uint8Array(new SharedArrayBuffer(picture.bytes.length));
  bytes.set(picture.bytes);
  return { ...blank, ...picture, format: 'rgb24', bytes };
}

t.test('top-1 of 100 pictures', { skip }, async (t) => {
  const engine = await startEngine({ threads: 1 });
  t.teardown(() => engine.close());
  const frames = await Promise.all(pictures.map(({ file }) => decoded(file)));

  async function rightOf(variant: Variant, source: readonly Frame[]): Promise<number> {
    await engine.load(variant);
    let right = 0;
    for (const [index, frame] of source.entries()) {
      const { labels } = await engine.run(variant.name, frame, { topK: 1, threshold: 0 });
      const names = labels[0]?.label.split(', ') ?? [];
      if (names.includes(pictures[index]?.label ?? '')) right += 1;
    }
    return right;
  }

  for (const entry of MODELS) {
    const right = await rightOf(await install(entry), frames);
    t.ok(right >= entry.least, `${entry.model}: ${right}, at least ${entry.least}`);
  }

  const [first] = MODELS;
  const files = await Promise.all(pictures.map(({ file }) => encoded(file)));
  const right = await rightOf(await install(first), files);
  t.ok(right >= first.least, `${first.model} from JPEG: ${right}`);
});
