import { appendFileSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { createWatchSource } from '#mobilenetd/camera/sources/watch.js';
import { createFakeClock, START_MS } from '../../fake-clock.js';

const picture = (red: number) =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: { r: red, g: 0, b: 0 } } })
    .png()
    .toBuffer();

/** Watches `path`; `look` lets one look happen and returns what was shown since. */
async function watch(path: string, notices: string[] = []) {
  const clock = createFakeClock();
  const ending = new AbortController();
  const shown: Buffer[] = [];
  const source = createWatchSource({
    path,
    fps: 1e9,
    clock,
    onNotice: ({ message }) => notices.push(message),
  });
  const run = source.run(ending.signal, ({ bytes }) => void shown.push(Buffer.from(bytes)));
  let ended = false;
  void run.finally(() => {
    ended = true;
  });
  /** Waits for the source's I/O, and runs the pauses of no length between pictures. */
  const asleep = async () => {
    for (let pause = 0; pause < 5; pause += 1) {
      for (let turn = 0; !ended && turn < 2000 && clock.pending() === 0; turn += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await clock.advance(0.001);
    }
  };
  await asleep();
  return {
    async look(): Promise<Buffer[]> {
      await clock.advance(1000);
      await asleep();
      return shown.splice(0);
    },
    run,
    stop: () => ending.abort(),
  };
}

let second = START_MS / 1000;
/** Gives the path a time of change of its own, whatever the file system's resolution. */
function touch(path: string): void {
  second += 10;
  utimesSync(path, second, second);
}

function put(folder: string, name: string, bytes: Uint8Array): void {
  writeFileSync(join(folder, name), bytes);
  touch(join(folder, name));
  touch(folder);
}

t.test('pictures that appear are shown once, in order, when they are complete', async (t) => {
  const folder = t.testdir({});
  const [old, one, two] = await Promise.all([picture(1), picture(2), picture(3)]);
  put(folder, 'old.png', old);
  const { look, run, stop } = await watch(folder);
  t.same(await look(), [], 'what was there is not shown');
  put(folder, 'z.png', one);
  put(folder, 'a.png', two);
  put(folder, 'notes.txt', Buffer.from('not a picture, but a file'));
  t.same(await look(), [], 'they may still be written');
  t.same(await look(), [one, two], 'by time, not by name');
  t.same(await look(), []);
  rmSync(join(folder, 'z.png'));
  touch(folder);
  t.same(await look(), []);
  put(folder, 'z.png', two);
  await look();
  t.same(await look(), [two], 'a name may come again');
  stop();
  t.match(await run, { code: 'MND_CAMERA_STOPPED' });
});

t.test('a file that grows is shown when it is whole', async (t) => {
  const folder = t.testdir({});
  const bytes = await picture(9);
  const { look, stop, run } = await watch(folder);
  put(folder, 'slow.png', bytes.subarray(0, 40));
  t.same(await look(), []);
  appendFileSync(join(folder, 'slow.png'), bytes.subarray(40));
  touch(join(folder, 'slow.png'));
  t.same(await look(), []);
  t.same(await look(), [bytes]);
  stop();
  await run;
});

t.test('an upload that pauses is waited for, but not for ever', async (t) => {
  const folder = t.testdir({});
  const bytes = await picture(7);
  const file = join(folder, 'upload.png');
  const { look, stop, run } = await watch(folder);
  put(folder, 'upload.png', bytes.subarray(0, 60));
  for (let pause = 0; pause < 6; pause += 1) t.same(await look(), []);
  appendFileSync(file, bytes.subarray(60));
  touch(file);
  await look();
  t.same(await look(), [bytes]);
  const torn = Buffer.concat([bytes.subarray(0, 60)]);
  put(folder, 'torn.png', torn);
  const shown: Uint8Array[] = [];
  for (let pause = 0; pause < 70; pause += 1) shown.push(...(await look()));
  t.same(shown, [torn], 'what never ends is shown once, so that it is told of');
  stop();
  await run;
});

t.test('recorders sort by day: folders that appear are looked into', async (t) => {
  const folder = t.testdir({ front: { '2026': { '11': { '25': { 'old.png': '' } } } } });
  const [one, two, three] = await Promise.all([picture(1), picture(2), picture(3)]);
  const { look, stop, run } = await watch(folder);
  const month = join(folder, 'front/2026/11');
  put(join(month, '25'), 'late.png', one);
  t.same(await look(), [], 'what was there is not shown');
  t.same(await look(), [one], 'a picture in a folder that was there');
  mkdirSync(join(month, '26/00'), { recursive: true });
  put(join(month, '26/00'), 'early.png', two);
  touch(join(month, '26'));
  touch(month);
  await look();
  t.same(await look(), [two], 'and one that came with its folder');
  put(join(month, '26/00'), 'next.png', three);
  await look();
  t.same(await look(), [three]);
  rmSync(join(month, '25'), { recursive: true });
  touch(month);
  t.same(await look(), [], 'old days are removed');
  mkdirSync(join(folder, '.cache'));
  put(join(folder, '.cache'), 'hidden.png', one);
  mkdirSync(join(folder, 'a/b/c/d/e/f'), { recursive: true });
  put(join(folder, 'a/b/c/d/e/f'), 'deep.png', one);
  touch(folder);
  await look();
  t.same(await look(), [], 'hidden ones, and the sixth level, are left out');
  stop();
  await run;
});

t.test('of many folders the newest are watched, and a new one is always seen', async (t) => {
  const folder = t.testdir({});
  for (let day = 0; day < 200; day += 1) {
    mkdirSync(join(folder, `${day}`));
    touch(join(folder, `${day}`));
  }
  touch(folder);
  const bytes = await picture(1);
  const { look, stop, run } = await watch(folder);
  for (const [day, shown] of [
    ['199', true],
    ['0', false],
  ] as const) {
    put(join(folder, day), 'x.png', bytes);
    await look();
    t.same(await look(), shown ? [bytes] : [], `day ${day}`);
  }
  for (const day of ['200', '201']) {
    mkdirSync(join(folder, day));
    put(join(folder, day), 'x.png', bytes);
    touch(folder);
    await look();
    t.same(await look(), [bytes], `day ${day}`);
  }
  stop();
  await run;
});

t.test('a file that is written anew is shown each time', async (t) => {
  const folder = t.testdir({});
  const [one, two] = await Promise.all([picture(1), picture(2)]);
  put(folder, 'now.png', one);
  const { look, stop, run } = await watch(join(folder, 'now.png'));
  t.same(await look(), []);
  put(folder, 'now.png', two);
  t.same(await look(), []);
  t.same(await look(), [two]);
  put(folder, 'next.png', one);
  renameSync(join(folder, 'next.png'), join(folder, 'now.png'));
  await look();
  t.same(await look(), [one]);
  stop();
  await run;
});

t.test('a folder that is missing or goes away is said', async (t) => {
  const folder = t.testdir({});
  const missing = createWatchSource({ path: join(folder, 'none'), fps: 1 });
  t.match(await missing.run(new AbortController().signal, () => {}), {
    code: 'MND_CAMERA_MISSING',
    message: /none/,
  });
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  const { look, run } = await watch(inner);
  rmSync(inner, { recursive: true });
  const gone = run;
  look().catch(() => {});
  t.match(await gone, { code: 'MND_CAMERA_MISSING' });
});

t.test('names that are not UTF-8 are found, and shown as text', async (t) => {
  const folder = t.testdir({});
  const { look, run, stop } = await watch(folder);
  const names = [
    [0x66, 0xfc, 0x72],
    [0xff, 0xfe],
    [0x80, 0x2e, 0x6a, 0x70, 0x67],
  ];
  for (const [index, name] of names.entries()) {
    const file = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]);
    const bytes = await picture(40 + index);
    writeFileSync(file, bytes);
    second += 10;
    utimesSync(file, second, second);
    touch(folder);
    await look();
    t.same(await look(), [bytes], name.join(' '));
  }
  stop();
  await run;
});

