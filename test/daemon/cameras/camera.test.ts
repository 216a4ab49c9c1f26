import t from 'tap';
import { createSchedule } from '#mobilenetd/camera/schedule.js';
import { createSlot } from '#mobilenetd/camera/slot.js';
import { Camera, type CameraOptions } from '#mobilenetd/daemon/cameras/camera.js';
import { CameraNotices } from '#mobilenetd/daemon/cameras/notices.js';
import { createMeter } from '#mobilenetd/daemon/line/meter.js';
import { createPresence } from '#mobilenetd/presence/presence.js';
import { createFakeClock } from '../../fake-clock.js';

const THRESHOLDS = { enter: 0.6, stay: 0.4, offDelay: 5, minFrames: 2 };
const FRAME = { width: 2, height: 2, format: 'yuv420p', range: 'full' } as const;

/** A camera on a fake clock that starts on Monday, 23 November 2026, at noon (UTC). */
function setUp(overrides: Partial<CameraOptions> = {}) {
  const clock = createFakeClock();
  const noon = Date.UTC(2026, 10, 23, 12);
  const said: string[] = [];
  const modes: string[] = [];
  const presenceOptions = { ...THRESHOLDS, labels: {}, groups: {}, createId: () => 'id' };
  const camera = new Camera({
    name: 'front',
    slot: createSlot({ camera: 'front', clock }),
    meter: createMeter(0),
    presence: createPresence('front', presenceOptions),
    presenceOptions: {
      stream: presenceOptions,
      still: { ...presenceOptions, window: 1, minFrames: 1 },
    },
    fps: { stream: 10, still: 1 / 60 },
    stallTimeout: { stream: 10, still: 180 },
    capture: 'stream',
    schedule: null,
    crop: null,
    labels: null,
    leastScore: 0.4,
    notices: new CameraNotices(() => 0),
    async supervise(mode, signal, onFrame, onStatus, rate) {
      modes.push(`${mode} ${Math.round(rate() * 60)}/min`);
      onFrame({ ...FRAME, bytes: new Uint8Array(6) });
      onStatus('online', null);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    takePicture: async () => new Uint8Array([1]),
    onStatus: (status, reason) => said.push(reason === null ? status : `${status}: ${reason}`),
    clock: { ...clock, wall: () => noon + clock.now() },
    ...overrides,
  });
  return { camera, clock, said, modes };
}

const HOUR = 3_600_000;

t.test('the schedule opens and closes the camera while it runs', async (t) => {
  const schedule = createSchedule(['mon 12:30-13:30'], 'UTC');
  const { camera, clock, said, modes } = setUp({ schedule });
  const why = 'outside its schedule: mon 12:30-13:30';
  camera.start();
  await clock.advance(0);
  t.equal(camera.status(), 'disabled');
  t.equal(camera.reason(), why);
  t.same(modes, [], 'nothing is opened');
  await clock.advance(HOUR / 2 + 10);
  t.equal(camera.status(), 'online');
  t.ok(camera.take(), 'its frames are looked at');
  await clock.advance(HOUR);
  t.equal(camera.status(), 'disabled');
  t.equal(camera.take(), null, 'not even the last one');
  await t.rejects(async () => void (await camera.picture()), { code: 'MND_CAMERA_STOPPED' });
  t.same(said, [`disabled: ${why}`, 'online', `disabled: ${why}`]);
  await camera.stop();
  t.equal(clock.pending(), 0);
});

t.test('a camera that may keeps cool takes stills, one look being enough', async (t) => {
  const { camera, clock, modes } = setUp({ capture: 'auto' });
  camera.start();
  await clock.advance(0);
  t.equal(camera.fps, 10);
  camera.keepCool(true);
  await clock.advance(0);
  t.equal(camera.fps, 1 / 60);
  t.equal(camera.stallTimeout, 180);
  const seen = { index: 1, label: 'cup', score: 0.9, box: null };
  const timings = { decode: 0, preprocess: 0, inference: 1, postprocess: 0 };
  const result = { camera: 'front', sequence: 1, capturedAt: 0, time: 0, timings, labels: [seen] };
  const events = camera.presence.update({ ...result, model: 'm', alpha: 1, size: 128 });
  t.match(events, [{ type: 'new', label: 'cup' }]);
  camera.keepCool(false);
  await clock.advance(0);
  t.same(modes, ['stream 600/min', 'still 1/min', 'stream 600/min']);
  await camera.stop();

  const other = setUp({ capture: 'stream' });
  other.camera.start();
  other.camera.keepCool(true);
  await other.clock.advance(0);
  t.same(other.modes, ['stream 600/min'], 'others are left alone');
  await other.camera.stop();
});

t.test('switched off by a command it runs, but nobody looks', async (t) => {
  const { camera, clock, said } = setUp();
  camera.start();
  await clock.advance(0);
  camera.setEnabled(false);
  t.equal(camera.status(), 'disabled');
  t.equal(camera.take(), null);
  await t.rejects(async () => void (await camera.picture()), { message: /switched off/ });
  camera.setEnabled(true);
  t.same(await camera.picture(), new Uint8Array([1]));
  t.same(said.slice(0, 3), ['online', 'disabled: switched off by a command', 'online']);
  await camera.stop();
});

t.test('a limit of the rate holds for the camera and for sources that can follow', async (t) => {
  const { camera } = setUp();
  camera.limitRate(2);
  t.equal(camera.interval(), 500);
  t.equal(camera.rate(), 2);
  camera.limitRate(20);
  t.equal(camera.interval(), 0);
  t.equal(camera.rate(), 10);
  await camera.stop();
});

t.test('however few frames are looked at, a source is not taken for a stalled one', async (t) => {
  let wanted = (): number => 0;
  const { camera, clock } = setUp({
    capture: 'auto',
    async supervise(_mode, signal, _onFrame, _onStatus, rate) {
      wanted = rate;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  camera.start();
  await clock.advance(0);
  camera.limitRate(0.01);
  t.equal(wanted(), 0.2, 'two frames in its ten seconds');
  t.equal(camera.interval(), 100_000, 'and one of them in a hundred seconds is looked at');
  camera.keepCool(true);
  await clock.advance(0);
  camera.limitRate(0.0001);
  t.equal(wanted(), 2 / 180, 'two pictures in its three minutes');
  t.equal(camera.interval(), 90_000, 'and both are looked at');
  camera.limitRate(null);
  t.equal(wanted(), 1 / 60);
  t.equal(camera.interval(), 0);
  await camera.stop();
});

t.test('a stream of this board is asked for fewer frames, and begun anew for it', async (t) => {
  const asked: number[] = [];
  const supervise: CameraOptions['supervise'] = async (...[mode, signal, , onStatus, , fps]) => {
    asked.push(mode === 'stream' ? fps() : -1);
    onStatus('online', null);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  const { camera, clock, said } = setUp({ canSlow: true, capture: 'auto', supervise });
  camera.start();
  await clock.advance(0);
  camera.slowStream(0.25);
  camera.slowStream(0.25);
  await clock.advance(0);
  t.same(asked, [10, 3], 'whole frames, once');
  t.equal(camera.fps, 10, 'what is asked for by the configuration stays');
  t.equal(camera.status(), 'online');
  camera.slowStream(0.01);
  await clock.advance(0);
  camera.keepCool(true);
  await clock.advance(0);
  camera.slowStream(1);
  await clock.advance(0);
  t.same(asked, [10, 3, 1, -1], 'stills are not begun anew');
  camera.keepCool(false);
  await clock.advance(0);
  t.equal(asked.at(-1), 10);
  t.notOk(said.includes('offline'), `${said}`);
  await camera.stop();

  const elsewhere = setUp({ supervise });
  elsewhere.camera.start();
  await elsewhere.clock.advance(0);
  asked.length = 0;
  elsewhere.camera.slowStream(0.2);
  await elsewhere.clock.advance(0);
  t.same(asked, [], 'a camera elsewhere does not heat this board');
  await elsewhere.camera.stop();
});
