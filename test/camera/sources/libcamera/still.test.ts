// A process of its own: it sets the environment.
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import {
  createStillSource,
  type StillOptions,
  stillOptions,
  takeStill,
} from '#mobilenetd/camera/sources/libcamera/still.js';
import { eventually } from '../../../eventually.js';
import { createFakeClock } from '../../../fake-clock.js';

const FAKE = resolve('test/fixtures/fake-rpicam-still.mjs');
const PHOTO = readFileSync('assets/demo/coffee.jpg');
const never = new AbortController().signal;

/** Folders for one test: programs (the stand-in under `name`), temporary files and a log. */
function setUp(test: Test, name: string, fault: string | null = null) {
  const root = test.testdir({ bin: {}, temporary: {} });
  const path = join(root, 'bin');
  const log = join(root, 'log');
  symlinkSync(FAKE, join(path, name));
  // Two files run side by side only in different processes: the variable is this test's own.
  process.env.FAKE_STILL = JSON.stringify({ fault, log });
  const temporary = '/tmp';
  /** The lines that are whole: the stand-in may be writing one. */
  const lines = () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []);
  const calls = () =>
    lines().map((line) => JSON.parse(line.slice(0, line.lastIndexOf(' '))) as string[]);
  const pids = () => lines().map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
  const options: StillOptions = { size: [640, 480], settle: 1, path, temporary };
  return { options, calls, pids, root };
}

t.test('a picture is taken by either program, through node-libcamera', async (t) => {
  for (const name of ['rpicam-still', 'libcamera-still']) {
    const { options, calls } = setUp(t, name);
    const bytes = await takeStill({ ...options, controls: { ev: -1.5, hflip: true } }, never);
    t.ok(PHOTO.equals(bytes), name);
    const [call] = calls();
    t.equal(call?.[0], 'libcamera-still', 'under the name that node-libcamera knows');
    t.match(call?.slice(1), [
      /^--output=\/tmp\/mobilenetd-\w+\/picture\.jpg$/,
      ...['--encoding=jpg', '--quality=90', '--timeout=1', '--nopreview', '--verbose=0'],
      ...['--width=640', '--height=480', '--ev=-1.5', '--hflip'],
    ]);
    const file = call?.find((word) => word.startsWith('--output='))?.slice('--output='.length);
    t.notOk(existsSync(dirname(file ?? '/')), 'nothing is left of its folder');
  }
});

t.test('no configured value reaches the shell', async (t) => {
  const { options, calls, root } = setUp(t, 'rpicam-still');
  const owned = join(root, 'owned');
  const evil = `1; touch ${owned} #`;
  const attempts: Record<string, unknown>[] = [
    { size: [evil, 480] },
    { settle: evil },
    { quality: evil },
    { quality: 0 },
    { rotation: evil },
    { rotation: 90 },
    { controls: { camera: evil } },
    { controls: { roi: [0, 0, 1, evil] } },
    { controls: { roi: `$(touch ${owned})` } },
    { controls: { awb: evil } },
    { controls: { ev: evil } },
    { controls: { mode: `640:480${evil}` } },
    { controls: { tuning_file: `/x.json; touch ${owned}` } },
    { controls: { tuning_file: `/$(touch ${owned})` } },
    { controls: { hdr: evil } },
    { rotation: 270 },
    { controls: { hflip: evil } },
    { controls: { [evil]: true } },
    { controls: { [`hflip; touch ${owned}`]: 1 } },
    { controls: { '__proto__; x': evil } },
  ];
  for (const attempt of attempts) {
    const bad = { ...options, ...attempt } as StillOptions;
    await t.rejects(takeStill(bad, never), { code: 'MND_CONFIG_INVALID' });
    t.throws(() => createStillSource({ ...bad, fps: 1 }), { code: 'MND_CONFIG_INVALID' });
  }
  const folder = join(root, `a $(touch ${owned.replaceAll('/', '_')})`);
  mkdirSync(folder);
  await t.rejects(takeStill({ ...options, temporary: folder }, never), {
    code: 'MND_CONFIG_INVALID',
  });
  t.same(calls(), [], 'the program was never started');
  t.notOk(existsSync(owned));
});

t.test('every word that goes through the shell is harmless', (t) => {
  const words = stillOptions(
    {
      size: [4056, 3040],
      rotation: 180,
      controls: {
        roi: [0.1, 0.2, 0.3, 1e-9 + 0.4],
        gain: 1.23456789,
        ev: -10,
        lens: 1e-7,
        shutter: 600_000_000,
        denoise: 'cdn_off',
        hdr: 'single-exp',
        mode: '2304:1296',
        tuning_file: '/usr/share/libcamera/ipa/rpi/vc4/imx219_noir.json',
      },
    },
    '/tmp/mobilenetd-abc/picture.jpg',
  ).flat();
  for (const word of words) t.match(String(word), /^[A-Za-z0-9/._,:-]+$/, String(word));
  t.end();
});

t.test('failures have their reason', async (t) => {
  const refused = setUp(t, 'rpicam-still', 'no-camera');
  await t.rejects(takeStill(refused.options, never), {
    code: 'MND_CAMERA_FAILED',
    message: /no cameras available/,
  });
  const nothing = setUp(t, 'libcamera-still', 'nothing');
  await t.rejects(takeStill(nothing.options, never), { message: /wrote no picture/ });
  await t.rejects(takeStill({ ...nothing.options, path: '/nowhere' }, never), {
    code: 'MND_CAMERA_MISSING',
  });
});

t.test('a program that hangs is ended with everything it started', async (t) => {
  const { options, calls, pids } = setUp(t, 'rpicam-still', 'hang');
  const clock = createFakeClock();
  const taken = takeStill({ ...options, clock }, never);
  const failed = t.rejects(taken, { code: 'MND_CAMERA_STALLED' });
  while (calls().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  // The deadline and SIGINT, SIGTERM, SIGKILL.
  for (const pause of [20_001, 3000, 2000]) await clock.advance(pause);
  await failed;
  const [pid = 0] = pids();
  const isGone = () => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  };
  t.ok(await eventually(isGone), 'the program behind the shell is gone');
});

t.test('the source takes a picture at its rate and stops when told', async (t) => {
  const { options, calls } = setUp(t, 'rpicam-still');
  const clock = createFakeClock();
  const ending = new AbortController();
  const times: number[] = [];
  const source = createStillSource({ ...options, fps: 0.1, clock });
  const run = source.run(ending.signal, ({ bytes, format }) => {
    t.equal(format, 'jpeg');
    t.ok(PHOTO.equals(bytes));
    times.push(clock.now());
    if (times.length === 3) ending.abort();
  });
  // The deadline of a picture is a timer, too: time must not run while the program does.
  const stepped = (async () => {
    let ended = false;
    void run.finally(() => {
      ended = true;
    });
    for (let shown = -1; !ended; ) {
      if (times.length > shown) {
        shown = times.length;
        await clock.advance(10_000);
      } else await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  t.match(await run, { code: 'MND_CAMERA_STOPPED' });
  await stepped;
  t.equal(calls().length, 3);
  t.ok(times.every((time, index) => index === 0 || time - (times[index - 1] ?? 0) >= 10_000));
});