t.test('a file that takes the place of another of its name is new', async (t) => {
  const folder = t.testdir({});
  const spool = t.testdir({ spool: {} });
  const { look, run, stop } = await watch(folder);
  const [one, two, three] = await Promise.all([picture(50), picture(51), picture(52)]);
  put(folder, 'now.png', one);
  await look();
  t.same(await look(), [one]);
  // Renamed over the old one.
  writeFileSync(join(spool, 'new.png'), two);
  touch(join(spool, 'new.png'));
  renameSync(join(spool, 'new.png'), join(folder, 'now.png'));
  touch(folder);
  await look();
  t.same(await look(), [two]);
  // Deleted and written again between two looks.
  rmSync(join(folder, 'now.png'));
  put(folder, 'now.png', three);
  await look();
  t.same(await look(), [three]);
  t.same(await look(), [], 'once');
  stop();
  await run;
});

t.test('a picture that was written long ago is not of now, and that is said', async (t) => {
  const folder = t.testdir({});
  const notices: string[] = [];
  const { look, run, stop } = await watch(folder, notices);
  for (const age of [700, 86_400, 90 * 86_400]) {
    const file = join(folder, `old-${age}.png`);
    writeFileSync(file, await picture(60));
    const then = START_MS / 1000 - age;
    utimesSync(file, then, then);
    touch(folder);
    await look();
    t.same(await look(), [], `${age}`);
  }
  t.match(notices[0], /old-700\.png/);
  put(folder, 'now.png', await picture(61));
  await look();
  t.equal((await look()).length, 1);
  stop();
  await run;
});

