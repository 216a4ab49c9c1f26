import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { looksLikePicture, readPicture } from '#mobilenetd/camera/pixels/picture.js';
import type { CapturedFrame } from '#mobilenetd/camera/source.js';
import { createFilesSource } from '#mobilenetd/camera/sources/files.js';
import { createFakeClock } from '../../fake-clock.js';

const picture = (red: number) =>
  sharp({ create: { width: 8, height: 6, channels: 3, background: { r: red, g: 0, b: 0 } } });

/** Runs a source until it ends or `until` frames have come; says what came when. */
async function collect(
  paths: readonly string[],
  options: { loop?: boolean; fps?: number; until?: number } = {},
) {
  const clock = createFakeClock();
  const ending = new AbortController();
  const frames: { readonly at: number; readonly frame: CapturedFrame }[] = [];
  const source = createFilesSource({
    paths,
    fps: options.fps ?? 10,
    loop: options.loop ?? false,
    clock,
  });
  const run = source.run(ending.signal, (frame) => {
    frames.push({ at: clock.now(), frame: { ...frame, bytes: frame.bytes.slice() } });
    if (frames.length === options.until) ending.abort();
  });
  return { frames, error: await clock.runUntil(run) };
}

t.test('the pictures of a folder, in natural order, at the frame rate', async (t) => {
  const folder = t.testdir({ 'notes.txt': 'no picture, but long enough', '.hidden.jpg': '' });
  const encoded = new Map<string, Buffer>();
  for (const [name, red] of [
    ['10.png', 100],
    ['2.jpg', 20],
    ['1.webp', 10],
    ['3.tiff', 30],
    ['4.gif', 40],
    ['5.avif', 50],
  ] as const) {
    const format = name.split('.')[1] === 'jpg' ? 'jpeg' : name.split('.')[1];
    const bytes = await picture(red)
      .toFormat(format as 'png')
      .toBuffer();
    encoded.set(name, bytes);
    writeFileSync(join(folder, name), bytes);
  }
  mkdirSync(join(folder, 'subfolder.jpg'));
  writeFileSync(join(folder, 'short.jpg'), Buffer.from([0xff, 0xd8, 0xff]));
  writeFileSync(join(folder, '.hidden.jpg'), encoded.get('2.jpg') ?? '');
  const { frames, error } = await collect([folder], { fps: 5 });
  t.match(error, { code: 'MND_CAMERA_ENDED' });
  const order = ['1.webp', '2.jpg', '3.tiff', '4.gif', '5.avif', '10.png'];
  t.equal(frames.length, order.length);
  for (const [index, name] of order.entries()) {
    const found = frames[index];
    t.same(found?.frame.bytes, new Uint8Array(encoded.get(name) ?? []), name);
    t.match(found?.frame, { width: 0, height: 0, format: 'jpeg' });
    t.equal((found?.at ?? 0) - (frames[0]?.at ?? 0), index * 200);
  }
});

t.test('looping begins again, and sees pictures that were added', async (t) => {
  const folder = t.testdir({});
  writeFileSync(join(folder, 'a.png'), await picture(1).png().toBuffer());
  const once = await collect([folder], { loop: true, until: 3 });
  t.equal(once.frames.length, 3);
  t.match(once.error, { code: 'MND_CAMERA_STOPPED' });
});

t.test('several paths are shown in the order given', async (t) => {
  const folder = t.testdir({ sub: {} });
  const first = join(folder, 'z.png');
  writeFileSync(first, await picture(1).png().toBuffer());
  writeFileSync(join(folder, 'sub', 'a.png'), await picture(2).png().toBuffer());
  symlinkSync(first, join(folder, 'sub', 'b.png'));
  const { frames } = await collect([first, join(folder, 'sub'), join(folder, 'missing.png')]);
  t.equal(frames.length, 3);
  t.same(frames[0]?.frame.bytes, frames[2]?.frame.bytes);
});

t.test('no picture at all is said, not looped over', async (t) => {
  const folder = t.testdir({ 'a.txt': 'only text, nothing to be seen here' });
  for (const path of [folder, join(folder, 'missing'), join(folder, 'a.txt')]) {
    const { frames, error } = await collect([path], { loop: true });
    t.equal(frames.length, 0);
    t.match(error, { code: 'MND_CAMERA_MISSING', message: new RegExp(path) });
  }
});

t.test('what is too large, or a pipe, is skipped without being read', async (t) => {
  const folder = t.testdir({});
  const huge = join(folder, 'huge.png');
  writeFileSync(huge, await picture(1).png().toBuffer());
  t.ok((await readPicture(huge)).bytes);
  truncateSync(huge, 65 * 1024 * 1024);
  t.match(await readPicture(huge), { bytes: null, reason: /MB/ });
  const pipe = join(folder, 'pipe.jpg');
  execFileSync('mkfifo', [pipe]);
  t.same(await readPicture(pipe), { bytes: null, reason: null });
  t.same(await readPicture(folder), { bytes: null, reason: null });
});

t.test('a picture is known by its first bytes', (t) => {
  t.notOk(looksLikePicture(new Uint8Array(0)));
  t.notOk(looksLikePicture(Buffer.from('RIFFxxxxWAVEfmt ')));
  t.notOk(looksLikePicture(Buffer.from('%PDF-1.7 and more')));
  t.notOk(looksLikePicture(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')));
  t.ok(looksLikePicture(Buffer.from('RIFFxxxxWEBPVP8 ')));
  t.end();
});

t.test('an abort before the start is honoured', async (t) => {
  const folder = t.testdir({});
  writeFileSync(join(folder, 'a.png'), await picture(1).png().toBuffer());
  const source = createFilesSource({ paths: [folder], fps: 10, loop: true });
  const error = await source.run(AbortSignal.abort(), () => void t.fail('delivered'));
  t.match(error, { code: 'MND_CAMERA_STOPPED' });
});
