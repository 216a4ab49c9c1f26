import t from 'tap';
import { type ScheduledCamera, Scheduler } from '#mobilenetd/daemon/line/scheduler.js';
import {
  type CameraProgress,
  createProgressJudge,
  PROGRESS_LIMITS,
  type Progress,
} from '#mobilenetd/daemon/outputs/progress.js';
import { codedError } from '#mobilenetd/errors.js';
import { systemClock } from '#mobilenetd/time.js';

const FRONT: CameraProgress = {
  name: 'front',
  status: 'online',
  enabled: true,
  delivered: 0,
  stallMs: 10_000,
};

function progressOf(part: Partial<Progress>, camera: Partial<CameraProgress> = {}): Progress {
  return { labelled: 0, failed: 0, lookingMs: null, cameras: [{ ...FRONT, ...camera }], ...part };
}

/** A judge with a clock that the test moves on. */
function judgeAt() {
  let time = 0;
  const judge = createProgressJudge(() => time);
  return (seconds: number, progress: Progress) => {
    time = seconds * 1000;
    return judge(progress);
  };
}

t.test('frames that are labelled are progress, however long one of them takes', async (t) => {
  const look = judgeAt();
  t.match(look(0, progressOf({ labelled: 1 })), { sound: true, reason: 'frames are labelled' });
  t.ok(look(10, progressOf({ labelled: 2, lookingMs: 40_000 }, { delivered: 5 })).sound);
});

t.test('a sound reason not to label is named', async (t) => {
  const cases: [Partial<CameraProgress>, string, boolean][] = [
    [{ status: 'offline' }, 'front offline', true],
    [{ status: 'disabled' }, 'front disabled', false],
    [{ status: 'ended' }, 'front ended', false],
    [{ enabled: false, delivered: 3 }, 'front disabled', false],
    [{ delivered: 900 }, 'front still', true],
  ];
  for (const [camera, reason, awaitsFrames] of cases) {
    const look = judgeAt();
    look(0, progressOf({}));
    t.same(look(20, progressOf({}, camera)), { sound: true, reason, awaitsFrames });
  }
  t.match(judgeAt()(0, progressOf({ cameras: [] })), { sound: true, reason: 'no camera' });
});

t.test('a motion gate may hold frames back for ever', async (t) => {
  const look = judgeAt();
  for (let minute = 0; minute < 120; minute += 1) {
    t.ok(look(minute * 60, progressOf({}, { delivered: minute * 600 })).sound);
  }
});

t.test('a camera that stays away is no fault of the daemon', async (t) => {
  const look = judgeAt();
  for (let hour = 0; hour < 48; hour += 1) {
    t.ok(look(hour * 3600, progressOf({}, { status: 'offline', delivered: 7 })).sound);
  }
});

t.test('a frame that never leaves the network is stuck', async (t) => {
  const look = judgeAt();
  t.ok(look(0, progressOf({ labelled: 9 })).sound);
  t.ok(look(10, progressOf({ labelled: 9, lookingMs: 10_000 }, { delivered: 100 })).sound);
  const verdict = look(31, progressOf({ labelled: 9, lookingMs: 31_000 }, { delivered: 310 }));
  t.match(verdict, { sound: false, reason: 'a frame has been in the network for 31 s' });
  t.ok(look(40, progressOf({ labelled: 10 }, { delivered: 400 })).sound, 'it may come back');
});

t.test('inferences that all fail are no progress after a while', async (t) => {
  const look = judgeAt();
  let verdict = look(0, progressOf({ labelled: 5 }));
  for (let second = 10; second <= 290; second += 10) {
    verdict = look(second, progressOf({ labelled: 5, failed: second }, { delivered: second }));
    t.ok(verdict.sound, `${second} s: the worker is being restarted`);
  }
  verdict = look(330, progressOf({ labelled: 5, failed: 330 }, { delivered: 330 }));
  t.match(verdict, { sound: false, reason: 'every inference has failed for 320 s' });
  t.ok(look(340, progressOf({ labelled: 6, failed: 330 }, { delivered: 340 })).sound);
});

t.test('a source that is silent beyond its supervisor’s patience is a fault', async (t) => {
  const look = judgeAt();
  look(0, progressOf({}, { delivered: 4 }));
  t.ok(look(69, progressOf({}, { delivered: 4 })).sound);
  t.match(look(71, progressOf({}, { delivered: 4 })), {
    sound: false,
    reason: 'front has delivered nothing for 71 s and is not restarted',
  });
  t.ok(look(80, progressOf({}, { delivered: 4, status: 'offline' })).sound, 'it is restarted');
  const patient = judgeAt();
  patient(0, progressOf({}, { stallMs: null }));
  t.ok(patient(86_400, progressOf({}, { stallMs: null })).sound, 'a watched folder may be quiet');
});

/** A scheduler whose camera always has a frame, driven by a clock of its own. */
function schedulerOf(infer: () => Promise<never>) {
  let time = 0;
  const frame = {
    camera: 'front',
    sequence: 1,
    capturedAt: 0,
    time: 0,
    width: 1,
    height: 1,
    format: 'rgb24' as const,
    range: 'full' as const,
    bytes: new Uint8Array(3),
  };
  let taken = 0;
  const camera: ScheduledCamera = {
    name: 'front',
    crop: null,
    leastScore: () => 0,
    interval: () => 0,
    rate: () => 10,
    take: () => {
      taken += 1;
      return taken > 3 ? null : frame;
    },
    release: () => {},
  };
  const scheduler = new Scheduler({
    topK: 1,
    clock: { ...systemClock, now: () => time },
    infer,
    onResult: () => {},
    onError: () => {},
  });
  scheduler.setCameras([camera]);
  scheduler.start();
  const judge = createProgressJudge(() => time);
  return (seconds: number) => {
    time = seconds * 1000;
    const { labelled, failed, refused, lookingMs } = scheduler.stats();
    return judge(progressOf({ labelled, failed: failed - refused, lookingMs }));
  };
}

t.test('a worker that never answers is found out through the scheduler', async (t) => {
  const look = schedulerOf(() => new Promise(() => {}));
  t.ok(look(0).sound);
  t.ok(look(PROGRESS_LIMITS.stuckMs / 1000).sound);
  t.match(look(PROGRESS_LIMITS.stuckMs / 1000 + 1), { sound: false, reason: /in the network/ });
});

t.test('damaged pictures are the camera’s fault, not the network’s', async (t) => {
  const look = schedulerOf(async () => {
    throw codedError('MND_IMAGE_INVALID');
  });
  look(0);
  await new Promise((resolve) => setImmediate(resolve));
  t.ok(look(10).sound);
  t.ok(look(60).sound);
});
