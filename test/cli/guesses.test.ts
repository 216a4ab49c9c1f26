import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ChosenCamera } from '#mobilenetd/camera/discover/choose.js';
import { Guesses } from '#mobilenetd/cli/guesses.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { createLog } from '#mobilenetd/daemon/diagnostics/log.js';
import type { FoundBroker } from '#mobilenetd/mqtt/discover/broker.js';
import { createFakeClock } from '../fake-clock.js';

const USB: ChosenCamera = { settings: { source: 'v4l2', device: '/dev/video0' }, what: 'C920' };
const OPEN: FoundBroker = {
  url: 'mqtt://192.0.2.7:1883',
  by: 'homeassistant.local',
  wantsLogin: false,
};
const log = createLog({ level: 'silent', format: 'json', destination: process.stderr });
const never = new AbortController().signal;

/** What is found in a world that a test changes, for a file that it changes too. */
function world(t: Test, yaml: string, env: NodeJS.ProcessEnv = {}) {
  const file = join(t.testdir(), 'config.yaml');
  const write = (text: string) => writeFileSync(file, text);
  write(yaml);
  const there: { camera: ChosenCamera | null; broker: FoundBroker | null } = {
    camera: null,
    broker: null,
  };
  const asked = { camera: 0, broker: 0 };
  const clock = createFakeClock();
  const guesses = new Guesses({
    load: (flags) => loadConfig({ files: [file], env, flags }),
    async chooseCamera() {
      asked.camera += 1;
      return { camera: there.camera, tried: ['/dev/video2: no frame within 8 s'] };
    },
    async findBroker() {
      asked.broker += 1;
      return there.broker;
    },
    log,
    clock,
  });
  return { guesses, there, asked, write, clock };
}

t.test('without a word about them camera and broker are found, and said', async (t) => {
  const { guesses, there } = world(t, 'node: porch\n');
  there.camera = USB;
  there.broker = OPEN;
  t.equal(await guesses.look(never), true);
  const { config, origins } = guesses.loaded();
  t.match(config.cameras, { camera: { source: 'v4l2', device: '/dev/video0' } });
  t.equal(config.mqtt.url, OPEN.url);
  t.equal(origins.get('mqtt.url'), 'found by itself');
  t.same(guesses.found(), [
    'camera: C920 (v4l2, /dev/video0), found by itself',
    'broker: mqtt://192.0.2.7:1883 (homeassistant.local), found by itself',
  ]);
});

t.test('the first line about a subject ends the guessing for it, and for it alone', async (t) => {
  const cases = [
    { yaml: 'cameras: { a: { source: demo } }\n', camera: 0, broker: 1 },
    { yaml: 'mqtt: { url: null }\n', camera: 1, broker: 0 },
    { yaml: 'mqtt: { embedded: { listen: "127.0.0.1:1885" } }\n', camera: 1, broker: 0 },
    { yaml: 'mqtt: { base: home }\ncameras: { a: { source: demo } }\n', camera: 0, broker: 0 },
    // A login does not say which broker.
    { yaml: 'mqtt: { username: me, password: x }\n', camera: 1, broker: 1 },
  ];
  for (const { yaml, ...asks } of cases) {
    const { guesses, there, asked } = world(t, yaml);
    there.camera = USB;
    there.broker = OPEN;
    await guesses.look(never);
    t.same(asked, asks, yaml);
    t.equal(guesses.found().length, asks.camera + asks.broker, yaml);
  }
  const { guesses, asked } = world(t, '{}\n', { MOBILENETD_MQTT_URL: 'mqtt://192.0.2.1' });
  await guesses.look(never);
  t.same(asked, { camera: 1, broker: 0 }, 'the environment says it, too');
});

t.test('a file that is written later ends it as well', async (t) => {
  const { guesses, there, write } = world(t, '{}\n');
  there.camera = USB;
  there.broker = OPEN;
  await guesses.look(never);
  write('cameras: { drive: { source: demo } }\nmqtt: { url: "mqtt://192.0.2.9" }\n');
  const { config } = guesses.loaded();
  t.same(Object.keys(config.cameras), ['drive']);
  t.equal(config.mqtt.url, 'mqtt://192.0.2.9');
  t.same(guesses.found(), []);
});

t.test('nothing found is said, with what was tried; what comes later is taken', async (t) => {
  const { guesses, there, clock, asked } = world(t, '{}\n');
  t.equal(await guesses.look(never), false);
  t.same(Object.keys(guesses.loaded().config.cameras), []);
  t.match(guesses.found()[0], /no camera was found \(\/dev\/video2: no frame within 8 s\)/);
  t.match(guesses.found()[1], /embedded/);
  const stop = new AbortController();
  let changes = 0;
  const looking = guesses.keepLooking(() => {
    changes += 1;
  }, stop.signal);
  await clock.advance(20_000);
  t.equal(changes, 0);
  there.camera = USB;
  there.broker = OPEN;
  await clock.advance(60_000);
  t.equal(changes, 1);
  const so = { ...asked };
  await clock.advance(3_600_000);
  t.same(asked, so, 'and then nobody looks any more');
  stop.abort();
  await clock.advance(3_600_000);
  await looking;
});

t.test('a broker that wants a login is named, and asked again', async (t) => {
  const { guesses, there } = world(t, '{}\n');
  there.broker = { ...OPEN, wantsLogin: true };
  await guesses.look(never);
  t.equal(guesses.loaded().config.mqtt.url, OPEN.url);
  t.match(
    guesses.found()[1],
    /asks for a user name and a password: .*mobilenetd setup, or write mqtt.url/,
  );
  there.broker = OPEN;
  await guesses.look(never);
  t.match(guesses.found()[1], /found by itself/);
});

t.test('a login is sent to no broker that only the network names', async (t) => {
  const inEnvironment = { MOBILENETD_MQTT_USERNAME: 'me', MOBILENETD_MQTT_PASSWORD: 'x' };
  for (const [yaml, env] of [
    ['mqtt: { username: me, password: x }\n', {}],
    ['mqtt: { username: me }\n', {}],
    ['{}\n', inEnvironment],
  ] as const) {
    const { guesses, there } = world(t, yaml, env);
    there.broker = OPEN;
    await guesses.look(never);
    t.equal(guesses.loaded().config.mqtt.url, null, yaml);
    t.match(guesses.found()[1], /write mqtt\.url: mqtt:\/\/192\.0\.2\.7:1883 beside it/);
  }
  const { guesses, there } = world(t, 'mqtt: { username: me, password: x }\n');
  there.broker = { ...OPEN, url: 'mqtt://127.0.0.1:1883' };
  await guesses.look(never);
  const { url, username } = guesses.loaded().config.mqtt;
  t.same([url, username], ['mqtt://127.0.0.1:1883', 'me'], "this machine's own may have it");
});
