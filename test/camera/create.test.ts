import { join } from 'node:path';
import t from 'tap';
import { type CameraOptions, createSource, stallTimeoutOf } from '#mobilenetd/camera/create.js';
import type { SourceKind } from '#mobilenetd/camera/registry.js';
import { cameraOptions } from './camera-options.js';

/** What a source says when it is stopped before it started: its kind shows in the subject. */
async function stopped(options: CameraOptions): Promise<Error> {
  return createSource(options).run(AbortSignal.abort(), () => void t.fail('delivered'));
}

t.test('every kind of source is made from its options', async (t) => {
  const folder = t.testdir({ 'a.jpg': '' });
  for (const [source, more] of [
    ['demo', {}],
    ['files', { path: folder }],
    ['watch', { path: folder }],
    ['still', {}],
  ] as const) {
    t.match(await stopped(cameraOptions(source, more)), { code: 'MND_CAMERA_STOPPED' }, source);
  }
  for (const [source, more, message] of [
    ['video', { path: join(folder, 'none.mp4') }, /none\.mp4/],
    ['v4l2', { device: '/dev/video99' }, /video99/],
  ] as const) {
    t.match(await stopped(cameraOptions(source, more)), { code: 'MND_CAMERA_MISSING', message });
  }
  for (const [source, url] of [
    ['rtsp', 'rtsp://cam/live'],
    ['mjpeg', 'http://cam/video'],
    ['video', 'https://example.org/a.mp4'],
    ['video', 'rtsp://cam/live'],
  ] as const) {
    t.doesNotThrow(() => createSource(cameraOptions(source, { url })));
  }
  t.doesNotThrow(() =>
    createSource(
      cameraOptions('libcamera', {
        controls: { ...cameraOptions('libcamera').controls, hflip: true },
      }),
    ),
  );
});

t.test('what a kind needs must be there and be right', (t) => {
  const bad: [SourceKind, Partial<CameraOptions>][] = [
    ['files', {}],
    ['watch', { path: '' }],
    ['video', {}],
    ['v4l2', {}],
    ['rtsp', {}],
    ['rtsp', { url: 'http://cam/' }],
    ['mjpeg', { url: 'rtsp://cam/' }],
    ['v4l2', { device: '/dev/video0', input_format: 'raw' as 'auto' }],
    ['still', { size: [1, 1] }],
    ['libcamera', { controls: { ...cameraOptions('libcamera').controls, ev: 99 } }],
  ];
  for (const [source, more] of bad) {
    t.throws(() => createSource(cameraOptions(source, more)), { code: 'MND_CONFIG_INVALID' });
  }
  t.end();
});

t.test('a slow source is not taken for a stalled one', (t) => {
  t.equal(stallTimeoutOf(cameraOptions('rtsp'), 10), 10);
  t.equal(stallTimeoutOf(cameraOptions('files', { fps: 0.05 }), 10), 60);
  t.equal(stallTimeoutOf(cameraOptions('still', { still_interval: 1 }), 10), 40);
  t.equal(stallTimeoutOf(cameraOptions('watch'), 10), null);
  t.end();
});

t.test('a mask covers what every source delivers', async (t) => {
  const mask = [
    [
      [0, 0],
      [640, 0],
      [640, 240],
      [0, 240],
    ],
  ] as const;
  const ending = new AbortController();
  const masked = createSource(cameraOptions('demo', { mask }));
  let upper = 0;
  let lower = 0;
  const error = await masked.run(ending.signal, ({ bytes }) => {
    upper = Math.max(...bytes.subarray(0, 1000));
    lower = Math.max(...bytes.subarray(640 * 240 * 3, 640 * 240 * 3 + 1000));
    ending.abort();
  });
  t.match(error, { code: 'MND_CAMERA_STOPPED' });
  t.equal(upper, 0);
  t.ok(lower > 100);
});
