import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT } from '#mobilenetd/convert/scaling.js';
import { MixedEngine } from '#mobilenetd/daemon/line/mixed-engine.js';
import { startEngine } from '#mobilenetd/inference/engine.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { rawSsdModel } from '../convert/build-raw-ssd.js';
import { buildTflite } from '../convert/build-tflite.js';
import { randomPicture } from '../convert/random.js';
import { classifierVariant, detectorVariant } from './tiny-models.js';

const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-classes-'));
t.teardown(() => rm(folder, { recursive: true }));

const SIZE = 300;
const RUN = { topK: 5, threshold: 0.62 };
/** Fewer objects reach it than there are places for. */
const FEW = { topK: 5, threshold: 0.8 };

async function network(): Promise<Variant> {
  const picture = { ...NO_PICTURE_OPTIONS, scaling: SIGNED_UNIT };
  const options = { form: 'float32', picture } as const;
  const { onnx, head, input } = convertTflite(buildTflite(rawSsdModel().model), options);
  return classifierVariant(folder, 'ssd', onnx, {
    ...{ task: 'detect', size: SIZE, form: 'float32', input, head },
    labels: ['background', 'cat', 'dog'],
  });
}

function frame(seed: number): Frame {
  return {
    ...{ sequence: seed, camera: 'front', capturedAt: 0, time: 0 },
    ...{ width: SIZE, height: SIZE, format: 'rgb24', range: 'full' },
    bytes: randomPicture(SIZE, seed),
  };
}

async function start(t: Test) {
  const engine = await startEngine({ threads: 1 });
  t.teardown(() => engine.close());
  return engine;
}

t.test('labels that are left have the same scores, boxes and numbers', async (t) => {
  const variant = await network();
  const engine = await start(t);
  let seen = 0;
  for (const keptClasses of [[2], [1]]) {
    for (const seed of [1, 2]) {
      await engine.load(variant);
      const whole = (await engine.run('ssd', frame(seed), FEW)).labels;
      await engine.load({ ...variant, keptClasses });
      const { labels } = await engine.run('ssd', frame(seed), FEW);
      const wanted = whole.filter(({ index }) => keptClasses.includes(index));
      t.ok(whole.length < 100, `${whole.length}: nothing was crowded out`);
      t.same(labels, wanted);
      seen += wanted.length;
    }
  }
  t.ok(seen > 0, `${seen} objects`);
});

t.test('what is wanted changes while frames are looked at', async (t) => {
  const variant = await network();
  const names = async (mixed: MixedEngine) =>
    [...new Set((await mixed.infer(frame(1), RUN)).labels.map(({ label }) => label))].sort();
  const onFault = (error: Error) => t.error(error);
  const mixed = new MixedEngine({ start: () => startEngine({ threads: 1 }), onFault });
  t.teardown(() => mixed.close());
  await mixed.open(variant);
  const all = await names(mixed);
  t.ok(all.includes('dog'), all.join());
  await mixed.setKept(() => [1]);
  t.notOk((await names(mixed)).includes('dog'));
  const changing = mixed.setKept(() => null);
  while ((await names(mixed)).length < all.length) t.pass('a frame meanwhile is served');
  await changing;
  t.same(await names(mixed), all);
});

t.test('a detector without predictors of its own is loaded whole', async (t) => {
  const variant = await detectorVariant(folder, 32);
  const engine = await start(t);
  await t.rejects(engine.load({ ...variant, keptClasses: [1] }), { code: 'MND_MODEL_OPERATOR' });
  const said: unknown[] = [];
  const mixed = new MixedEngine({
    start: () => startEngine({ threads: 1 }),
    onFault: (error) => t.error(error),
    keptOf: () => [1],
    onWhole: (_, error) => said.push(error),
  });
  t.teardown(() => mixed.close());
  await mixed.open(variant);
  t.match(said, [{ code: 'MND_MODEL_OPERATOR' }]);
});
