import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { benchFrames } from '#mobilenetd/cli/bench-frames.js';
import { type FramePath, measureFramePath } from '#mobilenetd/cli/frame-path.js';
import { startEngine } from '#mobilenetd/inference/engine.js';
import { createPresence } from '#mobilenetd/presence/presence.js';
import { openStore } from '#mobilenetd/store/store.js';
import { decodePicture } from '#mobilenetd/vision/decode.js';
import { resizeBilinear } from '#mobilenetd/vision/resize.js';
import { createSamplingPlan } from '#mobilenetd/vision/sampling.js';
import { classifierVariant } from '../inference/tiny-models.js';

async function openPath(t: Test): Promise<FramePath> {
  const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-frame-path-'));
  const engine = await startEngine({ threads: 1 });
  const store = openStore({
    file: join(folder, 'test.db'),
    commitInterval: 1,
    detectionInterval: 0,
    retention: { days: 1, maxBytes: 1e9 },
    outbox: { maxAge: 60, maxRows: 10 },
  });
  t.teardown(async () => {
    store.close();
    await engine.close();
    await rm(folder, { recursive: true });
  });
  await engine.load(await classifierVariant(folder, 'colours'));
  let events = 0;
  const presence = createPresence('bench', {
    enter: 0.1,
    stay: 0.05,
    offDelay: 5,
    minFrames: 2,
    labels: {},
    groups: {},
    createId: () => {
      events += 1;
      return `event-${events}`;
    },
  });
  const options = { topK: 3, threshold: 0.5 };
  return { engine, variant: 'colours', options, presence, store };
}

t.test('three formats show the same picture', async (t) => {
  const frames = await benchFrames();
  t.same(
    frames.map(({ format, width, bytes }) => [format, width, bytes.length]),
    [
      ['yuv420p', 640, 460_800],
      ['rgb24', 640, 921_600],
      ['jpeg', 0, frames[2]?.bytes.length],
    ],
  );
  const [yuv, rgb, jpeg] = frames.map(({ bytes }) => bytes) as [Uint8Array, Uint8Array, Uint8Array];
  const decoded = (await decodePicture(jpeg, { subject: 'scene' })).bytes;
  const plan = (format: 'rgb24' | 'yuv420p') =>
    createSamplingPlan(
      { width: 640, height: 480, format, range: 'full' },
      [0, 0, 640, 480],
      64,
      48,
    );
  const small = (bytes: Uint8Array, format: 'rgb24' | 'yuv420p') => {
    const out = new Uint8Array(64 * 48 * 3);
    resizeBilinear(bytes, plan(format), out);
    return out;
  };
  const expected = small(rgb, 'rgb24');
  for (const [name, found] of [
    ['yuv420p', small(yuv, 'yuv420p')],
    ['jpeg', small(decoded, 'rgb24')],
  ] as const) {
    const sum = found.reduce((total, value, i) => total + Math.abs(value - (expected[i] ?? 0)), 0);
    t.ok(sum / found.length < 3, `${name} is off by ${sum / found.length} on average`);
  }
});

t.test('every stage of every format is measured', async (t) => {
  const path = await openPath(t);
  const frames = await benchFrames();
  const costs = await measureFramePath(path, frames, 5, new AbortController().signal);
  t.same(
    costs.map(({ format, frames: count }) => [format, count]),
    [
      ['yuv420p', 5],
      ['rgb24', 5],
      ['jpeg', 5],
    ],
  );
  for (const { format, stages, total, outside } of costs) {
    const { decode, ...others } = stages;
    t.equal(decode > 0, format === 'jpeg');
    for (const [stage, ms] of Object.entries(others)) t.ok(ms >= 0, `${format} ${stage}`);
    t.ok(total > stages.inference && outside > 0 && outside < 1);
  }
  t.ok([...path.store.events({ limit: 10 })].length > 0, 'presence and store did their work');
  t.ok([...path.store.detections({ limit: 10 })].length > 0);
});

t.test('an abort ends it', async (t) => {
  const path = await openPath(t);
  const signal = AbortSignal.abort(new Error('enough'));
  await t.rejects(measureFramePath(path, await benchFrames(), 5, signal), { message: 'enough' });
});
