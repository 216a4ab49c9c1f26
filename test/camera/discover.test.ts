import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createSource } from '#mobilenetd/camera/create.js';
import { parseCameraList } from '#mobilenetd/camera/discover/programs.js';
import { type DiscoverOptions, discoverCameras } from '#mobilenetd/camera/discover.js';
import type { Source } from '#mobilenetd/camera/source.js';
import { codedError } from '#mobilenetd/errors.js';
import { PATIENCE_MS } from '../eventually.js';
import { cameraOptions } from './camera-options.js';

const LIST = `Available cameras
-----------------
0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]

1 : ov5647 [2592x1944 10-bit GBRG] (/base/axi/pcie@120000/rp1/i2c@88000/ov5647@36)
    Modes: 'SGBRG10_CSI2P' : 640x480 [58.92 fps - (16, 0)/2560x1920 crop]
`;

const CAMERA = cameraOptions('demo');

/** A board: devices, what the kernel says of them, and a program that lists cameras. */
function board(test: Test, script: string | null) {
  const root = test.testdir({
    bin: {},
    dev: {
      video0: '',
      video1: '',
      video2: '',
      video10: '',
      media0: '',
      dma_heap: { 'linux,cma': '', system: '' },
      v4l: {
        'by-id': {
          'usb-046d_HD_Pro_Webcam_C920-video-index0': test.fixture('symlink', '../../video0'),
        },
      },
    },
    sys: {
      drivers: { uvcvideo: {}, unicam: {}, 'bcm2835-codec': {} },
      class: {
        video4linux: {
          video0: device(test, 'HD Pro Webcam C920', 'uvcvideo', 0),
          video1: device(test, 'HD Pro Webcam C920', 'uvcvideo', 1),
          video2: device(test, 'unicam-image', 'unicam', 0),
          video10: device(test, 'bcm2835-codec-decode', 'bcm2835-codec', 0),
        },
      },
    },
  });
  if (script !== null) {
    const file = join(root, 'bin', 'rpicam-hello');
    writeFileSync(file, `#!/bin/sh\n${script}`);
    chmodSync(file, 0o755);
  }
  return {
    devRoot: join(root, 'dev'),
    sysfsRoot: join(root, 'sys'),
    path: join(root, 'bin'),
    mayUse: async () => true,
  };
}

function device(test: Test, name: string, driver: string, index: number) {
  return {
    name: `${name}\n`,
    index: `${index}\n`,
    device: { driver: test.fixture('symlink', `../../../../drivers/${driver}`) },
  };
}

function discover(options: Partial<DiscoverOptions>) {
  return discoverCameras({ cameras: {}, ...options });
}

const lister = `cat <<'END'\n${LIST}END\n`;

t.test('the list of cameras is read, and nothing else in it', (t) => {
  t.same(parseCameraList(LIST), [
    { index: 0, sensor: 'imx708', mode: '4608x2592 10-bit RGGB' },
    { index: 1, sensor: 'ov5647', mode: '2592x1944 10-bit GBRG' },
  ]);
  t.same(parseCameraList('No cameras available!\n'), []);
  t.end();
});

t.test('ribbon cameras and USB cameras are found, with what to write', async (t) => {
  const findings = await discover(board(t, lister));
  const about = (subject: string) => findings.filter((finding) => finding.subject === subject);
  t.match(about('libcamera'), [
    { level: 'ok', found: /camera 0 is a imx708, 4608x2592/, next: /source: libcamera.*camera: 0/ },
    { level: 'ok', found: /camera 1 is a ov5647/, next: /camera: 1/ },
  ]);
  t.match(about('/dev/dma_heap'), [{ level: 'ok', found: /dma_heap\/linux,cma.*media0/ }]);
  const stable = '/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920-video-index0';
  t.match(about(stable), [
    {
      level: 'ok',
      found: 'HD Pro Webcam C920',
      next: `to use it: { source: v4l2, device: ${stable} }`,
    },
  ]);
  t.match(about('/dev/video*'), [{ level: 'info', found: /^3 more video devices/ }]);
  t.match(about('cameras'), [{ level: 'warn', next: /cameras:/ }]);
});

