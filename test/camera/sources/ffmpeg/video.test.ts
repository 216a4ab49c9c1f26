import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { CapturedFrame } from '#mobilenetd/camera/source.js';
import {
  createFfmpegSource,
  type FfmpegOptions,
} from '#mobilenetd/camera/sources/ffmpeg/source.js';
import { skipWithoutFfmpeg as skip } from '../../ffmpeg.js';
import { startHttpCamera } from '../../http-camera.js';

function makeVideo(file: string, input: string, ...more: string[]): void {
  const output = [...more, `file:${file}`];
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', input, ...output]);
}

/** Takes up to `until` frames of a source. */
async function take(options: FfmpegOptions, until = Number.POSITIVE_INFINITY) {
  const ending = new AbortController();
  const frames: CapturedFrame[] = [];
  const error = await createFfmpegSource(options).run(ending.signal, (frame) => {
    if (frames.length === until) return;
    frames.push({ ...frame, bytes: frame.bytes.slice() });
    if (frames.length === until) ending.abort();
  });
  return { frames, error };
}

type Colour = readonly [red: number, green: number, blue: number];

/** The colour at a point of a full-range BT.601 frame. */
function colourAt({ width, height, bytes }: CapturedFrame, x: number, y: number): Colour {
  const chroma = Math.floor(y / 2) * (width / 2) + Math.floor(x / 2);
  const luma = bytes[y * width + x] ?? 0;
  const cb = (bytes[width * height + chroma] ?? 0) - 128;
  const cr = (bytes[width * height * 1.25 + chroma] ?? 0) - 128;
  return [luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb];
}

const within = (a: Colour, b: Colour, levels: number) =>
  a.every((value, index) => Math.abs(value - (b[index] ?? 0)) <= levels);

t.test('a video is played once, whole frames at the wanted size and rate', { skip }, async (t) => {
  const path = join(t.testdir({}), '-a $(b) %d.mp4');
  makeVideo(path, 'testsrc2=size=160x120:rate=20:duration=1');
  const { frames, error } = await take({
    input: { kind: 'video', path, loop: false },
    size: [64, 48],
    fps: 10,
  });
  t.match(error, { code: 'MND_CAMERA_ENDED' });
  t.equal(frames.length, 10);
  t.ok(frames.every(({ bytes }) => bytes.length === 64 * 48 * 1.5));
  t.match(frames[0], { width: 64, height: 48, format: 'yuv420p', range: 'full' });
  const [first, last] = [frames[0], frames.at(-1)];
  t.ok(first && last && Buffer.compare(first.bytes, last.bytes) !== 0);
});

t.test(
  'time stamps that step in a stream from a camera are not waited for',
  { skip },
  async (t) => {
    const folder = t.testdir({});
    const parts = [10, 900, 5, 90_000].map((offset) => {
      const file = join(folder, `${offset}.ts`);
      const shift = ['-g', '5', '-f', 'mpegts', '-output_ts_offset', String(offset)];
      makeVideo(file, 'testsrc2=size=64x48:rate=10:duration=1', ...shift);
      return readFileSync(file);
    });
    const camera = await startHttpCamera(t, (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'video/mp2t' }).end(Buffer.concat(parts));
    });
    const { frames, error } = await take({
      input: { kind: 'remote', url: camera.url('/live.ts'), loop: false },
      size: [64, 48],
      fps: 10,
    });
    t.match(error, { code: 'MND_CAMERA_ENDED' });
    t.ok(frames.length >= 36 && frames.length <= 40, String(frames.length));
  },
);

t.test('a looping video goes on until it is stopped', { skip }, async (t) => {
  const path = join(t.testdir({}), 'short.mp4');
  makeVideo(path, 'testsrc2=size=64x48:rate=20:duration=0.2');
  const input = { kind: 'video', path, loop: true } as const;
  const { frames, error } = await take({ input, size: [64, 48], fps: 20 }, 10);
  t.equal(frames.length, 10);
  t.match(error, { code: 'MND_CAMERA_STOPPED' });
});

const PATCHES: readonly Colour[] = [
  [255, 255, 255],
  [0, 0, 0],
  [200, 50, 20],
  [20, 180, 60],
  [30, 60, 220],
  [128, 128, 128],
];

/** Columns of 32 pixels, 64 high, each of one colour, as rgb24. */
function patchGraph(): string {
  const sources = PATCHES.map((patch, index) => {
    const hex = patch.map((value) => value.toString(16).padStart(2, '0')).join('');
    return `color=c=0x${hex}:s=32x64:r=5:d=0.4,format=rgb24[p${index}]`;
  });
  const inputs = PATCHES.map((_, index) => `[p${index}]`).join('');
  return `${sources.join(';')};${inputs}hstack=${PATCHES.length}`;
}

