import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { createPipeline, type Lane } from '#mobilenetd/daemon/line/pipeline.js';
import type { Result } from '#mobilenetd/inference/result.js';

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

/** A lane that always has a frame, and remembers what was taken and given back. */
function busyLane(camera: string, interval = 0, available = Number.POSITIVE_INFINITY, rate = 10) {
  let taken = 0;
  let held = 0;
  const lane: Lane = {
    camera,
    crop: null,
    threshold: () => 0.4,
    interval: () => interval,
    rate: () => rate,
    take: () => {
      if (taken >= available) return null;
      taken += 1;
      held += 1;
      return frameOf(camera, taken);
    },
    release: () => {
      held -= 1;
    },
  };
  return { lane, taken: () => taken, held: () => held };
}

/** Runs a pipeline whose clock advances by `cost` an inference, until `frames` were labelled. */
async function runUntil(lanes: readonly Lane[], frames: number, cost: number) {
  const order: string[] = [];
  const starts: number[] = [];
  let time = 1000;
  let done: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  const pipeline = createPipeline({
    topK: 1,
    now: () => time,
    infer: async (frame) => {
      starts.push(time);
      time += cost;
      return resultOf(frame);
    },
    onResult: (_lane, result) => {
      order.push(result.camera);
      if (order.length === frames) done();
    },
    onError: (_lane, error) => {
      throw error;
    },
  });
  pipeline.setLanes(lanes);
  pipeline.start();
  await finished;
  await pipeline.stop();
  return { order, starts, stats: pipeline.stats() };
}

t.test('cameras are served in turn', async (t) => {
  const a = busyLane('a');
  const b = busyLane('b');
  const c = busyLane('c', 0, 2);
  const { order, stats } = await runUntil([a.lane, b.lane, c.lane], 10, 5);
  t.same(order.slice(0, 6), ['a', 'b', 'c', 'a', 'b', 'c']);
  t.same(order.slice(6, 10), ['a', 'b', 'a', 'b'], 'a camera without frames costs no turn');
  t.equal(a.held() + b.held() + c.held(), 0, 'every frame was given back');
  t.ok(stats.labelled >= 10);
  t.equal(stats.failed, 0);
});

t.test('cameras share the engine by the rates they ask for', async (t) => {
  const lanes = [
    busyLane('a', 0, Number.POSITIVE_INFINITY, 10),
    busyLane('b', 0, Number.POSITIVE_INFINITY, 5),
    busyLane('c', 0, Number.POSITIVE_INFINITY, 1),
    busyLane('dead', 0, 0, 30),
  ];
  const { order } = await runUntil(
    lanes.map(({ lane }) => lane),
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
  const a = busyLane('a');
  const late = busyLane('late');
  let turns = 0;
  const lane: Lane = { ...late.lane, take: () => (turns++ < 50 ? null : late.lane.take()) };
  const { order } = await runUntil([a.lane, lane], 70, 5);
  const first = order.indexOf('late');
  t.ok(first >= 50);
  t.same(order.slice(first, first + 4), ['late', 'a', 'late', 'a']);
});

t.test('a slow camera keeps its share beside a fast one', async (t) => {
  const fast = busyLane('fast');
  const slow = busyLane('slow', 20);
  const { order } = await runUntil([fast.lane, slow.lane], 60, 5);
  const share = order.filter((camera) => camera === 'slow').length;
  t.ok(share >= 12 && share <= 20, `one in four of 5 ms turns is every 20 ms, got ${share} of 60`);
});

t.test('a failed inference gives the frame back and the next one is served', async (t) => {
  const lane = busyLane('a', 0, 3);
  const errors: unknown[] = [];
  const results: number[] = [];
  let done: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  const pipeline = createPipeline({
    topK: 1,
    infer: async (frame) => {
      if (frame.sequence === 2) throw new Error('broken');
      return resultOf(frame);
    },
    onResult: (_lane, result) => {
      results.push(result.sequence);
      if (result.sequence === 3) done();
    },
    onError: (_lane, error) => errors.push(error),
  });
  pipeline.setLanes([lane.lane]);
  pipeline.start();
  await finished;
  await pipeline.stop();
  t.same(results, [1, 3]);
  t.equal(errors.length, 1);
  t.equal(lane.held(), 0);
  t.match(pipeline.stats(), { labelled: 2, failed: 1 });
});

t.test('stop waits for the frame being looked at', async (t) => {
  let finish: () => void = () => {};
  const lane = busyLane('a', 0, 1);
  const pipeline = createPipeline({
    topK: 1,
    infer: (frame) =>
      new Promise((resolve) => {
        finish = () => resolve(resultOf(frame));
      }),
    onResult: () => {},
    onError: () => {},
  });
  pipeline.setLanes([lane.lane]);
  pipeline.start();
  await new Promise((resolve) => setImmediate(resolve));
  let stopped = false;
  const stopping = pipeline.stop().then(() => {
    stopped = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(stopped, false);
  t.equal(lane.held(), 1);
  finish();
  await stopping;
  t.equal(lane.held(), 0);
});
