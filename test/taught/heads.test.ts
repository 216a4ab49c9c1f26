// A process of its own: training starts threads
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readArchive, writeArchive } from '#mobilenetd/taught/archive.js';
import { Embedder } from '#mobilenetd/taught/embedder.js';
import { headOf } from '#mobilenetd/taught/heads.js';
import { Intake } from '#mobilenetd/taught/intake.js';
import { reportOf } from '#mobilenetd/taught/overview.js';
import { CropShelf } from '#mobilenetd/taught/shelf.js';
import { taskOf } from '#mobilenetd/taught/task.js';
import { tasksOf } from '#mobilenetd/taught/tasks.js';
import { colorEngine, drawn, variantNamed } from './color-engine.js';

const TASK = taskOf({ camera: 'front' });
const VARIANT = variantNamed('colors');
const RED = [220, 30, 30] as const;
const BLUE = [30, 30, 220] as const;

function around(state: string, bounds = { maxCrops: 2000, maxBytes: 50_000_000 }) {
  const { engine, runs } = colorEngine();
  const shelf = new CropShelf(state, bounds);
  const embedder = new Embedder({ start: async () => engine });
  return { shelf, embedder, runs, negatives: async () => [] };
}

type Around = ReturnType<typeof around>;

async function teach(using: Around, label: string | null, pictures: readonly Buffer[], now = 1) {
  const { shelf, embedder } = using;
  const options = { shelf, embedder, variant: VARIANT, task: TASK, label, now: () => now };
  const intake = await Intake.open(options);
  const outcomes: string[] = [];
  for (const [index, picture] of pictures.entries()) {
    outcomes.push((await intake.offer(picture, `picture ${index}`)).outcome);
  }
  await intake.close();
  return { outcomes, intake };
}

/** Pictures with a spot in each corner, somewhat lighter each time. */
function spots([r, g, b]: readonly [number, number, number], rounds: number): Promise<Buffer[]> {
  return Promise.all(
    Array.from({ length: 4 * rounds }, (_, n) => {
      const light = 15 * Math.floor(n / 4);
      return drawn([r + light, g + light, b], n % 4);
    }),
  );
}

t.test(
  'what differs is kept, what is nearly the same is refused, what is small is said',
  async (t) => {
    const using = around(t.testdir());
    const [one = Buffer.alloc(0)] = await spots(RED, 1);
    const { outcomes } = await teach(using, 'red', [one, one, ...(await spots(RED, 1))]);
    t.same(outcomes, ['kept', 'same', 'same', 'kept', 'kept', 'kept']);
    // A later batch knows what is there; another label may look the same.
    t.same((await teach(using, 'red', [one], 2)).outcomes, ['same']);
    t.same((await teach(using, null, [one], 3)).outcomes, ['kept']);
    const { intake } = await teach(using, 'red', [await drawn(BLUE, 1, 60)], 4);
    t.match(intake.counts(), { offered: 1, kept: 1, small: 1 });
    await t.rejects(intake.offer(Buffer.from('no picture'), 'x'), { code: 'MND_IMAGE_INVALID' });
    await intake.withdraw();
    t.equal((await using.shelf.list()).length, 5, 'a batch that failed leaves nothing');
    await using.embedder.close();
  },
);

t.test('a head is made of the pictures, kept, and made anew when they change', async (t) => {
  const using = around(t.testdir());
  await teach(using, 'red', await spots(RED, 2), 1);
  await teach(using, 'blue', await spots(BLUE, 2), 2);
  await teach(using, null, await spots([30, 200, 30], 3), 3);
  const crops = await using.shelf.list();
  const [counts] = tasksOf(crops);
  t.match(counts, { task: TASK, labels: [{ label: 'blue' }, { label: 'red' }] });
  const { head, report } = await headOf(using, TASK, crops, VARIANT);
  t.same(head.labels, ['blue', 'red']);
  t.ok((report.recall ?? 0) > 0.8, `recall ${report.recall}`);
  const seen = await using.embedder.embed(VARIANT, await drawn(RED, 2));
  const [blue = 1, red = 0] = head.probabilities(seen);
  t.ok(red > (head.thresholds[1] ?? 1) && blue < (head.thresholds[0] ?? 0), `${red} ${blue}`);

  const runs = using.runs.length;
  const again = await headOf(around(join(using.shelf.folder, '..')), TASK, crops, VARIANT);
  t.same(again.head.probabilities(seen), head.probabilities(seen), 'the same after a restart');
  t.equal(using.runs.length, runs);
  // Two variants have heads of their own; a damaged file is made anew.
  await headOf(using, TASK, crops, variantNamed('others'));
  const cache = using.shelf.cacheOf(TASK);
  for (const name of await readdir(cache)) await writeFile(join(cache, name), 'damaged');
  t.same((await headOf(using, TASK, crops, VARIANT)).report, report);
  // One picture that is damaged or gone costs no more than itself.
  await writeFile(crops[0]?.file ?? '', 'damaged');
  for (const name of await readdir(cache)) await writeFile(join(cache, name), '');
  t.equal((await headOf(using, TASK, crops, VARIANT)).report.examples, report.examples - 1);

  const told = await reportOf(using, { ...(counts as NonNullable<typeof counts>) }, VARIANT);
  t.ok(told.advice.length > 0);
  await t.rejects(
    headOf(
      using,
      TASK,
      crops.filter(({ label }) => label === null),
      VARIANT,
    ),
    { code: 'MND_TEACH_INVALID', message: /mobilenetd teach LABEL/ },
  );
  const stop = new AbortController();
  stop.abort(new Error('stopped'));
  await t.rejects(headOf(using, TASK, crops, variantNamed('third'), { signal: stop.signal }), {
    message: 'stopped',
  });
  await using.embedder.close();
});

t.test('an archive brings all of it to another board, and nothing else', async (t) => {
  const folder = t.testdir();
  const using = around(folder);
  await teach(using, 'red', await spots(RED, 1), 1);
  await teach(using, null, await spots(BLUE, 1), 2);
  const crops = await using.shelf.list();
  await headOf(using, TASK, crops, VARIANT);
  const file = join(folder, 'taught.tar');
  await writeArchive(using.shelf, crops, file);
  const found: string[] = [];
  const count = await readArchive(file, async ({ task, label, bytes }) => {
    t.same(task, TASK);
    t.equal(bytes[0], 0xff);
    found.push(String(label));
  });
  t.equal(count, crops.length);
  t.same(found.sort(), crops.map(({ label }) => String(label)).sort());
  t.match((await readFile(file)).toString('latin1'), /mobilenetd-head/, 'numbers as well');
  // Whoever takes them decides: what it throws ends the reading.
  await t.rejects(
    readArchive(file, async () => Promise.reject(new Error('full'))),
    { code: 'MND_ARCHIVE_INVALID' },
  );
  const whole = await readFile(file);
  await writeFile(file, whole.subarray(0, whole.length / 2));
  await t.rejects(
    readArchive(file, async () => {}),
    { code: 'MND_ARCHIVE_INVALID' },
  );
  await writeFile(file, 'no archive at all'.repeat(100));
  await t.rejects(
    readArchive(file, async () => {}),
    { code: 'MND_ARCHIVE_INVALID' },
  );
  await t.rejects(
    readArchive(`${file}.none`, async () => {}),
    { code: 'MND_ARCHIVE_INVALID' },
  );
  await using.embedder.close();
});