t.test('colours are right in every range and matrix, within 3 levels', { skip }, async (t) => {
  const folder = t.testdir({});
  const scaled = (matrix: string, range: string, format: string) =>
    `,scale=out_color_matrix=${matrix}:out_range=${range},format=${format}`;
  const tags = (colorspace: string, range: string) => [
    ...['-colorspace', colorspace, '-color_range', range],
    ...['-c:v', 'ffv1'],
  ];
  for (const [name, filter, coding] of [
    ['limited', scaled('bt601', 'limited', 'yuv420p'), tags('smpte170m', 'tv')],
    ['full', scaled('bt601', 'full', 'yuv420p'), tags('smpte170m', 'pc')],
    ['limited-709', scaled('bt709', 'limited', 'yuv420p'), tags('bt709', 'tv')],
    ['full-709', scaled('bt709', 'full', 'yuv420p'), tags('bt709', 'pc')],
    ['mjpeg', scaled('bt601', 'full', 'yuvj422p'), ['-c:v', 'mjpeg', '-q:v', '1']],
    ['rgb', '', ['-c:v', 'png']],
  ] as const) {
    const path = join(folder, `${name}.mkv`);
    makeVideo(path, `${patchGraph()}${filter}`, ...coding);
    const input = { kind: 'video', path, loop: false } as const;
    const { frames } = await take({ input, size: [192, 64], fps: 5 });
    const [frame] = frames;
    for (const [index, patch] of PATCHES.entries()) {
      const colour = frame === undefined ? null : colourAt(frame, index * 32 + 16, 32);
      const right = colour !== null && within(colour, patch, 3);
      t.ok(right, `${name} ${patch}: ${colour?.map(Math.round)}`);
    }
  }
});

t.test('another shape keeps its proportions between black bars', { skip }, async (t) => {
  const path = join(t.testdir({}), 'wide.mkv');
  makeVideo(path, 'color=c=white:s=160x40:r=5:d=0.4', '-c:v', 'ffv1');
  const input = { kind: 'video', path, loop: false } as const;
  const { frames } = await take({ input, size: [160, 120], fps: 5 });
  const [frame] = frames;
  if (frame === undefined) throw new Error('no frame');
  t.ok(within(colourAt(frame, 80, 60), [255, 255, 255], 3));
  t.ok(within(colourAt(frame, 80, 20), [0, 0, 0], 20));
  t.ok(within(colourAt(frame, 80, 100), [0, 0, 0], 20));
});

t.test('rotation is clockwise', { skip }, async (t) => {
  const path = join(t.testdir({}), 'corner.mkv');
  const corner = 'color=c=black:s=64x64:r=5:d=0.4,drawbox=x=0:y=0:w=32:h=32:color=white:t=fill';
  makeVideo(path, corner, '-c:v', 'ffv1');
  for (const [rotation, x, y] of [
    [0, 16, 16],
    [90, 48, 16],
    [180, 48, 48],
    [270, 16, 48],
  ] as const) {
    const input = { kind: 'video', path, loop: false } as const;
    const { frames } = await take({ input, size: [64, 64], fps: 5, rotation });
    const [frame] = frames;
    t.ok(frame && within(colourAt(frame, x, y), [255, 255, 255], 3), `${rotation}°`);
  }
});

t.test('what cannot be opened is said', { skip }, async (t) => {
  const folder = t.testdir({ 'text.mp4': 'no video' });
  const picture = { size: [64, 48], fps: 10 } as const;
  const video = (path: string) => ({ kind: 'video', path, loop: false }) as const;
  const missing = await take({ input: video(join(folder, 'missing.mp4')), ...picture });
  t.match(missing.error, { code: 'MND_CAMERA_MISSING', message: /missing\.mp4/ });
  const text = await take({ input: video(join(folder, 'text.mp4')), ...picture });
  t.match(text.error, {
    code: 'MND_CAMERA_FAILED',
    message: /text\.mp4: .*status 1: Invalid data/,
  });
  const noProgram = { input: video(join(folder, 'text.mp4')), ...picture, program: 'no-ffmpeg' };
  t.match((await take(noProgram)).error, { code: 'MND_CAMERA_MISSING', message: /no-ffmpeg/ });
  t.match((await take({ input: { kind: 'v4l2', device: '/dev/video99' }, ...picture })).error, {
    code: 'MND_CAMERA_MISSING',
  });
});

t.test('a stream whose server refuses tells no credentials', { skip }, async (t) => {
  const secret = 'Sesam12';
  for (const input of [
    { kind: 'rtsp', url: `rtsp://user:${secret}@127.0.0.1:9/live?token=${secret}` },
    { kind: 'remote', url: `http://user:${secret}@127.0.0.1:9/live?pw=${secret}`, loop: true },
  ] as const) {
    const { error } = await take({ input, size: [64, 48], fps: 10 });
    t.match(error, { code: 'MND_CAMERA_FAILED' });
    t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), new RegExp(secret));
    t.equal(error.cause, undefined);
  }
});

t.test('an ffmpeg that dies delivers no half frame', { skip }, async (t) => {
  const path = join(t.testdir({}), 'cut.mkv');
  makeVideo(path, 'testsrc2=size=64x48:rate=10:duration=2', '-c:v', 'ffv1');
  const input = { kind: 'video', path, loop: false } as const;
  let child: ChildProcess | null = null;
  const lengths: number[] = [];
  const source = createFfmpegSource({
    input,
    size: [64, 48],
    fps: 10,
    spawn: (command, args) => {
      child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      return child;
    },
  });
  const error = await source.run(new AbortController().signal, ({ bytes }) => {
    lengths.push(bytes.length);
    if (lengths.length === 3) child?.kill('SIGKILL');
  });
  t.match(error, { code: 'MND_CAMERA_FAILED', message: /SIGKILL/ });
  t.ok(lengths.length >= 3 && lengths.every((length) => length === 64 * 48 * 1.5));
});
