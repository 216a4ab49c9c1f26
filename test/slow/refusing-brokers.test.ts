import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.js';
import { command, home, report } from '../integration/daemon-home.js';
import { configOf, type DaemonProcess, runDaemon } from '../integration/daemon-process.js';
import { listenTo, mosquitto } from '../mqtt/brokers.js';
import { type PickyRules, startPickyBroker } from '../mqtt/picky-broker.js';
import { soak } from './soak.js';

t.setTimeout(900_000);
// Most of the time is waiting: for back-offs, and for the broker to close.
t.jobs = 5;

const ROOT = 'mobilenetd/board';
const skip = mosquitto.available ? false : 'Mosquitto is not installed';
/**
 * What says the same to both is tried with one, and in a soak with both: `npm test` has the connection of a board
 * with each of them.
 */
const VERSIONS = [4, 5] as const;
type Version = (typeof VERSIONS)[number];
const some = (...versions: Version[]) => soak<readonly Version[]>(versions, VERSIONS);

interface Daemon {
  readonly daemon: DaemonProcess;
  /** What status says of the broker. */
  status(): Promise<string>;
  doctor(): Promise<string>;
}

async function start(t: Test, url: string, protocol: Version): Promise<Daemon> {
  const { folder, pictures } = await home(t);
  const file = join(folder, 'config.yaml');
  const mqtt = { url, protocol: protocol === 4 ? '3.1.1' : 5 };
  writeFileSync(
    file,
    configOf({ cameras: ['front'], pictures, fps: 2, mqtt, more: { status: { listen: null } } }),
  );
  const daemon = runDaemon(folder, file);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  return {
    daemon,
    async status() {
      // It answers as soon as it runs.
      const answer = await report(folder).catch(() => null);
      return JSON.stringify(answer?.running?.broker ?? {});
    },
    doctor: async () => (await command(folder, file, 'doctor')).stdout,
  };
}

async function until(
  t: Test,
  what: string,
  holds: () => boolean | Promise<boolean>,
  log: () => string,
) {
  if (await eventually(holds)) return t.pass(what);
  return t.fail(`${what}. ${log().slice(-3000)}`);
}

/** Lines of the log that say something is wrong. */
const complaints = (log: string) =>
  log.split('\n').filter((line) => /"level":"(warn|error)"/.test(line));

interface Limited {
  readonly what: string;
  readonly global?: readonly string[];
  readonly conf?: readonly string[];
  /** Which versions, beside both in a soak. */
  readonly versions: readonly Version[];
  /** What `status` says of the broker, by version; null: nothing is missing. */
  readonly says: Readonly<Record<Version, RegExp | null>>;
}

const LIMITED: readonly Limited[] = [
  {
    what: 'max_qos 0',
    conf: ['max_qos 0'],
    versions: [4],
    says: { 4: /QoS 0 only/, 5: /QoS 0 only/ },
  },
  // Nothing is missing, and to 3.1.1 nothing is said of it.
  {
    what: 'max_qos 1',
    conf: ['max_qos 1'],
    versions: [5],
    says: { 4: null, 5: null },
  },
  {
    what: 'retain_available false',
    global: ['retain_available false'],
    versions: [5],
    says: { 4: /no retained messages/, 5: /no retained messages/ },
  },
  {
    what: 'max_packet_size 1024',
    global: ['max_packet_size 1024'],
    versions: VERSIONS,
    // One of 3.1.1 says nothing about sizes; what is too large shows as a topic.
    says: { 4: /board\/info/, 5: /at most 1024 bytes/ },
  },
  {
    what: 'message_size_limit 1000',
    global: ['message_size_limit 1000'],
    versions: VERSIONS,
    // To 3.1.1 it acknowledges what it throws away.
    says: { 4: null, 5: /board\/info/ },
  },
];

for (const { what, says, versions, ...setup } of LIMITED) {
  for (const version of some(...versions)) {
    t.test(`Mosquitto with ${what}, MQTT ${version}`, { skip, buffered: true }, async (t) => {
      const broker = await mosquitto.make(setup);
      await broker.start();
      t.teardown(() => broker.stop());
      const house = await listenTo(broker, '#', { protocolVersion: 5 });
      t.teardown(() => house.close());
      const { daemon, status, doctor } = await start(t, broker.url, version);
      const last = (topic: string) => house.last.get(`${ROOT}/${topic}`);
      await until(t, 'online', () => last('state') === 'online', daemon.log);
      await until(t, 'an event', () => last('front/events') !== undefined, daemon.log);
      const wanted = says[version];
      if (wanted !== null) {
        await until(
          t,
          `status says ${wanted}`,
          async () => wanted.test(await status()),
          daemon.log,
        );
        const lines = complaints(daemon.log()).filter((line) => wanted.test(line));
        t.equal(lines.length, 1, `said once: ${lines.join('\n')}`);
      }
      const seen = house.heard.length;
      await until(t, 'it goes on', () => house.heard.length > seen + 10, daemon.log);
      t.match(await doctor(), /mqtt:\/\/127\.0\.0\.1:\d+: connected/);
      t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
    });
  }
}

