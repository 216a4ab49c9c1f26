import t from 'tap';
import { createSource } from '#mobilenetd/camera/create.js';
import { controlOptions } from '#mobilenetd/camera/libcamera/controls.js';
import { stillOptions } from '#mobilenetd/camera/libcamera/still.js';
import { streamArguments } from '#mobilenetd/camera/libcamera/stream.js';
import type { CameraConfig } from '#mobilenetd/config/config.js';
import { keysOf } from '#mobilenetd/config/keys.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { CAMERA } from '#mobilenetd/config/sections/camera.js';
import { CONTROLS } from '#mobilenetd/config/sections/controls.js';
import { isCodedError } from '#mobilenetd/errors.js';

/** A camera as the daemon gets it from its configuration; null when that is refused. */
function configured(source: string, key: string, value: unknown): CameraConfig | null {
  const path = key.split('.');
  const camera = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  const text = JSON.stringify({ cameras: { front: { source, ...(camera as object) } } });
  try {
    const { config } = loadConfig({
      files: ['/c.yaml'],
      env: {},
      readFile: () => Buffer.from(text),
    });
    return config.cameras.front ?? null;
  } catch (error) {
    if (isCodedError(error) && error.code === 'MND_CONFIG_INVALID') return null;
    throw error;
  }
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
  let accepted = 0;
  for (const { dotted } of keysOf(CAMERA)) {
    for (const text of EVIL) {
      for (const value of [text, [text], { [text]: true }, [0, 0, 1, text], [[text]]]) {
        for (const source of ['libcamera', 'still']) {
          const camera = configured(dotted === 'source' ? text : source, dotted, value);
          if (camera === null) continue;
          accepted += 1;
          const { size, rotation, controls, fps } = camera;
          const picture = { size, rotation: rotation === 180 ? 180 : 0, controls };
          const words = stillOptions(picture, '/tmp/picture.jpg').flat();
          for (const word of words) t.match(String(word), /^[A-Za-z0-9/._,:-]+$/);
          for (const argument of streamArguments({ ...picture, fps })) {
            t.match(argument, /^--[a-z-]+(=[A-Za-z0-9/._,:-]+)?$/);
          }
        }
      }
    }
  }
  t.ok(accepted > 0, 'labels may be any text, and reach no program');
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
    const text = JSON.stringify({ cameras: { a: { source, ...needs, [key]: value } } });
    const { config } = loadConfig({ files: ['/c'], env: {}, readFile: () => Buffer.from(text) });
    const found = config.cameras.a;
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
