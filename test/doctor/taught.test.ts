import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { taughtRequest } from '#mobilenetd/daemon/options/teach.js';
import type { Finding } from '#mobilenetd/doctor/finding.js';
import { checkTaught } from '#mobilenetd/doctor/taught.js';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { Embedder } from '#mobilenetd/taught/embedder.js';
import { headOf } from '#mobilenetd/taught/heads.js';
import { shippedNegatives } from '#mobilenetd/taught/negatives.js';
import { CropShelf } from '#mobilenetd/taught/shelf.js';
import { type TaughtTask, taskOf } from '#mobilenetd/taught/task.js';
import { tasksOf } from '#mobilenetd/taught/tasks.js';
import { installRandomModel } from '../integration/demo-process.js';
import { colorEngine, drawn } from '../taught/color-engine.js';
import { configFor, fakeBoard, surroundingsOf } from './fake-board.js';

const ENV = {
  MOBILENETD_MODEL_TASK: 'classify',
  MOBILENETD_MODEL_NAME: 'random_v1',
  MOBILENETD_CAMERAS: '{"front":{"source":"libcamera"}}',
};

/** A board with a network that the package has no bank for, and pictures of what was taught. */
async function board(t: Test) {
  const { folder } = fakeBoard(t);
  await installRandomModel(join(folder, 'state'));
  const shelf = new CropShelf(join(folder, 'state'), { maxCrops: 2000, maxBytes: 200_000_000 });
  let batch = 0;
  return {
    folder,
    async add(label: string | null, count: number, task: TaughtTask = taskOf({})) {
      batch += 1;
      for (let n = 0; n < count; n += 1) {
        await shelf.add(task, label, shelf.newBatch(batch), Buffer.from(`${label} ${batch} ${n}`));
      }
    },
    shelf,
    check: (env: NodeJS.ProcessEnv = {}, negatives?: Parameters<typeof checkTaught>[1]) =>
      checkTaught(
        { around: surroundingsOf(folder), config: configFor(folder, { ...ENV, ...env }) },
        negatives,
      ),
  };
}

function textsOf(found: readonly Finding[]): string[] {
  return found.map(({ level, subject, found: text }) => `${level} ${subject}: ${text}`);
}

t.test('nothing is said where nothing was taught', async (t) => {
  const { check } = await board(t);
  t.same(await check(), []);
});

t.test(
  'too few pictures, a label that has more than three times another, no opposite',
  async (t) => {
    const { add, check } = await board(t);
    await add('cup', 2);
    await add('spoon', 16);
    const texts = textsOf(await check());
    t.ok(texts.some((text) => /^fail .*no pictures of its own for "none of these"/.test(text)));
    t.ok(
      texts.some((text) => /^info .*cup has 2 pictures: add 3 or more/.test(text)),
      texts.join('\n'),
    );
    t.ok(texts.some((text) => /cup has 2 pictures, another label has 16/.test(text)));
    t.ok(texts.some((text) => /no pictures without any of these/.test(text)));
    t.ok(texts.some((text) => /not learnt yet for random_v1/.test(text)));
  },
);

t.test('the threshold of a network without a bank is set by what was shown', async (t) => {
  const { add, check } = await board(t);
  await add('cup', 10);
  await add(null, 40);
  const [first] = await check();
  t.match(first, {
    level: 'warn',
    found: /threshold is set by the 40 of the opposite/,
    next: /--not/,
  });
});

t.test('labels that can never be told, and the opposite alone', async (t) => {
  const { add, check } = await board(t);
  await add('left', 5);
  await add('open', 5, taskOf({ camera: 'front', zone: 'gate' }));
  await add('Minka', 5, taskOf({ camera: 'gone' }));
  await add(null, 5, taskOf({ camera: 'front' }));
  const texts = textsOf(await check());
  t.ok(texts.some((text) => /^warn taught: left: random_v1 has a label of that name/.test(text)));
  t.ok(texts.some((text) => /^warn taught: open: camera front has no zone gate/.test(text)));
  t.ok(texts.some((text) => /^warn taught: Minka: there is no camera gone/.test(text)));
  t.ok(
    texts.some((text) => /whole frames of camera front: pictures of the opposite alone/.test(text)),
  );
});