t.test('where times of change are coarse nothing of a burst is lost', async (t) => {
  const folder = t.testdir({});
  const { look, run, stop } = await watch(folder);
  touch(folder);
  const stands = second;
  const shown: Buffer[] = [];
  for (let index = 0; index < 3; index += 1) {
    const file = join(folder, `${index}.png`);
    writeFileSync(file, await picture(70 + index));
    utimesSync(file, stands, stands);
    utimesSync(folder, stands, stands);
    shown.push(...(await look()));
  }
  shown.push(...(await look()), ...(await look()));
  t.equal(shown.length, 3);
  stop();
  await run;
});

t.test(
  'what stands behind the end of a picture does not hold it up; HEIC is said at once',
  async (t) => {
    const folder = t.testdir({});
    const notices: string[] = [];
    const { look, run, stop } = await watch(folder, notices);
    const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#080' } })
      .jpeg()
      .toBuffer();
    for (const tail of [5000, 100_000, 1_000_000]) {
      put(folder, `tail-${tail}.jpg`, Buffer.concat([jpeg, Buffer.alloc(tail, 0x55)]));
      await look();
      t.equal((await look()).length, 1, `${tail}`);
    }
    put(folder, 'IMG_1.heic', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'));
    await look();
    t.same(await look(), []);
    t.match(notices, [/IMG_1\.heic: HEIC, which is not read; convert it/]);
    stop();
    await run;
  },
);

t.test('what is left out for its number or its depth is said', async (t) => {
  const folder = t.testdir({});
  const one = await picture(1);
  const notices: string[] = [];
  const { look, run, stop } = await watch(folder, notices);
  for (let i = 0; i < 103; i += 1) put(folder, `${i}.png`, one);
  const deep = join(folder, '1/2/3/4/5/6');
  mkdirSync(deep, { recursive: true });
  touch(folder);
  await look();
  await look();
  await look();
  t.match(notices.join('\n'), /\d+ pictures were left out: more than 100 came at once/);
  t.match(notices.join('\n'), /1\/2\/3\/4\/5\/6: more than 5 levels deep/);
  stop();
  await look();
  await run;
});
