// A process of its own: it starts daemons and commands, and kills them
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import { isCodedError } from '#mobilenetd/errors.js';
import { Embedder } from '#mobilenetd/taught/embedder.js';
import { headOf } from '#mobilenetd/taught/heads.js';
import { CropShelf } from '#mobilenetd/taught/shelf.js';
import { taskOf } from '#mobilenetd/taught/task.js';
import { eventually } from '../eventually.js';
import { broker, command, report } from '../integration/daemon-home.js';
import { MAIN, runDaemon, writeConfig } from '../integration/daemon-process.js';
import { installNetworks } from '../integration/random-model.js';
import { lastingFolder } from '../lasting-folder.js';
import { colorEngine, variantNamed } from '../taught/color-engine.js';
import { drawMugs } from './drawn-mugs.js';
import { soak } from './soak.js';
import { THINGS } from './things.js';

/** Networks that learn a label. */
const RUNGS = soak(THINGS.length, 16);
const BOUNDS = { maxCrops: soak(400, 2000), maxBytes: 200_000_000 };
const MODEL = { task: 'classify', name: 'mobilenetd_things' };

/** A state folder with the ladder of the package, and drawn mugs: to teach, and to be seen later. */
async function prepare(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }),
  );
  const draw = (name: string, from: number, count: number, hasSpoon: boolean) =>
    drawMugs(folder, name, { from, count, hasSpoon });
  const taught = await draw('with', 1, 14, true);
  const opposite = await draw('without', 100, 30, false);
  const seen = await draw('seen', 1000, 8, true);
  const empty = await draw('empty', 2000, 8, false);
  return { folder, taught, opposite, seen, empty };
}

t.test('a label that was taught is on MQTT, on every rung, without a flap', async (t) => {
  const { folder, taught, opposite, seen, empty } = await prepare(t);
  const { url, listener } = await broker(t);
  const config = writeConfig(folder, {
    cameras: ['seen'],
    pictures: seen,
    url,
    model: MODEL,
    more: { store: { pictures: { enabled: false } } },
  });
  appendFileSync(config, `  empty: { source: files, path: ${empty}, fps: 5, loop: true }\n`);
  await installNetworks(folder, THINGS);
  const first = await command(folder, config, 'teach', 'spoon', '--from', taught);
  t.match(first, { status: 0, stdout: /pictures of spoon kept/ }, first.stderr);
  const second = await command(folder, config, 'teach', 'spoon', '--not', '--from', opposite);
  t.match(second, { status: 0, stdout: /each picture judged by all the others/ }, second.stderr);
  for (const line of second.stdout.split('\n')) {
    t.ok(line.length <= 80 || line.includes(folder), line);
  }

  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.end('SIGKILL'));
  const said: (readonly [topic: string, value: string])[] = [];
  listener.client.on('message', (topic, payload) => said.push([topic, payload.toString()]));
  const { values } = listener;
  t.ok(await listener.until('seen/spoon', 'ON'), daemon.log());
  const status = await report(folder);
  t.match(status.running?.taught.tasks, [
    { state: 'works', ready: RUNGS, labels: { spoon: Number } },
  ]);

  // In a soak every second network of the ladder, so that largest and smallest follow each other.
  const begun = said.length;
  const ladder = readdirSync(join(folder, 'models')).filter((_, index) => index % soak(1, 2) === 0);
  for (const [at, variant] of ladder.entries()) {
    const next = at % 2 === 0 ? variant : (ladder.at(-at) ?? variant);
    await listener.say('governor/pin/set', next);
    t.ok(
      await eventually(() => modelOf(values.get('mobilenetd/board/seen/labels')) === next),
      next,
    );
  }
  const flaps = said.slice(begun).filter(([topic]) => topic === 'mobilenetd/board/seen/spoon');
  t.same(flaps, [], 'neither OFF nor ON again');
  t.ok(ladder.includes(modelOf(values.get('mobilenetd/board/empty/labels')) ?? ''), 'looked at');
  const wrong = said.filter(([topic, value]) => topic.endsWith('/empty/spoon') && value === 'ON');
  t.same(wrong, [], 'nor where there is none');

  // What is forgotten goes at once.
  t.match(await command(folder, config, 'teach', 'spoon', '--forget'), { status: 0 });
  t.ok(await eventually(() => values.get('mobilenetd/board/seen/spoon') !== 'ON'));
  t.same(
    (await report(folder)).running?.taught.tasks.map(({ labels }) => labels),
    [{}],
  );
  t.equal((await daemon.end('SIGTERM')).code, 0);
});

function modelOf(labels: string | undefined): string | null {
  return labels === undefined ? null : (JSON.parse(labels) as { model: string }).model;
}

