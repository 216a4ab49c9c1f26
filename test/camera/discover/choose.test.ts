import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ChooseOptions, chooseCamera } from '#mobilenetd/camera/discover/choose.js';

const never = new AbortController().signal;

/** A board with two USB cameras and a codec; `list` is what rpicam-hello prints, null: there is none. */
function board(t: Test, list: string | null) {
  const device = (name: string, driver: string, index: number) => ({
    name: `${name}\n`,
    index: `${index}\n`,
    device: { driver: t.fixture('symlink', `../../../../drivers/${driver}`) },
  });
  const root = t.testdir({
    bin: {},
    dev: { video0: '', video1: '', video2: '', video10: '' },
    sys: {
      drivers: { uvcvideo: {}, 'bcm2835-codec': {} },
      class: {
        video4linux: {
          video0: device('Dead Cam', 'uvcvideo', 0),
          video1: device('Dead Cam', 'uvcvideo', 1),
          video2: device('HD Pro Webcam C920', 'uvcvideo', 0),
          video10: device('bcm2835-codec-decode', 'bcm2835-codec', 0),
        },
      },
    },
  });
  if (list !== null) {
    const file = join(root, 'bin/rpicam-hello');
    writeFileSync(file, `#!/bin/sh\necho '${list}'\n`);
    chmodSync(file, 0o755);
  }
  const tried: string[] = [];
  const options: ChooseOptions = {
    devRoot: join(root, 'dev'),
    sysfsRoot: join(root, 'sys'),
    path: join(root, 'bin'),
    mayUse: async () => true,
    async tryDevice(path) {
      tried.push(path);
      const delivers = path === '/dev/video2';
      return { delivers, found: delivers ? 'a frame of 640×480' : 'no frame within 8 s' };
    },
  };
  return { options, tried };
}

t.test('a camera of libcamera comes first', async (t) => {
  const { options, tried } = board(t, '0 : imx708 [4608x2592 10-bit RGGB] (/base/soc)');
  const { camera } = await chooseCamera(options, never);
  t.same(camera, { settings: { source: 'libcamera' }, what: 'imx708' });
  t.same(tried, [], 'the others are left alone');
});

t.test('else the first USB camera that delivers', async (t) => {
  for (const list of [null, 'No cameras available!']) {
    const { options, tried } = board(t, list);
    const { camera } = await chooseCamera(options, never);
    t.match(camera, { settings: { source: 'v4l2', device: '/dev/video2' }, what: /C920/ });
    t.same(tried, ['/dev/video0', '/dev/video2'], 'no metadata node, no codec');
  }
});

t.test('none is none, with why', async (t) => {
  const { options } = board(t, null);
  const denied = await chooseCamera({ ...options, mayUse: async () => false }, never);
  t.equal(denied.camera, null);
  t.match(denied.tried, ['/dev/video0: this user may not open it', /video2/]);
  const dead = async () => ({ delivers: false, found: 'device or resource busy' });
  const busy = await chooseCamera({ ...options, tryDevice: dead }, never);
  t.match(busy, { camera: null, tried: [/busy/, /busy/] });
});
