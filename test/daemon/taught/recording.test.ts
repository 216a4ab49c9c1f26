// A process of its own: training starts threads
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { Recording } from '#mobilenetd/daemon/taught/recording.js';
import { Worth } from '#mobilenetd/daemon/taught/worth.js';
import { encodedFrame } from '#mobilenetd/inference/embed.js';
import type { Result } from '#mobilenetd/inference/result.js';
import { Embedder } from '#mobilenetd/taught/embedder.js';
import { Intake } from '#mobilenetd/taught/intake.js';
import { CropShelf } from '#mobilenetd/taught/shelf.js';
import { taskOf } from '#mobilenetd/taught/task.js';
import { eventually } from '../../eventually.js';
import { colorEngine, drawn, variantNamed } from '../../taught/color-engine.js';

t.setTimeout(300_000);

const TASK = taskOf({ camera: 'front' });

/** A recording of a label whose frames come when the test says; its clock is the test's. */
async function begin(t: Test, state: string, label: string | null, maxCrops = 2000) {
  const { engine } = colorEngine();
  const shelf = new CropShelf(state, { maxCrops, maxBytes: 50_000_000 });
  const embedder = new Embedder({ start: async () => engine });
  t.teardown(() => embedder.close());
  const variant = variantNamed('colors');
  const intake = await Intake.open({ shelf, embedder, variant, task: TASK, label, now: Date.now });
  let time = 0;
  const now = () => time;
  const worth = new Worth(label, intake, async () => [], now);
  const part = () => 'whole' as const;
  const recording = new Recording('1', {
    camera: 'front',
    intake,
    worth,
    part,
    now,
    until: 1e9,
  });
  const show = async (picture: Buffer) => {
    time += 1000;
    const frame: Frame = { ...encodedFrame(picture, 1), camera: 'front' };
    const judged = () => recording.state().kept + recording.state().same;
    const before = judged();
    // One that is shown while another is looked at is passed over, so it is shown again.
    await eventually(() => {
      recording.look({ labels: [], picture: [200, 200] } as unknown as Result, frame);
      return judged() > before || recording.isOver();
    });
  };
  return { recording, show, shelf };
}

function shades(n: number): Promise<Buffer> {
  return drawn([40 + 30 * Math.floor(n / 4), 200 - 40 * Math.floor(n / 4), 90], n % 4);
}

t.test('what the pictures are worth is said while more are added', async (t) => {
  const state = t.testdir();
  const opposite = await begin(t, state, null);
  for (let n = 0; n < 8; n += 1) {
    await opposite.show(await drawn([20 * n, 20 * n, 220], n % 4, 200));
  }
  t.same(opposite.recording.state().advice, [], 'there is no label to say anything of');
  t.match(await opposite.recording.end(), { state: 'done', figures: null });

  const { recording, show } = await begin(t, state, 'red');
  await show(await shades(0));
  // What was offered is looked at for a while.
  t.ok(await eventually(() => recording.state().advice.length > 0));
  t.match(recording.state(), { state: 'recording', kept: 1 });
  t.match(
    recording.state().advice.map(({ code }) => code),
    ['too_few', 'no_opposite'],
  );
  for (let n = 1; n < 16; n += 1) {
    await show(await shades(n));
    const said = recording.state().figures?.labels[0]?.recall ?? null;
    if (n > 8 && said !== null) break;
  }
  const told = await eventually(async () => {
    await show(await drawn([250, 250, 250], 1));
    return (recording.state().figures?.labels[0]?.recall ?? null) !== null;
  });
  t.ok(told, 'figures before it ends');
  t.match(recording.state(), {
    state: 'recording',
    figures: { accuracy: Number, false_accepts: Number, labels: [{ label: 'red' }] },
  });
  t.notOk(recording.state().advice.some(({ code }) => code === 'too_few'));
  t.match(await recording.end(), { state: 'done', code: null, error: null });

  // What others have counts while one is shown: it has less than a third of theirs.
  const green = await begin(t, state, 'green');
  await green.show(await drawn([30, 220, 30], 0));
  const sayOf = () => green.recording.state().advice.filter(({ code }) => code === 'imbalance');
  t.ok(await eventually(() => sayOf().length > 0));
  t.match(sayOf(), [{ label: 'green', text: /another label has \d+/ }]);
  await green.recording.end();
});

