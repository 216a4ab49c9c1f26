import t from 'tap';
import { createSchedule } from '#mobilenetd/camera/schedule.js';
import { createSlot } from '#mobilenetd/camera/slot.js';
import {
  type CameraUnitOptions,
  createCameraUnit,
} from '#mobilenetd/daemon/cameras/camera-unit.js';
import { createMeter } from '#mobilenetd/daemon/line/meter.js';
import { createPresence } from '#mobilenetd/presence/presence.js';
import { createFakeClock } from '../fake-clock.js';

const THRESHOLDS = { enter: 0.6, stay: 0.4, offDelay: 5, minFrames: 2 };
const FRAME = { width: 2, height: 2, format: 'yuv420p', range: 'full' } as const;

/** A camera on a fake clock that starts on Monday, 23 November 2026, at noon (UTC). */
function setUp(overrides: Partial<CameraUnitOptions> = {}) {
  const clock = createFakeClock();
  const noon = Date.UTC(2026, 10, 23, 12);
  const said: string[] = [];
  const modes: string[] = [];
  const presenceOptions = { ...THRESHOLDS, labels: {}, groups: {}, createId: () => 'id' };
  const unit = createCameraUnit({
    name: 'front',
    slot: createSlot({ camera: 'front', now: clock.now }),
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
    threshold: 0.4,
    async supervise(mode, signal, onFrame, onStatus, rate) {
      modes.push(`${mode} ${Math.round(rate() * 60)}/min`);
      onFrame({ ...FRAME, bytes: new Uint8Array(6) });
      onStatus('online', null);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    takePicture: async () => new Uint8Array([1]),
    onStatus: (status, reason) => said.push(reason === null ? status : `${status}: ${reason}`),
    wallTime: () => noon + clock.now(),
    clock,
    ...overrides,
  });
  return { unit, clock, said, modes };
}

const HOUR = 3_600_000;

t.test('the schedule opens and closes the camera while it runs', async (t) => {
  const schedule = createSchedule(['mon 12:30-13:30'], 'UTC');
  const { unit, clock, said, modes } = setUp({ schedule });
  const why = 'outside its schedule: mon 12:30-13:30';
  unit.start();
  await clock.advance(0);
  t.equal(unit.status(), 'disabled');
  t.equal(unit.reason(), why);
  t.same(modes, [], 'nothing is opened');
  await clock.advance(HOUR / 2 + 10);
  t.equal(unit.status(), 'online');
  t.ok(unit.lane.take(), 'its frames are looked at');
  await clock.advance(HOUR);
  t.equal(unit.status(), 'disabled');
  t.equal(unit.lane.take(), null, 'not even the last one');
  await t.rejects(async () => void (await unit.picture()), { code: 'MND_CAMERA_STOPPED' });
  t.same(said, [`disabled: ${why}`, 'online', `disabled: ${why}`]);
  await unit.stop();
  t.equal(clock.pending(), 0);
});

t.test('a camera that may keeps cool takes stills, one look being enough', async (t) => {
  const { unit, clock, modes } = setUp({ capture: 'auto' });
  unit.start();
  await clock.advance(0);
  t.equal(unit.fps, 10);
  unit.keepCool(true);
  await clock.advance(0);
  t.equal(unit.fps, 1 / 60);
  t.equal(unit.stallTimeout, 180);
  const seen = { index: 1, label: 'cup', score: 0.9, box: null };
  const timings = { decode: 0, preprocess: 0, inference: 1, postprocess: 0 };
  const result = { camera: 'front', sequence: 1, capturedAt: 0, time: 0, timings, labels: [seen] };
  const events = unit.presence.update({ ...result, model: 'm', alpha: 1, size: 128 });
  t.match(events, [{ type: 'new', label: 'cup' }]);
  unit.keepCool(false);
  await clock.advance(0);
  t.same(modes, ['stream 600/min', 'still 1/min', 'stream 600/min']);
  await unit.stop();

  const other = setUp({ capture: 'stream' });
  other.unit.start();
  other.unit.keepCool(true);
  await other.clock.advance(0);
  t.same(other.modes, ['stream 600/min'], 'others are left alone');
  await other.unit.stop();
});

t.test('switched off by a command it runs, but nobody looks', async (t) => {
  const { unit, clock, said } = setUp();
  unit.start();
  await clock.advance(0);
  unit.setEnabled(false);
  t.equal(unit.status(), 'disabled');
  t.equal(unit.lane.take(), null);
  await t.rejects(async () => void (await unit.picture()), { message: /switched off/ });
  unit.setEnabled(true);
  t.same(await unit.picture(), new Uint8Array([1]));
  t.same(said.slice(0, 3), ['online', 'disabled: switched off by a command', 'online']);
  await unit.stop();
});

t.test('a limit of the rate holds for the lane and for sources that can follow', async (t) => {
  const { unit } = setUp();
  unit.limitRate(2);
  t.equal(unit.lane.interval(), 500);
  t.equal(unit.lane.rate(), 2);
  unit.limitRate(20);
  t.equal(unit.lane.interval(), 0);
  t.equal(unit.lane.rate(), 10);
  await unit.stop();
});

t.test('however few frames are looked at, a source is not taken for a stalled one', async (t) => {
  let wanted = (): number => 0;
  const { unit, clock } = setUp({
    capture: 'auto',
    async supervise(_mode, signal, _onFrame, _onStatus, rate) {
      wanted = rate;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  unit.start();
  await clock.advance(0);
  unit.limitRate(0.01);
  t.equal(wanted(), 0.2, 'two frames in its ten seconds');
  t.equal(unit.lane.interval(), 100_000, 'and one of them in a hundred seconds is looked at');
  unit.keepCool(true);
  await clock.advance(0);
  unit.limitRate(0.0001);
  t.equal(wanted(), 2 / 180, 'two pictures in its three minutes');
  t.equal(unit.lane.interval(), 90_000, 'and both are looked at');
  unit.limitRate(null);
  t.equal(wanted(), 1 / 60);
  t.equal(unit.lane.interval(), 0);
  await unit.stop();
});
