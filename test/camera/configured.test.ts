import t, { type Test } from 'tap';
import { createSource } from '#mobilenetd/camera/create.js';
import { CONTROLS } from '#mobilenetd/camera/sources/libcamera/control-keys.js';
import { controlOptions } from '#mobilenetd/camera/sources/libcamera/controls.js';
import { stillOptions } from '#mobilenetd/camera/sources/libcamera/still.js';
import { streamArguments } from '#mobilenetd/camera/sources/libcamera/stream.js';
import { isConfigError } from '#mobilenetd/config/check/problem.js';
import type { CameraConfig, Config } from '#mobilenetd/config/config.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { createMerged, mergeLayer } from '#mobilenetd/config/read/layer.js';
import { keysOf } from '#mobilenetd/config/schema/keys.js';
import { SCHEMA } from '#mobilenetd/config/schema/schema.js';
import { CAMERA } from '#mobilenetd/config/schema/sections/camera.js';

const INVALID = { code: 'MND_CONFIG_INVALID' };

type Written = Readonly<Record<string, unknown>>;

/** A camera with one value at a dotted key. */
function written(source: string, key: string, value: unknown): Written {
  const path = key.split('.');
  const camera = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  return { source, ...(camera as object) };
}

function load(cameras: Written): Config {
  const text = JSON.stringify({ cameras });
  const readFile = () => Buffer.from(text);
  return loadConfig({ files: ['/c.yaml'], env: {}, readFile, boardModel: null }).config;
}

/**
 * Those of the cameras that a configuration may have. What the schema refuses is sorted out by its own
 * merge, as in `loadConfig`, which takes far longer; one of those is loaded
 * all the same.
 */
function accepted(t: Test, cameras: readonly Written[]): CameraConfig[] {
  const merged = createMerged();
  const values = { cameras: Object.fromEntries(cameras.map((camera, at) => [`c${at}`, camera])) };
  const layer = {
    values,
    originOf: () => '',
    replaces: false,
    resolvePath: (path: string) => path,
  };
  mergeLayer(merged, layer, SCHEMA);
  const faulty = new Set(
    merged.problems.map(({ key }) => Number(/^cameras\.c(\d+)/.exec(key)?.[1])),
  );
  t.notOk(faulty.has(Number.NaN), 'every problem is one of a camera');
  const [refused] = faulty;
  if (refused !== undefined) t.throws(() => load({ a: cameras[refused] }), INVALID);
  return cameras.filter((_, at) => !faulty.has(at)).flatMap((camera) => loaded(camera) ?? []);
}

/** A camera as the daemon gets it from its configuration; null when that is refused. */
function loaded(camera: Written): CameraConfig | null {
  try {
    return load({ front: camera }).cameras.front ?? null;
  } catch (error) {
    if (isConfigError(error)) return null;
    throw error;
  }
}

function configured(source: string, key: string, value: unknown): CameraConfig | null {
  return loaded(written(source, key, value));
}

const EVIL = [
  '; touch /tmp/owned',
  '$(touch /tmp/owned)',
  '`touch /tmp/owned`',
  '| sh',
  '&& reboot',
  "' ; reboot '",
  '" ; reboot "',
  '\nreboot\n',
  '--post-process-file=/etc/passwd',
  '../../etc/passwd',
  '*',
  '~root',
  '$IFS$9reboot',
  '/tmp/a b',
  '/tmp/a;reboot',
  '640:480;reboot',
  '640:480 --output=/etc/passwd',
];

t.test('no value of any key of a camera means something to a shell', (t) => {
  let count = 0;
  for (const { dotted } of keysOf(CAMERA)) {
    const attempts = EVIL.flatMap((text) =>
      [text, [text], { [text]: true }, [0, 0, 1, text], [[text]]].flatMap((value) =>
        ['libcamera', 'still'].map((source) =>
          written(dotted === 'source' ? text : source, dotted, value),
        ),
      ),
    );
    for (const { size, rotation, controls, fps } of accepted(t, attempts)) {
      count += 1;
      const picture = { size, rotation: rotation === 180 ? 180 : 0, controls } as const;
      const words = stillOptions(picture, '/tmp/picture.jpg').flat();
      const harmful = words.filter((word) => !/^[A-Za-z0-9/._,:-]+$/.test(String(word)));
      const odd = streamArguments({ ...picture, fps }).filter(
        (argument) => !/^--[a-z-]+(=[A-Za-z0-9/._,:-]+)?$/.test(argument),
      );
      t.same([...harmful, ...odd], [], dotted);
    }
  }
  t.ok(count > 0, 'labels may be any text, and reach no program');
  t.end();
});

t.test('a name that is no key is refused, whatever it holds', (t) => {
  for (const text of EVIL) {
    t.equal(configured('libcamera', 'controls', { [text]: true }), null);
    t.equal(configured('libcamera', 'controls', { [`hflip${text}`]: true }), null);
    t.equal(configured('libcamera', text.replaceAll('.', '_'), true), null);
  }
  t.end();
});

t.test('every control of the configuration is one that the programs are given', (t) => {
  const samples: Readonly<Record<string, unknown>> = {
    camera: 1,
    hflip: true,
    vflip: true,
    roi: [0.25, 0.25, 0.5, 0.5],
    exposure: 'sport',
    shutter: 10_000,
    gain: 2,
    ev: 0.5,
    metering: 'spot',
    awb: 'daylight',
    autofocus: 'manual',
    autofocus_range: 'macro',
    lens: 2,
    hdr: 'sensor',
    mode: '2304:1296',
    tuning_file: '/usr/share/libcamera/ipa/rpi/vc4/imx219_noir.json',
    denoise: 'cdn_off',
    brightness: 0.1,
    contrast: 1.1,
    saturation: 1.2,
    sharpness: 1.3,
  };
  t.same(Object.keys(CONTROLS).sort(), Object.keys(samples).sort());
  for (const [name, value] of Object.entries(samples)) {
    const camera = configured('libcamera', `controls.${name}`, value);
    t.ok(camera, name);
    t.equal(camera === null ? 0 : controlOptions(camera.controls).length, 1, name);
  }
  t.end();
});

t.test('the keys of the other sources reach them', async (t) => {
  for (const [source, key, value] of [
    ['rtsp', 'transport', 'udp'],
    ['rtsp', 'hardware', 'v4l2m2m'],
    ['v4l2', 'input_format', 'mjpeg'],
  ] as const) {
    const needs = source === 'rtsp' ? { url: 'rtsp://192.0.2.1/' } : { device: '/dev/null' };
    const camera = configured(source, key, value);
    t.equal(camera, null, `${source} needs more than ${key}`);
    const found = load({ a: { source, ...needs, [key]: value } }).cameras.a;
    if (found === undefined) throw new Error('no camera');
    let args: readonly string[] = [];
    await createSource(found, {
      spawn: (_command, given) => {
        args = given;
        throw new Error('seen enough');
      },
    }).run(new AbortController().signal, () => {});
    t.ok(args.includes(value === 'v4l2m2m' ? 'h264_v4l2m2m' : value), args.join(' '));
  }
});
