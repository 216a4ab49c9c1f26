import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { type ScheduledCamera, Scheduler } from '#mobilenetd/daemon/line/scheduler.js';
import type { Result } from '#mobilenetd/inference/result.js';
import { systemClock } from '#mobilenetd/time.js';

function frameOf(camera: string, sequence: number): Frame {
  return {
    camera,
    sequence,
    capturedAt: 0,
    time: 0,
    width: 1,
    height: 1,
    format: 'rgb24',
    range: 'full',
    bytes: new Uint8Array(3),
  };
}

function resultOf(frame: Frame): Result {
  return {
    camera: frame.camera,
    sequence: frame.sequence,
    capturedAt: frame.capturedAt,
    time: frame.time,
    model: 'm',
    alpha: 1,
    size: 128,
    timings: { decode: 0, preprocess: 0, inference: 1, postprocess: 0 },
    labels: [],
  };
}

/** A camera that always has a frame, and remembers what was taken and given back. */
function busyCamera(name: string, interval = 0, available = Number.POSITIVE_INFINITY, rate = 10) {
  let taken = 0;
  let held = 0;
  const camera: ScheduledCamera = {
    name,
    crop: null,
    leastScore: () => 0.4,
    interval: () => interval,
    rate: () => rate,
    take: () => {
      if (taken >= available) return null;
      taken += 1;
      held += 1;
      return frameOf(name, taken);
    },
    release: () => {
      held -= 1;
    },
  };
  return { camera, taken: () => taken, held: () => held };
}

/** Runs a scheduler whose clock advances by `cost` an inference, until `frames` were labelled. */
async function runUntil(cameras: readonly ScheduledCamera[], frames: number, cost: number) {
  const order: string[] = [];
  const starts: number[] = [];
  let time = 1000;
  let done: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  const scheduler = new Scheduler({
    topK: 1,
    clock: { ...systemClock, now: () => time },
    infer: async (frame) => {
      starts.push(time);
      time += cost;
      return resultOf(frame);
    },
    onResult: (_camera, result) => {
      order.push(result.camera);
      if (order.length === frames) done();
    },
    onError: (_camera, error) => {
      throw error;
    },
  });
  scheduler.setCameras(cameras);
  scheduler.start();
  await finished;
  await scheduler.stop();
  return { order, starts, stats: scheduler.stats() };
}

t.test('cameras are served in turn', async (t) => {
  const a = busyCamera('a');
  const b = busyCamera('b');
  const c = busyCamera('c', 0, 2);
  const { order, stats } = await runUntil([a.camera, b.camera, c.camera], 10, 5);
  t.same(order.slice(0, 6), ['a', 'b', 'c', 'a', 'b', 'c']);
  t.same(order.slice(6, 10), ['a', 'b', 'a', 'b'], 'a camera without frames costs no turn');
  t.equal(a.held() + b.held() + c.held(), 0, 'every frame was given back');
  t.ok(stats.labelled >= 10);
  t.equal(stats.failed, 0);
});

t.test('cameras share the engine by the rates they ask for', async (t) => {
  const cameras = [
    busyCamera('a', 0, Number.POSITIVE_INFINITY, 10),
    busyCamera('b', 0, Number.POSITIVE_INFINITY, 5),
    busyCamera('c', 0, Number.POSITIVE_INFINITY, 1),
    busyCamera('dead', 0, 0, 30),
  ];
  const { order } = await runUntil(
    cameras.map(({ camera }) => camera),
    160,
    5,
  );
  const share = (camera: string) => order.filter((name) => name === camera).length;
  t.equal(share('a'), 100);
  t.equal(share('b'), 50);
  t.equal(share('c'), 10);
  const gaps = order.join('').split('a');
  t.ok(
    gaps.every((gap) => gap.length <= 2),
    'the turns are spread out',
  );
});

t.test('a camera that was silent has no turns saved up', async (t) => {
  const a = busyCamera('a');
  const late = busyCamera('late');
  let turns = 0;
  const camera: ScheduledCamera = {
    ...late.camera,
    take: () => (turns++ < 50 ? null : late.camera.take()),
  };
  const { order } = await runUntil([a.camera, camera], 70, 5);
  const first = order.indexOf('late');
  t.ok(first >= 50);
  t.same(order.slice(first, first + 4), ['late', 'a', 'late', 'a']);
});

t.test('a slow camera keeps its share beside a fast one', async (t) => {
  const fast = busyCamera('fast');
  const slow = busyCamera('slow', 20);
  const { order } = await runUntil([fast.camera, slow.camera], 60, 5);
  const share = order.filter((camera) => camera === 'slow').length;
  t.ok(share >= 12 && share <= 20, `one in four of 5 ms turns is every 20 ms, got ${share} of 60`);
});

t.test('a failed inference gives the frame back and the next one is served', async (t) => {
  const camera = busyCamera('a', 0, 3);
  const errors: unknown[] = [];
  const results: number[] = [];
  let done: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  const scheduler = new Scheduler({
    topK: 1,
    infer: async (frame) => {
      if (frame.sequence === 2) throw new Error('broken');
      return resultOf(frame);
    },
    onResult: (_camera, result) => {
      results.push(result.sequence);
      if (result.sequence === 3) done();
    },
    onError: (_camera, error) => errors.push(error),
  });
  scheduler.setCameras([camera.camera]);
  scheduler.start();
  await finished;
  await scheduler.stop();
  t.same(results, [1, 3]);
  t.equal(errors.length, 1);
  t.equal(camera.held(), 0);
  t.match(scheduler.stats(), { labelled: 2, failed: 1 });
});

t.test('stop waits for the frame being looked at', async (t) => {
  let finish: () => void = () => {};
  const camera = busyCamera('a', 0, 1);
  const scheduler = new Scheduler({
    topK: 1,
    infer: (frame) =>
      new Promise((resolve) => {
        finish = () => resolve(resultOf(frame));
      }),
    onResult: () => {},
    onError: () => {},
  });
  scheduler.setCameras([camera.camera]);
  scheduler.start();
  await new Promise((resolve) => setImmediate(resolve));
  let stopped = false;
  const stopping = scheduler.stop().then(() => {
    stopped = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(stopped, false);
  t.equal(camera.held(), 1);
  finish();
  await stopping;
  t.equal(camera.held(), 0);
});