/** A connection that has lasted so long is a sound one. */
const SOUND_MS = 11_000;
const DENIED = `${ROOT}/front/events`;

/** What a broker does about events, and which words `status` has for it. */
const PICKY: readonly {
  readonly what: string;
  readonly versions: readonly Version[];
  readonly rules: Pick<PickyRules, 'publish' | 'subscribe'>;
  readonly says: RegExp;
}[] = [
  {
    what: 'closes the connection over one topic',
    versions: some(5),
    rules: { publish: (topic) => (topic === DENIED ? { close: 0x87 } : null) },
    says: /front\/events/,
  },
  {
    what: 'closes the connection over every topic that ends alike',
    versions: some(4),
    rules: { publish: (topic) => (topic.endsWith('/attributes') ? { close: 0x99 } : null) },
    says: /attributes/,
  },
  {
    what: 'closes the connection over a subscription',
    versions: some(5),
    rules: { subscribe: (filter) => (filter.endsWith('/set') ? { close: 0x8f } : null) },
    says: /\/set/,
  },
  {
    what: 'closes the connection over large messages',
    versions: some(4),
    rules: { publish: (_topic, bytes) => (bytes > 800 ? { close: 0x95 } : null) },
    says: /board\/info/,
  },
  // All are refusals that leave the connection: a soak has them all.
  ...soak([0x87], [0x80, 0x83, 0x87, 0x97]).map((code) => ({
    what: `answers PUBACK ${code.toString(16)}`,
    versions: [5] as const,
    rules: { publish: (topic: string) => (topic === DENIED ? { code } : null) },
    says: /front\/events.*"events":[1-9]/,
  })),
];

for (const { what, versions, rules, says } of PICKY) {
  for (const version of versions) {
    t.test(`a broker that ${what}, MQTT ${version}`, { buffered: true }, async (t) => {
      const broker = await startPickyBroker({ version, ...rules });
      t.teardown(() => broker.close());
      const { daemon, status } = await start(t, broker.url, version);
      await until(t, `status says ${says}`, async () => says.test(await status()), daemon.log);
      await until(t, 'online', () => broker.last(`${ROOT}/state`) === 'online', daemon.log);
      const { connects } = broker;
      const taken = broker.taken.length;
      await until(t, 'all else goes on', () => broker.taken.length > taken + 20, daemon.log);
      t.ok(
        // What is yet to be learned of other large topics may cost one each.
        broker.connects <= connects + 3,
        `over few connections: ${broker.connects - connects} more`,
      );
      t.notMatch(daemon.log(), /same client id|password/, 'no wrong advice');
      t.ok(complaints(daemon.log()).length <= 8, complaints(daemon.log()).join('\n'));
      if (what.includes('PUBACK')) {
        broker.rules = { version };
        broker.drop();
        await until(
          t,
          'mended, what waited comes',
          () => broker.last(DENIED) !== undefined,
          daemon.log,
        );
      }
      t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
    });
  }
}

/** Mosquitto closes after a refusal in words when its queues have no limit; otherwise it stays. */
for (const { limit, versions } of [
  { limit: 'max_queued_messages 0', versions: some(5) },
  { limit: 'max_queued_messages 1000', versions: some(4) },
]) {
  for (const version of versions) {
    const what = `an access list that is mended later loses no event, ${limit}, MQTT ${version}`;
    t.test(what, { skip, buffered: true }, async (t) => {
      const { folder } = await home(t);
      const file = join(folder, 'acl');
      writeFileSync(file, `topic readwrite #\ntopic deny ${DENIED}\n`);
      const broker = await mosquitto.make({ global: [`acl_file ${file}`, limit] });
      await broker.start();
      t.teardown(() => broker.stop());
      const house = await listenTo(broker);
      t.teardown(() => house.close());
      const { daemon, status } = await start(t, broker.url, version);
      const label = () => house.last.get(`${ROOT}/front/label`) ?? 'none';
      await until(t, 'a label', () => label() !== 'none', daemon.log);
      if (version === 5) {
        const why = limit.endsWith(' 0')
          ? /front\/events.*; then the broker closes/
          : /front\/events/;
        await until(t, `status says ${why}`, async () => why.test(await status()), daemon.log);
      }
      await until(t, 'online', () => house.last.get(`${ROOT}/state`) === 'online', daemon.log);
      t.notMatch(daemon.log(), /same client id|password/, 'no wrong advice');
      writeFileSync(file, 'topic readwrite #\n');
      broker.signal('SIGHUP');
      if (limit.endsWith(' 0')) {
        // What cost the connection is tried again after minutes, or when a sound one has ended.
        await delay(SOUND_MS);
        await broker.stop();
        await broker.start();
      }
      // To 3.1.1 Mosquitto acknowledges what it throws away: nobody can know. What comes later arrives.
      await house.until('online again', () => house.last.get(`${ROOT}/state`) === 'online');
      await house.client.publishAsync(`${ROOT}/front/detect/set`, 'OFF', { qos: 1 });
      await until(t, 'an event', () => house.last.has(DENIED), daemon.log);
      t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
    });
  }
}