t.test('kills cost no picture that was kept, and two teach at once', async (t) => {
  const { folder, taught, opposite } = await prepare(t);
  const config = writeConfig(folder, { cameras: ['seen'], pictures: taught, model: MODEL });
  await installNetworks(folder, THINGS);
  const shelf = new CropShelf(folder, BOUNDS);
  const teach = (...args: string[]) =>
    spawn(process.execPath, [MAIN, '--config', config, 'teach', ...args], {
      stdio: 'ignore',
      env: { PATH: process.env.PATH, HOME: folder, MOBILENETD_STATE: folder },
    });
  const kept = async () => (await shelf.list()).length;
  for (const label of ['one', 'two', 'three']) {
    const before = await kept();
    const child = teach(label, '--from', taught);
    const ended = once(child, 'exit');
    await eventually(async () => (await kept()) >= before + 2 || child.exitCode !== null);
    child.kill('SIGKILL');
    await ended;
    for (const crop of await shelf.list()) await sharp(await shelf.read(crop)).stats();
    t.ok((await kept()) >= before + 2, label);
  }
  // Both at once, on what is left of the killed ones.
  const children = [teach('four', '--from', taught), teach('four', '--not', '--from', opposite)];
  const codes = await Promise.all(children.map((child: ChildProcess) => once(child, 'exit')));
  t.same(
    codes.map(([code]) => code),
    [0, 0],
  );
  const crops = await shelf.list();
  for (const label of ['four', null])
    t.ok(
      crops.some((crop) => crop.label === label),
      `${label}`,
    );
  t.match(await command(folder, config, 'teach', '--report', '--json'), { status: 0 });

  // Ctrl-C ends it at once, and leaves what was kept.
  const child = teach('five', '--from', opposite);
  const ended = once(child, 'exit');
  await eventually(async () => (await shelf.list()).some(({ label }) => label === 'five'));
  child.kill('SIGINT');
  t.same(await ended, [130, null]);
  t.ok((await shelf.list()).some(({ label }) => label === 'five'));
  for (;;) {
    const { stdout } = await command(folder, config, 'teach', '--undo');
    if (stdout === 'nothing to undo\n') break;
    t.match(stdout, /removed/);
  }
  t.same(await shelf.list(), []);
});

t.test('a full disk is said, and nothing is left by half', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return void t.pass('no file system can be mounted here');
  }
  t.teardown(() => execFileSync('umount', [folder]));
  const shelf = new CropShelf(folder, BOUNDS);
  const batch = shelf.newBatch(1);
  const picture = (n: number) => Buffer.alloc(20_000, n);
  let kept = 0;
  const failed = await (async () => {
    for (; kept < 100; kept += 1) await shelf.add(taskOf({}), 'a', batch, picture(kept));
  })().catch((error: unknown) => error);
  t.ok(isCodedError(failed) && failed.code === 'MND_TEACH_DISK', String(failed));
  t.ok(kept > 2 && kept < 20, `${kept} kept`);
  const crops = await shelf.list();
  t.equal(crops.length, kept);
  for (const crop of crops) t.equal((await shelf.read(crop)).length, 20_000);
  t.same(
    readdirSync(join(folder, 'teach/any/a')).filter((name) => name.endsWith('.part')),
    [],
  );
  t.equal((await shelf.undo()).crops, kept, 'a full disk lets a batch go');
  t.same(await shelf.list(), []);
  await shelf.add(taskOf({}), 'a', batch, picture(1));
});

t.test(`${BOUNDS.maxCrops} pictures are kept and learnt, and no more`, async (t) => {
  const shelf = new CropShelf(lastingFolder(t), BOUNDS);
  const task = taskOf({});
  const batch = shelf.newBatch(1);
  for (let n = 0; n < BOUNDS.maxCrops; n += 1) {
    // No two are the same: the same bytes are one picture.
    const shade = 4 * (n >> 8);
    const blue = n % 2 === 0 ? 20 + shade : 230 - shade;
    const background = { r: (n * 37) % 256, g: (n * 11) % 256, b: blue };
    const blank = sharp({ create: { width: 16, height: 16, channels: 3, background } });
    await shelf.add(
      task,
      n % 2 === 0 ? 'dark' : null,
      batch,
      await blank.jpeg({ quality: 100 }).toBuffer(),
    );
  }
  const more = shelf.add(task, 'dark', batch, Buffer.from('one more'));
  await t.rejects(more, { code: 'MND_TEACH_FULL' });
  const crops = await shelf.list();
  const { engine } = colorEngine();
  const embedder = new Embedder({ start: async () => engine });
  const around = { shelf, embedder, negatives: async () => [] };
  const { report } = await headOf(around, task, crops, variantNamed('colors'));
  t.ok((report.recall ?? 0) > 0.9, `recall ${report.recall}`);
  t.equal(report.examples + report.others, crops.length);
  t.equal((await shelf.undo()).crops, crops.length);
  await embedder.close();
});
