import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { MixedEngine } from '#mobilenetd/daemon/line/mixed-engine.js';
import { embedPictures } from '#mobilenetd/inference/embed.js';
import { startEngine } from '#mobilenetd/inference/engine.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { mobilenetV1Spec } from '../convert/build-mobilenet.js';
import { buildTflite } from '../convert/build-tflite.js';
import { randomPicture } from '../convert/random.js';
import { classifierVariant } from './tiny-models.js';

const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-embedding-'));
t.teardown(() => rm(folder, { recursive: true }));

const SIZE = 64;
const CLASSES = 10;
const RUN = { topK: CLASSES, threshold: 0 };

async function network(name: string, alpha = 0.25): Promise<Variant> {
  const file = buildTflite(mobilenetV1Spec({ alpha, size: SIZE, classes: CLASSES }));
  const { onnx, head, input } = convertTflite(file, { form: 'exact' });
  return classifierVariant(folder, name, onnx, {
    size: SIZE,
    input,
    head,
    labels: Array.from({ length: CLASSES }, (_, index) => `class ${index}`),
  });
}

function frame(seed: number, changes: Partial<Frame> = {}): Frame {
  return {
    sequence: seed,
    camera: 'front',
    capturedAt: 0,
    time: 0,
    width: SIZE,
    height: SIZE,
    format: 'rgb24',
    range: 'full',
    bytes: randomPicture(SIZE, seed),
    ...changes,
  };
}

async function start(t: Test) {
  const engine = await startEngine({ threads: 1 });
  t.teardown(() => engine.close());
  return engine;
}

t.test('a result carries the embedding where it is asked for, and is else the same', async (t) => {
  const variant = await network('plain');
  const [plain, asked] = [await start(t), await start(t)];
  await plain.load(variant);
  await asked.load({ ...variant, embedding: true });
  const embeddings: Float32Array[] = [];
  for (const seed of [1, 2, 3]) {
    const expected = await plain.run('plain', frame(seed), { ...RUN, embedding: true });
    t.equal(expected.embedding, undefined, 'a variant that was loaded without gives none');
    const unasked = await asked.run('plain', frame(seed), RUN);
    t.equal(unasked.embedding, undefined, 'nor does one that is not asked');
    const { embedding, ...result } = await asked.run('plain', frame(seed), {
      ...RUN,
      embedding: true,
    });
    t.same(result.labels, expected.labels);
    t.same(unasked.labels, expected.labels);
    t.ok(embedding instanceof Float32Array && embedding.length === 256);
    embeddings.push(embedding ?? new Float32Array());
  }
  t.notSame(embeddings[0], embeddings[1], 'each frame has its own');
  const again = await asked.run('plain', frame(1), { ...RUN, embedding: true });
  t.same(again.embedding, embeddings[0]);
  const crop = [8, 8, 32, 32] as const;
  const part = await asked.run('plain', frame(1), { ...RUN, crop, embedding: true });
  t.notSame(part.embedding, embeddings[0], 'a part of a frame has another');
});

t.test('a variant can be loaded with embeddings, and without again', async (t) => {
  const variant = await network('switched');
  const engine = await start(t);
  const given = async () =>
    (await engine.run('switched', frame(4), { ...RUN, embedding: true })).embedding?.length;
  await engine.load(variant);
  t.equal(await given(), undefined);
  await engine.load({ ...variant, embedding: true });
  t.equal(await given(), 256);
  t.equal((await engine.memory()).sessions, 1, 'the other session has ended');
  await engine.load(variant);
  t.equal(await given(), undefined);
  t.same(engine.loaded(), ['switched']);
});

t.test('a network without features cannot be loaded so, and what runs goes on', async (t) => {
  const means = await classifierVariant(folder, 'means');
  const engine = await start(t);
  await engine.load(means);
  await t.rejects(engine.load({ ...means, embedding: true }), { code: 'MND_MODEL_OPERATOR' });
  t.same(engine.loaded(), ['means']);
  t.equal((await engine.run('means', frame(1), { topK: 1, threshold: 0 })).labels.length, 1);
});

t.test('a mix of variants gives embeddings from when they are wanted on', async (t) => {
  const [small, large] = [await network('small'), await network('large', 0.5)];
  const mixed = new MixedEngine({
    start: (onFault) => startEngine({ threads: 1, onFault }),
    onFault: (error) => t.fail(error.message),
  });
  t.teardown(() => mixed.close());
  await mixed.open(small);
  const given = async () => {
    const { model, embedding } = await mixed.infer(frame(5), { ...RUN, embedding: true });
    return [model, embedding?.length];
  };
  t.same(await given(), ['small', undefined]);
  await mixed.setEmbedding(true);
  t.same(await given(), ['small', 256]);
  await mixed.use({ low: small, high: large, fraction: 0.5 });
  const seen = new Set<unknown>();
  for (let k = 0; k < 4; k += 1) seen.add((await given()).join());
  t.same([...seen].sort(), ['large,512', 'small,256'], 'each variant has its own length');
  t.ok((await mixed.measure(large)) > 0);
  t.equal((await given())[1] === undefined, false, 'a measurement takes nothing away');
  await mixed.setEmbedding(false);
  t.equal((await given())[1], undefined);
});

t.test('wanting embeddings of a network without them changes nothing', async (t) => {
  const mixed = new MixedEngine({
    start: (onFault) => startEngine({ threads: 1, onFault }),
    onFault: (error) => t.fail(error.message),
  });
  t.teardown(() => mixed.close());
  await mixed.open(await classifierVariant(folder, 'colours'));
  await t.rejects(mixed.setEmbedding(true), { code: 'MND_MODEL_OPERATOR' });
  const { labels } = await mixed.infer(frame(1), { topK: 1, threshold: 0, embedding: true });
  t.equal(labels.length, 1);
});

t.test('stored pictures are embedded as frames are, one after the other', async (t) => {
  const variant = await network('stored');
  const sharp = (await import('sharp')).default;
  const raw = { width: SIZE, height: SIZE, channels: 3 } as const;
  const encoded = await Promise.all(
    [1, 2, 3].map((seed) => sharp(randomPicture(SIZE, seed), { raw }).png().toBuffer()),
  );
  const engine = await start(t);
  await engine.load({ ...variant, embedding: true });
  const found: Float32Array[] = [];
  for await (const embedding of embedPictures(variant, encoded)) found.push(embedding);
  t.equal(found.length, 3);
  for (const [index, embedding] of found.entries()) {
    const run = { ...RUN, embedding: true };
    const live = await engine.run('stored', frame(index + 1), run);
    t.same(embedding, live.embedding);
  }

  const abort = new AbortController();
  const begun = embedPictures(variant, encoded, { signal: abort.signal });
  t.notOk((await begun.next()).done);
  abort.abort();
  await t.rejects(begun.next(), { name: 'AbortError' });
  const broken = embedPictures(variant, [Buffer.from('no picture')]);
  await t.rejects(broken.next(), { code: 'MND_IMAGE_INVALID' });
});
