import { spawn } from 'node:child_process';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import type { CapturedFrame } from '#mobilenetd/camera/source.js';
import {
  createLibcameraStream,
  type LibcameraStreamOptions,
  streamArguments,
} from '#mobilenetd/camera/sources/libcamera/stream.js';

const FAKE = resolve('test/fixtures/fake-rpicam-vid.mjs');

interface Behaviour {
  readonly alignment?: number;
  readonly fault?: string;
  readonly after?: number;
  readonly adjust?: readonly [number, number];
  readonly silent?: boolean;
  readonly frames?: number;
}

/** A folder that has the stand-in under a program's name. */
function binFolder(test: Test, name = 'rpicam-vid'): string {
  const folder = test.testdir({});
  symlinkSync(FAKE, join(folder, name));
  return folder;
}

async function take(
  path: string,
  behaviour: Behaviour,
  overrides: Partial<LibcameraStreamOptions> & { readonly until?: number } = {},
) {
  const ending = new AbortController();
  const frames: CapturedFrame[] = [];
  const { until = Number.POSITIVE_INFINITY, ...options } = overrides;
  const env = { ...process.env, FAKE_CAMERA: JSON.stringify(behaviour) };
  const source = createLibcameraStream({
    size: [160, 120],
    fps: 25,
    path,
    spawn: (command, args) => spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env }),
    ...options,
  });
  const error = await source.run(ending.signal, (frame) => {
    frames.push({ ...frame, bytes: frame.bytes.slice() });
    if (frames.length === until) ending.abort();
  });
  return { frames, error };
}

/** Whole and clean: luma of one number, the right chroma, no padding. */
function isWhole({ width, height, bytes }: CapturedFrame): boolean {
  const luma = width * height;
  return (
    bytes.length === luma * 1.5 &&
    bytes.subarray(0, luma).every((byte) => byte === bytes[0] && byte < 200) &&
    bytes.subarray(luma, luma * 1.25).every((byte) => byte === 100) &&
    bytes.subarray(luma * 1.25).every((byte) => byte === 200)
  );
}

t.test('frames of every board come without padding, and SIGINT stops the program', async (t) => {
  const path = binFolder(t);
  for (const alignment of [64, 128]) {
    const { frames, error } = await take(path, { alignment }, { until: 4 });
    t.match(error, { code: 'MND_CAMERA_STOPPED' });
    t.equal(frames.length, 4);
    t.ok(frames.every(isWhole));
    t.match(frames[0], { width: 160, height: 120, format: 'yuv420p', range: 'full' });
  }
});

t.test('the older program serves when the newer is missing', async (t) => {
  const { frames } = await take(binFolder(t, 'libcamera-vid'), {}, { until: 1 });
  t.equal(frames.length, 1);
  const none = await take(t.testdir({ none: {} }), {});
  t.match(none.error, { code: 'MND_CAMERA_MISSING', message: /rpicam-vid or libcamera-vid/ });
});

t.test('the newer program is taken before the older', async (t) => {
  const folder = binFolder(t);
  const old = join(folder, 'libcamera-vid');
  writeFileSync(old, '#!/bin/sh\nexit 7\n');
  chmodSync(old, 0o755);
  const { frames } = await take(folder, {}, { until: 1 });
  t.equal(frames.length, 1);
});

t.test('a size that the camera settles for is honoured', async (t) => {
  const path = binFolder(t);
  const { frames } = await take(path, { adjust: [128, 96] }, { until: 2 });
  t.match(frames[0], { width: 128, height: 96 });
  t.ok(frames.every(isWhole));
  const silent = await take(path, { adjust: [144, 90], silent: true }, { fps: 50 });
  t.same(silent.frames, [], 'without being told, nothing wrong is delivered');
  t.match(silent.error, { code: 'MND_FRAME_INVALID' });
});

t.test('every end has its reason', async (t) => {
  const path = binFolder(t);
  for (const [fault, code, message] of [
    ['no-camera', 'MND_CAMERA_MISSING', /no cameras available.*list-cameras/],
    ['exit-255', 'MND_CAMERA_FAILED', /status 255: ERROR: \*\*\* failed to start camera/],
    ['exit-0', 'MND_CAMERA_FAILED', /status 0/],
    ['crash', 'MND_CAMERA_FAILED', /SIGSEGV/],
    ['timeout', 'MND_CAMERA_STALLED', /Device timeout detected.*ribbon/],
  ] as const) {
    const { frames, error } = await take(path, { fault });
    t.match(error, { code, message }, fault);
    t.ok(frames.every(isWhole));
  }
});

t.test('no half, shifted or foreign frame is delivered', async (t) => {
  const path = binFolder(t);
  for (const fault of ['half-frame', 'garbage', 'lost', 'trickle']) {
    const { frames, error } = await take(path, { fault, after: 12 }, { fps: 15 });
    t.match(
      error,
      { code: fault === 'half-frame' ? 'MND_CAMERA_FAILED' : 'MND_FRAME_INVALID' },
      fault,
    );
    t.ok(frames.length > 0 && frames.every(isWhole), `${fault}: ${frames.length} frames`);
  }
});

t.test('the arguments are fixed names and checked values', (t) => {
  t.same(
    streamArguments({
      size: [640, 480],
      fps: 10,
      rotation: 180,
      controls: {
        camera: 1,
        hflip: true,
        vflip: false,
        roi: [0.25, 0, 0.5, 1],
        exposure: 'sport',
        shutter: 10_000,
        ev: -1.5,
        awb: 'daylight',
        autofocus: 'manual',
        lens: 0.00001,
      },
    }),
    [
      ...['--codec=yuv420', '--output=-', '--flush', '--timeout=0', '--nopreview', '--verbose=0'],
      ...['--framerate=10', '--width=640', '--height=480', '--rotation=180'],
      ...['--camera=1', '--hflip', '--roi=0.25,0,0.5,1', '--exposure=sport', '--shutter=10000'],
      ...['--ev=-1.5', '--awb=daylight', '--autofocus-mode=manual', '--lens-position=0'],
    ],
  );
  t.end();
});

t.test('nothing else gets through', (t) => {
  const good: LibcameraStreamOptions = { size: [640, 480], fps: 10 };
  const evil = '0; touch /tmp/owned #';
  const bad: Partial<Record<keyof LibcameraStreamOptions, unknown>>[] = [
    { size: [641, 480] },
    { size: [640, evil] },
    { fps: evil },
    { fps: 0 },
    { rotation: 90 },
    { rotation: evil },
    ...[
      { camera: evil },
      { camera: 1.5 },
      { hflip: evil },
      { roi: [0, 0, 1, evil] },
      { roi: [0.5, 0, 0.6, 1] },
      { roi: evil },
      { exposure: evil },
      { exposure: 7 },
      { tuning_file: '/a b' },
      { tuning_file: 'relative.json' },
      { mode: `640:480${evil}` },
      { hdr: evil },
      { shutter: -1 },
      { gain: Number.POSITIVE_INFINITY },
      { awb: ['auto', evil] },
      { lens: evil },
      { [evil]: true },
      { constructor: 1 },
      { 'post-process-file': '/etc/passwd' },
    ].map((controls) => ({ controls })),
  ];
  for (const overrides of bad) {
    const options = { ...good, ...overrides } as LibcameraStreamOptions;
    t.throws(() => createLibcameraStream(options), { code: 'MND_CONFIG_INVALID' });
  }
  t.end();
});