t.test('each way to fail has its own code, and nothing is kept then', async (t) => {
  const full = await begin(t, t.testdir(), 'red', 4);
  for (let n = 0; n < 11; n += 1) await full.show(await shades(n));
  t.match(await full.recording.end(), {
    ...{ state: 'failed', code: 'MND_TEACH_FULL', kept: 0, figures: null, advice: [] },
    error: /at most 4 pictures.*forget a label/,
  });
  t.same(await full.shelf.list(), []);

  const state = t.testdir();
  const broken = await begin(t, state, 'red');
  rmSync(join(state, 'teach'), { recursive: true, force: true });
  writeFileSync(join(state, 'teach'), 'no folder');
  await broken.show(await shades(0));
  t.ok(await eventually(() => broken.recording.isOver()));
  t.match(broken.recording.state(), { state: 'failed', code: 'MND_TEACH_DISK' });

  const blind = await begin(t, t.testdir(), 'red');
  await blind.show(Buffer.from('no picture'));
  t.ok(await eventually(() => blind.recording.isOver()));
  t.match(blind.recording.state(), { state: 'failed', kept: 0 });
  t.not(blind.recording.state().code, 'MND_TEACH_DISK');
  t.not(blind.recording.state().code, null);
});

t.test('what is undone or forgotten while it records does not come back', async (t) => {
  const undoings: readonly (readonly [
    what: string,
    undo: (shelf: CropShelf) => Promise<unknown>,
  ])[] = [
    ['undo', (shelf) => shelf.undo()],
    ['forget', (shelf) => shelf.forget('red', null)],
    ['forget of this place', (shelf) => shelf.forget('red', TASK)],
  ];
  const taken = { state: 'failed', code: 'MND_TEACH_TAKEN', kept: 0, error: /undone.*again/ };
  for (const [what, undo] of undoings) {
    const { recording, show, shelf } = await begin(t, t.testdir(), 'red');
    await show(await shades(0));
    await show(await shades(5));
    t.ok(await eventually(() => recording.state().kept === 2));
    await undo(shelf);
    await show(await shades(10));
    t.ok(await eventually(() => recording.isOver()), what);
    t.match(recording.state(), taken, what);
    t.same(await shelf.list(), [], what);

    // Nothing more has come when it ends.
    const last = await begin(t, t.testdir(), 'red');
    await last.show(await shades(0));
    await undo(last.shelf);
    t.match(await last.recording.end(), taken, what);
    t.same(await last.shelf.list(), []);
  }
  const state = t.testdir();
  const { recording, show, shelf } = await begin(t, state, 'red');
  const other = await begin(t, state, 'green');
  await other.show(await shades(3));
  await show(await shades(0));
  await shelf.forget('green', null);
  await show(await shades(5));
  t.match(
    await recording.end(),
    { state: 'done', kept: 2 },
    'another label is none of its business',
  );
});

t.test(
  'a camera that shows nothing is said while it records, and a late frame is none',
  async (t) => {
    const { recording, show } = await begin(t, t.testdir(), 'red');
    t.match(recording.state(), { idle_s: 0 });
    await show(await shades(0));
    t.match(recording.state(), { state: 'recording', idle_s: 0 });
    const ended = recording.end();
    await show(await shades(5)).catch(() => {});
    const { offered } = await ended;
    t.equal(offered, 1, 'not one that comes while it ends');
    t.match(recording.state(), { state: 'done', offered: 1, idle_s: 0 });
  },
);