t.test('what is missing or forbidden comes with what to do', async (t) => {
  const cameras = { front: { ...CAMERA, source: 'libcamera' as const } };
  const source = (): Source => ({
    run: async () =>
      codedError('MND_CAMERA_FAILED', { found: 'Pipeline handler in use by another process' }),
  });
  const denied = await discover({
    ...board(t, 'echo "No cameras available!"'),
    mayUse: async (path) => !/video0|dma_heap/.test(path),
    cameras,
    createSource: source,
  });
  t.match(denied, [
    { subject: 'libcamera', level: 'fail', found: 'no camera is detected', next: /ribbon cable/ },
    { level: 'fail', found: /may not use \/dev\/dma_heap\/linux,cma/, next: /usermod -aG video/ },
    { subject: /C920/, level: 'fail', next: /usermod -aG video/ },
    { subject: '/dev/video*' },
    { subject: 'camera front', level: 'fail', next: /systemctl stop mobilenetd/ },
  ]);
  const bare = await discover({ ...board(t, null), cameras, createSource: source });
  t.match(bare[0], { level: 'fail', next: /apt install rpicam-apps-lite/ });
  const failing = await discover({
    ...board(t, 'echo broken >&2; exit 3'),
    cameras,
    createSource: source,
  });
  t.match(failing[0], { level: 'fail', found: /ended with status 3: broken/ });
  const nothing = t.testdir({ bin: {} });
  const empty = await discover({ devRoot: nothing, sysfsRoot: nothing, path: nothing });
  t.match(empty, [
    { subject: 'libcamera', level: 'info' },
    { subject: '/dev/video*', found: 'there is no video device' },
    { subject: 'cameras' },
  ]);
});

t.test('one frame of each configured camera', async (t) => {
  const black = { width: 64, height: 48, format: 'yuv420p', range: 'full' } as const;
  const sources: Readonly<Record<string, Source>> = {
    '/dev/black': {
      async run(_signal, onFrame) {
        onFrame({ ...black, bytes: new Uint8Array(64 * 48 * 1.5) });
        onFrame({ ...black, bytes: new Uint8Array(64 * 48 * 1.5).fill(200) });
        return codedError('MND_CAMERA_STOPPED');
      },
    },
    '/dev/silent': {
      run: (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(codedError('MND_CAMERA_STOPPED')));
        }),
    },
  };
  const folder = t.testdir({ drop: {}, bin: {} });
  const v4l2 = { ...CAMERA, source: 'v4l2' as const };
  const tried = (cameras: Readonly<Record<string, typeof CAMERA>>, deadline: number) =>
    discover({
      devRoot: folder,
      sysfsRoot: folder,
      path: folder,
      deadline,
      cameras,
      createSource: (options) => sources[options.device ?? ''] ?? createSource(options),
    });
  // Longer than a busy machine takes: the others end by themselves.
  const findings = await tried(
    {
      drawn: CAMERA,
      dark: { ...v4l2, device: '/dev/black' },
      gone: { ...v4l2, device: '/dev/no-such-camera' },
      door: { ...CAMERA, source: 'watch', path: join(folder, 'drop') },
      lost: { ...CAMERA, source: 'watch', path: join(folder, 'none') },
      film: { ...CAMERA, source: 'video', path: join(folder, 'none.mp4') },
    },
    PATIENCE_MS / 1000,
  );
  t.match(findings.slice(2), [
    { subject: 'camera drawn', level: 'ok', found: /^a frame of 640×480 after \d/ },
    { subject: 'camera dark', level: 'warn', found: /picture is black/, next: /lens cap/ },
    { subject: 'camera gone', level: 'fail', next: /by-id/ },
    { subject: 'camera door', level: 'ok' },
    { subject: 'camera lost', level: 'fail', found: /missing/ },
    { subject: 'camera film', level: 'fail', next: /path is right/ },
  ]);
  const silent = await tried({ silent: { ...v4l2, device: '/dev/silent' } }, 0.2);
  t.match(silent.slice(2), [
    { subject: 'camera silent', level: 'fail', found: 'no frame within 0.2 s' },
  ]);
});

t.test('a program that hangs is ended, and an abort ends the search', async (t) => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 100);
  const findings = await discover({ ...board(t, 'exec sleep 60'), signal: stop.signal });
  t.match(findings[0], { subject: 'libcamera', level: 'info' });
});
