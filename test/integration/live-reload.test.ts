import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import t from 'tap';
import { askDaemon } from '#mobilenetd/control/client.js';
import { eventually, PATIENCE_MS } from '../eventually.js';
import { broker, command, home, report } from './daemon-home.js';
import { runDaemon, subscriber } from './daemon-process.js';
import { installRandomModel } from './demo-process.js';

t.setTimeout(500_000);

const USUAL = { enter: 0.3, stay: 0.2, off_delay: 1 };
const NOTHING_IS_PRESENT = { enter: 0.999, stay: 0.998, off_delay: 0 };

interface Sections {
  readonly mqtt: object;
  readonly model?: string;
  readonly presence?: object;
  readonly store?: object;
}

/** Process ids of a daemon's camera programs. */
function cameraPrograms(daemon: number): number[] {
  const children = readFileSync(`/proc/${daemon}/task/${daemon}/children`, 'utf8').trim();
  return children
    .split(' ')
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('rpicam-vid'));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

t.test('a camera runs on while broker, model, store and presence change', async (t) => {
  const { folder } = await home(t);
  const wide = await installRandomModel(folder, { name: 'random_wide', alpha: 0.5 });
  symlinkSync(resolve('test/fixtures/fake-rpicam-vid.mjs'), join(folder, 'rpicam-vid'));
  const first = await broker(t);
  const second = await broker(t);
  const config = join(folder, 'config.yaml');
  const write = ({ mqtt, model = 'random_v1', presence = USUAL, store = {} }: Sections) => {
    const sections = {
      node: 'board',
      model: { task: 'classify', name: model },
      presence,
      mqtt,
      store,
      cameras: { front: { source: 'libcamera', fps: 5 } },
    };
    writeFileSync(config, JSON.stringify(sections));
  };
  const reload = async (sections: Sections) => {
    write(sections);
    const sockets = [join(folder, 'control.sock')];
    return askDaemon({ verb: 'reload' }, { sockets, timeout: PATIENCE_MS }).catch((error) => error);
  };
  const events = new Set<string>();
  for (const { client } of [first.listener, second.listener]) {
    client.on('message', (topic, payload) => {
      if (topic.endsWith('/front/events')) {
        const { id, type } = JSON.parse(payload.toString());
        events.add(`${type} ${id}`);
      }
    });
  }
  const present = ({ values }: (typeof first)['listener']) =>
    ['left', 'middle', 'right'].some(
      (label) => values.get(`mobilenetd/board/front/${label}`) === 'ON',
    );

  write({ mqtt: { url: first.url } });
  const daemon = runDaemon(folder, config, {
    PATH: [folder, process.env.PATH].join(delimiter),
    FAKE_CAMERA: '{}',
  });
  t.ok(await first.listener.until('front/status', 'online'), daemon.log());
  t.ok(await eventually(() => present(first.listener)), 'a label is present');
  const before = cameraPrograms(daemon.child.pid ?? 0);
  t.equal(before.length, 1);
  const sameCamera = (what: string) =>
    t.same(cameraPrograms(daemon.child.pid ?? 0), before, `the camera runs on: ${what}`);

  const away = { url: 'mqtt://127.0.0.1:1' };
  t.match(await reload({ mqtt: away }), { done: 'changed: mqtt (the rest ran on)' });
  t.ok(await first.listener.until('state', 'offline'), 'the old broker is told');
  t.ok(await first.listener.until('front/status', 'offline'));
  t.notOk(present(first.listener), 'no label stays ON there');
  t.match(await reload({ mqtt: away, presence: NOTHING_IS_PRESENT }), {
    done: 'changed: presence (the rest ran on)',
  });
  const waiting = async () => ((await report(folder)).running?.outbox ?? 0) > 0;
  t.ok(await eventually(waiting), 'the end of the label waits in the outbox');
  sameCamera('no broker');

  t.match(await reload({ mqtt: { url: second.url } }), {
    done: /^changed: (presence, mqtt|mqtt, presence) \(the rest ran on\)$/,
  });
  t.ok(await second.listener.until('front/status', 'online'), daemon.log());
  t.ok(await second.listener.until('state', 'online'));
  t.ok(await eventually(() => present(second.listener)), 'the label is present again');
  t.ok(second.listener.values.has('mobilenetd/board/health'));
  sameCamera('another broker');
  await second.listener.say('front/detect/set', 'OFF');
  t.ok(await second.listener.until('front/status', 'disabled'), 'commands are listened to there');
  t.ok(await eventually(() => !present(second.listener)));
  await second.listener.say('front/detect/set', 'ON');
  t.ok(await second.listener.until('front/status', 'online'));
  t.ok(await eventually(() => present(second.listener)));

  const statuses: string[] = [];
  second.listener.client.on('message', (topic, payload) => {
    if (topic.endsWith('/front/status')) statuses.push(payload.toString());
  });
  const mqtt = { url: second.url };
  t.match(await reload({ mqtt, model: wide }), { done: 'changed: model (the rest ran on)' });
  const shown = () =>
    JSON.parse(second.listener.values.get('mobilenetd/board/front/labels') ?? '{}');
  t.ok(await eventually(() => shown().model === wide), 'the other network labels frames');
  t.match((await report(folder)).running, { model: { name: wide } });
  t.ok(await eventually(() => present(second.listener)));
  sameCamera('another model');
  t.match(await reload({ mqtt, model: 'nowhere' }), { code: 'MND_MODEL_UNKNOWN' });
  t.match((await report(folder)).running, { model: { name: wide } });
  const store = { commit_interval: 3, retention: { days: 7 } };
  t.match(await reload({ mqtt, model: wide, store }), { done: 'changed: store (the rest ran on)' });
  t.same(statuses, [], 'the camera has not noticed any of it');

  // The port of the test's own broker is taken.
  const taken = { embedded: { listen: new URL(first.url).host } };
  t.match(await reload({ mqtt: taken, model: wide, store }), { code: 'MND_MQTT_LISTEN' });
  t.ok(await eventually(() => statuses.at(-1) === 'online'), 'it is back where it was');
  t.ok(await second.listener.until('state', 'online'));
  sameCamera('a broker that does not start');

  // What begins or ends while the board is its own broker nobody here would hear of: nothing does.
  const calm = { model: wide, store, presence: NOTHING_IS_PRESENT };
  t.match(await reload({ mqtt, ...calm }), { done: 'changed: presence (the rest ran on)' });
  t.ok(await eventually(() => !present(second.listener)), 'nothing is present');
  t.ok(await eventually(async () => !(await waiting())), 'and that is delivered');
  const embedded = { listen: `127.0.0.1:${await freePort()}` };
  for (const keepalive of [60, 30]) {
    const own = { embedded, keepalive };
    t.match(await reload({ mqtt: own, ...calm }), { done: /^changed: mqtt \(/ });
    const client = await subscriber(`mqtt://${embedded.listen}`);
    t.ok(await client.until('state', 'online'), 'its own broker, on the same port each time');
    t.ok(await client.until('front/status', 'online'));
    t.match((await report(folder)).running, { broker: { embedded: true, connected: true } });
    await client.end();
  }
  t.match(await reload({ mqtt, ...calm }), { done: /^changed: mqtt \(/ });
  t.ok(await second.listener.until('state', 'online'));
  sameCamera('its own broker, and back');

  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
  const { stdout } = await command(folder, config, 'query', '--events', '--json');
  const recorded = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string });
  t.ok(recorded.length >= 4, `${recorded.length} events`);
  for (const { id } of recorded) {
    t.ok(
      events.has(`new ${id}`) && events.has(`end ${id}`),
      'both ends of an event were delivered',
    );
  }
});
