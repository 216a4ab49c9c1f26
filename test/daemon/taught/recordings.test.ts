import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Signals } from '#mobilenetd/daemon/signals.js';
import { Recordings } from '#mobilenetd/daemon/taught/recordings.js';
import { Worth } from '#mobilenetd/daemon/taught/worth.js';
import { encodedFrame } from '#mobilenetd/inference/embed.js';
import type { Result } from '#mobilenetd/inference/result.js';
import { SILENT } from '#mobilenetd/log.js';
import { Embedder } from '#mobilenetd/taught/embedder.js';
import { Intake } from '#mobilenetd/taught/intake.js';
import { CropShelf } from '#mobilenetd/taught/shelf.js';
import { taskOf } from '#mobilenetd/taught/task.js';
import { eventually } from '../../eventually.js';
import { createFakeClock, START_MS } from '../../fake-clock.js';
import { colorEngine, drawn, variantNamed } from '../../taught/color-engine.js';

const SECOND = 1000;

/** Recordings of the label "red" of one camera, which begin and end by the test's clock. */
async function startRecordings(t: Test) {
  const clock = createFakeClock();
  const signals = new Signals(SILENT);
  const ended: string[] = [];
  const recordings = new Recordings(signals, clock, ({ id }) => ended.push(id));
  const shelf = new CropShelf(t.testdir(), { maxCrops: 2000, maxBytes: 50_000_000 });
  const { engine } = colorEngine();
  const embedder = new Embedder({ start: async () => engine });
  t.teardown(() => embedder.close());
  const now = () => clock.now();
  const begin = async (seconds: number) => {
    const intake = await Intake.open({
      ...{ shelf, embedder, variant: variantNamed('colors'), task: taskOf({ camera: 'front' }) },
      ...{ label: 'red', now: () => clock.wall() },
    });
    const worth = new Worth('red', intake, async () => [], now);
    const until = now() + SECOND * seconds;
    return recordings.begin({ camera: 'front', intake, worth, part: () => 'whole', now, until });
  };
  const show = async (picture: Buffer) => {
    const frame = { ...encodedFrame(picture, 1), camera: 'front' };
    const result = { labels: [], picture: [200, 200] } as unknown as Result;
    signals.emit('labelled', { result, frame });
  };
  return { clock, recordings, shelf, begin, show, ended };
}

t.test('each ends by itself when its time is over, and then nothing ticks', async (t) => {
  const { clock, recordings, shelf, begin, show, ended } = await startRecordings(t);
  const short = await begin(2);
  const long = await begin(10);
  t.match(short, { state: 'recording', left_s: 2 });
  await show(await drawn([200, 30, 30], 0));
  const seen = async () => (await recordings.state(short.id, false)).kept === 1;
  t.ok(await eventually(seen));
  await clock.advance(1.9 * SECOND);
  t.match(await recordings.state(short.id, false), { state: 'recording', left_s: 0.1 });
  await clock.advance(0.4 * SECOND);
  t.ok(await eventually(() => ended.includes(short.id)));
  t.match(await recordings.state(short.id, false), { state: 'done', kept: 1 });
  t.match(await recordings.state(long.id, false), { state: 'recording' });
  const [crop] = await shelf.list();
  t.ok(crop?.batch.startsWith(START_MS.toString(36).padStart(9, '0')), 'a batch of its clock');

  await clock.advance(8 * SECOND);
  t.ok(await eventually(() => ended.includes(long.id)));
  await clock.advance(SECOND);
  t.equal(clock.pending(), 0);
});

t.test('no more than four at a time', async (t) => {
  const { clock, recordings, begin } = await startRecordings(t);
  for (let n = 0; n < 4; n += 1) await begin(1);
  await t.rejects(begin(1), { code: 'MND_TEACH_BUSY' });
  await clock.advance(2 * SECOND);
  const isOver = async () => recordings.list().every(({ state }) => state === 'done');
  t.ok(await eventually(isOver));
  t.match(await begin(1), { state: 'recording' });
  await recordings.stop();
  t.equal(clock.pending(), 0);
});

t.test('a long one outlives many short ones', async (t) => {
  const { clock, recordings, begin, show } = await startRecordings(t);
  const long = await begin(600);
  for (let n = 0; n < 20; n += 1) {
    await begin(1);
    await clock.advance(1.5 * SECOND);
    t.ok(
      await eventually(
        () => recordings.list().filter((each) => each.state === 'recording').length === 1,
      ),
    );
  }
  t.ok(recordings.list().length <= 16);
  await show(await drawn([200, 30, 30], 0));
  t.ok(await eventually(async () => (await recordings.state(long.id, false)).kept === 1));
  t.match(await recordings.state(long.id, true), { state: 'done', kept: 1 });
  await clock.advance(SECOND);
  t.equal(clock.pending(), 0);
});

t.test('a camera that has gone is told by how long nothing came', async (t) => {
  const { clock, recordings, begin, show } = await startRecordings(t);
  const { id } = await begin(60);
  await clock.advance(4 * SECOND);
  t.match(await recordings.state(id, false), { idle_s: 4, offered: 0 });
  await show(await drawn([200, 30, 30], 0));
  t.match(await recordings.state(id, false), { idle_s: 0 });
  await recordings.stop();
});

t.test('a disk that fails at the end of one ends nothing else', async (t) => {
  const { clock, recordings, shelf, begin, show, ended } = await startRecordings(t);
  const rejections: unknown[] = [];
  const note = (error: unknown) => rejections.push(error);
  process.on('unhandledRejection', note);
  t.teardown(() => process.off('unhandledRejection', note));
  const first = await begin(5);
  await show(await drawn([200, 30, 30], 0));
  t.ok(await eventually(async () => (await recordings.state(first.id, false)).kept === 1));
  // Links in a circle: it can be listed no more.
  rmSync(shelf.folder, { recursive: true });
  symlinkSync(shelf.folder, shelf.folder);
  await clock.advance(6 * SECOND);
  t.ok(await eventually(() => ended.includes(first.id)));
  t.match(await recordings.state(first.id, true), { state: 'done' });
  rmSync(shelf.folder);
  mkdirSync(shelf.folder);

  const second = await begin(5);
  await show(await drawn([30, 200, 30], 1));
  t.ok(await eventually(async () => (await recordings.state(second.id, false)).kept === 1));
  rmSync(join(shelf.folder), { recursive: true });
  await recordings.stop();
  t.match(await recordings.state(second.id, false), { state: 'failed', code: 'MND_TEACH_TAKEN' });
  t.same(rejections, []);
});

t.test('none begins after a reload has put others in their place', async (t) => {
  const { clock, recordings, begin } = await startRecordings(t);
  await recordings.stop();
  await t.rejects(begin(5), { code: 'MND_TEACH_BUSY', message: /try again in a moment/ });
  t.equal(clock.pending(), 0);
  await t.rejects(recordings.state('gone', true), { message: /reload ends recordings.*is kept/ });
});
