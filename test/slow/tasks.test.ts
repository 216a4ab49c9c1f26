import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { skipWithoutFfmpeg } from '../camera/ffmpeg.js';
import { encodeStream, startRtspCamera } from '../camera/rtsp-camera.js';
import { mosquitto } from '../mqtt/brokers.js';
import { DEVICE, followPage } from './follow-page.js';

const skip = skipWithoutFfmpeg || (mosquitto.available ? false : 'mosquitto is not installed');
t.setTimeout(600_000);

/** A server of ntfy that takes everything; what it was asked, in order. */
async function ntfy(t: Test) {
  const asked: string[] = [];
  const server = createServer((request, answer) => {
    asked.push(decodeURIComponent(request.url ?? '').replaceAll('+', ' '));
    request.resume().on('end', () => answer.end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

t.test('a doorbell, from its first to its last line', { skip }, async (t) => {
  const phone = await ntfy(t);
  const { told, folder } = await followPage(t, {
    name: 'tasks/doorbell.md',
    replacements: [...DEVICE, ['https://ntfy.sh', phone.url]],
    cameras: ['door'],
  });
  const topic = readFileSync(join(folder, 'etc/ntfy.topic'), 'utf8').trim();
  t.match(topic, /^[0-9a-f]{24}$/);
  t.match(phone.asked[0], new RegExp(`^/${topic}\\?title=person at door`), 'setup rings');
  t.match(phone.asked.at(-1), /title=Somebody is at the door.*tags=bell/, 'and the bell');
  t.match(told, /picture: \S+\.jpg/);
  t.match(told, /It sees door: (left|middle|right)/);
  t.match(told, /door .*(left|middle|right)/);
});

t.test('a bird feeder, from its first to its last line', { skip }, async (t) => {
  const { told, folder } = await followPage(t, {
    name: 'tasks/bird-feeder.md',
    // The test may run at night.
    replacements: [['    schedule: ["sunrise - sunset"]', '    # schedule']],
    cameras: ['feeder'],
  });
  t.match(told, /It sees feeder: (left|middle|right)/);
  t.match(readFileSync(join(folder, 'feeder.csv'), 'utf8'), /feeder.*(left|middle|right)/);
  t.ok(existsSync(join(folder, 'feeder.csv.pictures.tar')));
});

t.test('four RTSP cameras on one board, from its first to its last line', { skip }, async (t) => {
  const stream = encodeStream('testsrc2=s=160x120', 300, [
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '10'],
    ...['-pix_fmt', 'yuv420p', '-b:v', '200k'],
  ]);
  const names = ['door', 'drive', 'yard', 'shed'];
  const cameras = await Promise.all(names.map(() => startRtspCamera(stream, 300)));
  t.teardown(() => {
    for (const camera of cameras) camera.unplug();
  });
  const { told, log } = await followPage(t, {
    name: 'tasks/four-cameras.md',
    replacements: cameras.map((camera, index) => [
      `rtsp://192.0.2.${11 + index}/sub`,
      camera.url(),
    ]),
    cameras: names,
  });
  for (const name of names) {
    t.match(told, `mobilenetd/house/${name}/status online`);
    t.match(told, new RegExp(`camera ${name}: a frame of`), `the doctor looks through ${name}`);
  }
  t.notMatch(told + log, 'viewer:secret');
});

t.test('solar and without a network, from its first to its last line', { skip }, async (t) => {
  const { told, folder } = await followPage(t, {
    name: 'tasks/solar.md',
    replacements: [],
    cameras: ['trail'],
  });
  t.match(told, /seen: .*(left|middle|right)/, 'the unit looks');
  t.match(told, /trail .*(left|middle|right)/, 'and what it saw is in the database');
  t.ok(existsSync(join(folder, 'woods.db')));
});