t.test(
  'a network that is gone or broken, teaching that is off, and a shelf that is full',
  async (t) => {
    const { folder, add, check } = await board(t);
    await add('cup', 10);
    const off = await check({ MOBILENETD_TEACH_ENABLED: 'false' });
    t.match(off, [{ level: 'info', means: 'none of them is looked for' }]);
    const full = textsOf(await check({ MOBILENETD_TEACH_MAX_CROPS: '10' }));
    t.ok(
      full.some((text) => /^warn taught pictures: 10 of 10/.test(text)),
      full.join('\n'),
    );
    const models = join(folder, 'state', 'models');
    renameSync(models, `${models}.away`);
    t.match(await check(), [
      { level: 'warn', found: /its network is gone/, means: /not looked for/ },
    ]);
  },
);

t.test('pictures that cannot be read', async (t) => {
  const { folder, add, check } = await board(t);
  await add('cup', 3);
  const place = join(folder, 'state', 'teach');
  rmSync(place, { recursive: true });
  mkdirSync(place);
  t.same(await check(), []);
  rmSync(place, { recursive: true });
  // Root reads whatever its mode forbids: a folder's place is taken by a loop of links instead.
  symlinkSync(place, place);
  t.match(await check(), [{ level: 'fail', subject: 'taught pictures', next: /disk/ }]);
});

t.test('a bank that is damaged, or that cannot be read', async (t) => {
  const { folder, add, check } = await board(t);
  await add('cup', 10);
  const banks = join(folder, 'banks');
  mkdirSync(join(banks, 'other.bank'), { recursive: true });
  writeFileSync(join(banks, 'random_v1.bank'), 'no bank');
  const damaged = await check({}, (variant) => shippedNegatives(variant, banks));
  t.match(damaged, [
    { level: 'fail', found: /^random_v1: .*whole bank/, next: 'install mobilenetd again' },
  ]);
  const unreadable = await check({}, () => shippedNegatives({ name: 'other' }, banks));
  t.match(unreadable, [{ level: 'fail', found: /EISDIR/, means: 'it is not looked for' }]);
  t.same(await shippedNegatives({ name: 'none' }, banks), [], 'none at all is no fault');
});

t.test('labels that are told too seldom by what was learnt', async (t) => {
  const { folder, shelf, check } = await board(t);
  const task = taskOf({});
  const show = async (label: string | null, batch: number, colors: readonly number[]) => {
    for (const [n, color] of colors.entries()) {
      const picture = await drawn([color, 200 - color, 90], n % 4);
      await shelf.add(task, label, shelf.newBatch(batch), picture);
    }
  };
  const evenly = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => from + 3 * n);
  // Two labels of the same colours, one of its own, and much that is neither.
  await show('cup', 1, evenly(20, 8));
  await show('mug', 2, evenly(21, 8));
  await show('lamp', 3, evenly(160, 8));
  await show(null, 4, evenly(90, 20));
  const [counts] = tasksOf(await shelf.list());
  const config = configFor(folder, ENV);
  const models = openShelf({ dir: config.models_dir, env: surroundingsOf(folder).env });
  const variant = await models.resolve(taughtRequest(config, task));
  const embedder = new Embedder({ start: async () => colorEngine().engine });
  t.teardown(() => embedder.close());
  const surroundings = { shelf, embedder, negatives: async () => [] };
  await headOf(surroundings, task, counts?.crops ?? [], variant);
  const texts = textsOf(await check());
  t.ok(
    texts.some((text) => /^info .*(cup|mug) is told in \d+ % of its pictures/.test(text)),
    texts.join('\n'),
  );
  t.notOk(texts.some((text) => /not learnt yet|told well enough/.test(text)));
});
