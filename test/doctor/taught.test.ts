import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Finding } from '#mobilenetd/doctor/finding.js';
import { checkTaught } from '#mobilenetd/doctor/taught.js';
import { CropShelf } from '#mobilenetd/taught/shelf.js';
import { type TaughtTask, taskOf } from '#mobilenetd/taught/task.js';
import { installRandomModel } from '../integration/demo-process.js';
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
    check: (env: NodeJS.ProcessEnv = {}) =>
      checkTaught({
        around: surroundingsOf(folder),
        config: configFor(folder, { ...ENV, ...env }),
      }),
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
