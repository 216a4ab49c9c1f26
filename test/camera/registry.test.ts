import { readFileSync } from 'node:fs';
import t from 'tap';
import { createSource } from '#mobilenetd/camera/create.js';
import {
  kindsMarkdown,
  SOURCE_KEYS,
  SOURCE_KINDS,
  SOURCES,
  type SourceKind,
} from '#mobilenetd/camera/registry.js';
import { isConfigError } from '#mobilenetd/config/check/problem.js';
import type { CameraConfig } from '#mobilenetd/config/config.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { isCodedError } from '#mobilenetd/errors.js';

t.test('docs/cameras.md has the kinds as they say they are', (t) => {
  const text = readFileSync('docs/cameras.md', 'utf8');
  const hint = 'run scripts/write-default-config.mjs after a build';
  t.ok(text.includes(`<!-- kinds -->\n${kindsMarkdown()}<!-- end of kinds -->`), hint);
  for (const kind of SOURCE_KINDS)
    t.match(kindsMarkdown(), `| \`${kind}\` | ${SOURCES[kind].summary} |`);
  t.end();
});

t.test('a key that several kinds have is one and the same', (t) => {
  for (const kind of SOURCE_KINDS) {
    const { keys, needs, summary } = SOURCES[kind];
    t.not(summary, '');
    for (const [name, leaf] of Object.entries(keys)) {
      t.equal((SOURCE_KEYS as Readonly<Record<string, unknown>>)[name], leaf, `${kind} ${name}`);
    }
    for (const need of needs) t.ok(Object.hasOwn(keys, need), `${kind} has ${need}`);
  }
  t.end();
});

function configured(camera: object): CameraConfig | null {
  const text = JSON.stringify({ cameras: { front: camera } });
  try {
    const { config } = loadConfig({
      files: ['/c.yaml'],
      env: {},
      readFile: () => Buffer.from(text),
      boardModel: null,
    });
    return config.cameras.front ?? null;
  } catch (error) {
    if (isConfigError(error)) return null;
    throw error;
  }
}

function isMade(camera: CameraConfig): boolean {
  try {
    createSource(camera);
    return true;
  } catch (error) {
    if (isCodedError(error)) return false;
    throw error;
  }
}

const NEEDED: Readonly<Partial<Record<SourceKind, object>>> = {
  v4l2: { device: '/dev/video0' },
  rtsp: { url: 'rtsp://192.0.2.1/' },
  mjpeg: { url: 'http://192.0.2.1/' },
  video: { path: '/tmp/a.mp4' },
  files: { path: '/tmp' },
  watch: { path: '/tmp' },
};

t.test('what the check lets pass can be made, for every kind', (t) => {
  const devices = [
    '®_Cam@1=a#b',
    'v4l/by-id/usb-A\\x20B_®-video-index0',
    'video0',
    '../etc/passwd',
  ];
  const sizes = [
    [640, 480],
    [4608, 2592],
    [8192, 8192],
    [62, 62],
    [16, 16],
  ];
  let passed = 0;
  for (const source of SOURCE_KINDS) {
    for (const size of sizes) {
      const camera = configured({ source, ...NEEDED[source], size });
      if (camera === null) continue;
      passed += 1;
      t.ok(isMade(camera), `${source} ${size.join('×')}`);
    }
  }
  for (const name of devices) {
    const camera = configured({ source: 'v4l2', device: `/dev/${name}` });
    if (camera !== null) t.ok(isMade(camera), name);
    t.equal(camera !== null, !name.includes('..'), name);
  }
  t.ok(passed > SOURCE_KINDS.length, `${passed} passed`);
  t.equal(configured({ source: 'rtsp', ...NEEDED.rtsp, size: [8192, 8192] }), null);
  t.ok(configured({ source: 'rtsp', ...NEEDED.rtsp, size: [4608, 2592] }));
  t.end();
});

t.test('a key that the kind has no use for is a problem', (t) => {
  for (const [source, extra] of [
    ['rtsp', { input_format: 'mjpeg' }],
    ['demo', { loop: false }],
    ['v4l2', { transport: 'udp' }],
    ['files', { controls: { ev: 1 } }],
    ['watch', { url: 'http://192.0.2.1/' }],
    ['mjpeg', { url: 'rtsp://192.0.2.1/' }],
  ] as const) {
    t.ok(configured({ source, ...NEEDED[source] }), source);
    t.equal(configured({ source, ...NEEDED[source], ...extra }), null, source);
  }
  t.end();
});
