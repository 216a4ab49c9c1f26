import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import mqtt from 'mqtt';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
import { eventually } from '../eventually.js';
import { lastingFolder } from '../lasting-folder.js';
import { installRandomModel } from './demo-process.js';

/** The daemon with stand-ins for the camera programs on its PATH, and a subscriber to all it says. */
async function start(test: Test, cameras: readonly string[], picture?: Buffer) {
  const folder = lastingFolder(test, { bin: {} });
  await installRandomModel(folder);
  for (const kind of ['vid', 'still']) {
    symlinkSync(
      resolve(`test/fixtures/fake-rpicam-${kind}.mjs`),
      join(folder, 'bin', `rpicam-${kind}`),
    );
  }
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  const client = await mqtt.connectAsync(broker.url);
  const said: [topic: string, payload: Buffer][] = [];
  client.on('message', (topic, payload) =>
    said.push([topic.slice('mobilenetd/board/'.length), payload]),
  );
  await client.subscribeAsync('mobilenetd/board/#', { qos: 1 });
  const file = join(folder, 'config.yaml');
  const lines = [
    'node: board',
    'model: { task: classify, name: random_v1 }',
    'presence: { enter: 0.3, stay: 0.2 }',
    `mqtt: { url: "${broker.url}" }`,
    'cameras:',
    ...cameras.map((camera) => `  ${camera}`),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const lock = join(folder, 'lock');
  const log = join(folder, 'stills');
  const shown = picture === undefined ? undefined : join(folder, 'shown.jpg');
  if (shown !== undefined && picture !== undefined) writeFileSync(shown, picture);
  const child = spawn(process.execPath, ['dist/cli/main.js', 'run', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
      HOME: folder,
      MOBILENETD_STATE: folder,
      FAKE_CAMERA: JSON.stringify({ lock }),
      FAKE_STILL: JSON.stringify({ lock, log, picture: shown }),
    },
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = once(child, 'exit');
  test.teardown(async () => {
    child.kill('SIGTERM');
    await exited;
    await client.endAsync();
    await broker.close();
  });
  const of = (topic: string) =>
    said.flatMap(([name, payload]) => (name === topic ? [payload] : []));
  return {
    log: () => errors,
    stills: () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0),
    /** All that was said on a topic. */
    of: (topic: string) => of(topic).map(String),
    pictures: (topic: string) => of(topic).filter(({ length }) => length > 0),
    publish: (topic: string, payload: string) =>
      client.publishAsync(`mobilenetd/board/${topic}`, payload, { qos: 1 }),
    async until(what: string, holds: () => boolean): Promise<void> {
      test.ok(await eventually(holds), `${what}\n${holds() ? '' : errors}`);
    },
  };
}

/** A span of an hour that lies two hours ahead, or one that has begun, on the clock of UTC. */
function span(open: boolean): string {
  const at = (hours: number) =>
    new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
  return open ? `${at(-1)}-${at(2)}` : `${at(2)}-${at(3)}`;
}

/** Mean of the red, green and blue of a part of a picture, 0 to 255. */
async function brightness(jpeg: Buffer, part: 'left' | 'right'): Promise<number> {
  const { width = 0, height = 0 } = await sharp(jpeg).metadata();
  const half = Math.floor(width / 2) - 8;
  const left = part === 'left' ? 0 : width - half;
  // The statistics are those of a whole picture, so the part has to become one.
  const cut = await sharp(jpeg).extract({ left, top: 0, width: half, height }).png().toBuffer();
  const { channels } = await sharp(cut).stats();
  return channels.reduce((sum, { mean }) => sum + mean, 0) / channels.length;
}

const LEFT_HALF = '[[[0, 0], [320, 0], [320, 480], [0, 480]]]';

t.setTimeout(500_000);

t.test('pictures on request: the stream pauses, comes back, and is masked', async (t) => {
  const daemon = await start(t, [
    `front: { source: libcamera, size: [640, 480], mask: ${LEFT_HALF}, snapshot_size: [1280, 960] }`,
  ]);
  await daemon.until('the stream runs', () => daemon.of('front/status').at(-1) === 'online');
  await daemon.until('an event has a picture', () => daemon.pictures('front/snapshot').length > 0);
  const [event = Buffer.alloc(0)] = daemon.pictures('front/snapshot');
  t.ok((await brightness(event, 'left')) < 4, 'the mask of a frame of the stream');
  t.match(await sharp(event).metadata(), { width: 640, height: 480 });

  t.equal(daemon.stills(), 0);
  const before = daemon.pictures('front/snapshot').length;
  await daemon.publish('request/snapshot', '{"transaction":"one","camera":"front"}');
  await daemon.until('the request is answered', () => daemon.of('response/snapshot').length > 0);
  t.match(JSON.parse(daemon.of('response/snapshot').at(0) ?? ''), { transaction: 'one', ok: true });
  t.equal(daemon.stills(), 1, 'by the program for stills, which had the camera to itself');
  const picture = daemon.pictures('front/snapshot').slice(before)[0] ?? Buffer.alloc(0);
  t.ok((await brightness(picture, 'left')) < 4, 'the mask, stretched to the larger picture');
  t.ok((await brightness(picture, 'right')) > 40, 'the rest of the photo');
  t.equal((await sharp(picture).metadata()).exif, undefined, 'no metadata');

  const labels = daemon.of('front/labels').length;
  await daemon.until('the stream is back', () => daemon.of('front/labels').length > labels);
  t.same(daemon.of('front/status').slice(-1), ['online']);
  const statuses = daemon.of('front/status').filter((status) => status === 'offline');
  t.ok(statuses.length <= 1, 'offline before the first frame at most');
});

t.test(
  'a picture from the whole sensor fits into a message; no picture of a camera that is away',
  async (t) => {
    const create = { width: 2304, height: 1296, channels: 3, background: '#777' } as const;
    const grain = { type: 'gaussian', mean: 128, sigma: 60 } as const;
    const noise = sharp({ create: { ...create, noise: grain } }).jpeg({ quality: 90 });
    const taken = await noise.toBuffer();
    t.ok(taken.length > 1 << 20, 'what the camera takes is larger than a message');
    const daemon = await start(
      t,
      [
        'front: { source: libcamera, snapshot_size: [2304, 1296] }',
        'away: { source: files, path: /nowhere }',
      ],
      taken,
    );
    await daemon.until('the stream runs', () => daemon.of('front/status').at(-1) === 'online');
    await daemon.publish('request/snapshot', '{"transaction":"one","camera":"front"}');
    const large = () =>
      Promise.all(daemon.pictures('front/snapshot').map((jpeg) => sharp(jpeg).metadata()));
    await daemon.until('the request is answered', () => daemon.of('response/snapshot').length > 0);
    await daemon.until('it arrives', () =>
      daemon.pictures('front/snapshot').some((jpeg) => jpeg.length > 300_000),
    );
    const [shown] = (await large()).filter(({ width = 0 }) => width > 640);
    t.ok((shown?.width ?? 0) > 1000, `${shown?.width} × ${shown?.height}`);
    t.ok(Math.abs((shown?.width ?? 0) / (shown?.height ?? 1) - 16 / 9) < 0.01, 'of the same shape');
    t.ok(daemon.pictures('front/snapshot').every(({ length }) => length <= 1_000_000));

    await daemon.publish('request/snapshot', '{"transaction":"two","camera":"away"}');
    await daemon.until('an answer', () => daemon.of('response/snapshot').length > 1);
    t.match(JSON.parse(daemon.of('response/snapshot')[1] ?? ''), {
      transaction: 'two',
      ok: false,
      code: 'MND_CAMERA_FAILED',
      message: /nowhere/,
    });
    await daemon.publish('request/snapshot', '{"transaction":"three"}');
    await daemon.until('a third', () => daemon.of('response/snapshot').length > 2);
    t.match(
      JSON.parse(daemon.of('response/snapshot')[2] ?? ''),
      { ok: true },
      'of those there are',
    );
  },
);

t.test('outside its schedule a camera is off, and says why', async (t) => {
  const daemon = await start(t, [
    `day: { source: libcamera, schedule: ["${span(true)}"], time_zone: UTC }`,
    `night: { source: libcamera, schedule: ["${span(false)}"], time_zone: UTC, snapshot_size: [64, 64] }`,
  ]);
  await daemon.until('one runs', () => daemon.of('day/status').at(-1) === 'online');
  await daemon.until('one does not', () => daemon.of('night/status').at(-1) === 'disabled');
  const why = JSON.parse(daemon.of('night/status/attributes').at(-1) ?? '{}');
  t.match(why, { reason: /^outside its schedule: \d\d:\d\d-\d\d:\d\d$/, since: /Z$/ });
  await daemon.publish('request/snapshot', '{"transaction":"two","camera":"night"}');
  await daemon.until('a picture is refused', () => daemon.of('response/snapshot').length > 0);
  t.match(JSON.parse(daemon.of('response/snapshot')[0] ?? ''), {
    ok: false,
    code: 'MND_CAMERA_STOPPED',
    message: /outside its schedule/,
  });
  t.equal(daemon.stills(), 0);
  await daemon.until('one labels', () => daemon.of('day/labels').length > 0);
  await daemon.publish('request/health', '{"transaction":"three"}');
  await daemon.until('health has each camera', () => daemon.of('response/health').length > 0);
  const { health } = JSON.parse(daemon.of('response/health')[0] ?? '{}');
  t.match(health.cameras.night, { status: 'disabled', delivered: 0, age_ms: null });
  t.match(health.cameras.day, { status: 'online', reason: null });
  t.ok(health.cameras.day.delivered > 0 && health.cameras.day.age_ms > 0);
});

t.test('still pictures: the camera is off in between, and each picture is labelled', async (t) => {
  const daemon = await start(t, [
    `slow: { source: libcamera, capture: still, still_interval: 1, rotation: 90, presence: { enter: 0.25, stay: 0.2 } }`,
    `never: { source: demo, presence: { enter: 1, stay: 0.99 } }`,
  ]);
  await daemon.until('pictures are taken', () => daemon.stills() >= 2);
  await daemon.until('one look is enough', () =>
    ['left', 'middle', 'right'].some((label) => daemon.of(`slow/${label}`).includes('ON')),
  );

  await daemon.until('the other looks as well', () => daemon.of('never/labels').length > 0);
  const events = daemon.of('never/events');
  t.same(events, [], 'a threshold of its own');
});
