import { posix } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import t, { type Test } from 'tap';
import { home } from '../integration/daemon-home.js';
import { type DaemonProcess, runDaemon, writeConfig } from '../integration/daemon-process.js';
import { listenTo, mosquitto } from '../mqtt/brokers.js';
import { soak } from './soak.js';

const ROOT = 'mobilenetd/board';
/** More than a start corrects: 2048. */
const FLOOD = soak(2500, 20_000);
/** A start has some twenty lines of its own. */
const MAX_LINES = 60;
const skip = mosquitto.available ? false : 'Mosquitto is not installed';

/** Every branch of the tree below our root, and places where nothing of ours is. */
const BRANCHES: Readonly<Record<string, (i: number) => string>> = {
  'labels of a camera': (i) => `front/label_${i}`,
  'attributes of labels': (i) => `front/label_${i}/attributes`,
  'states of a camera': (i) => `front/word_${i}/state`,
  'labels of a camera that is no more': (i) => `gone/label_${i}`,
  'attributes of cameras that are no more': (i) => `gone_${i}/cat/attributes`,
  'statuses of cameras that are no more': (i) => `gone_${i}/status`,
  'pictures of cameras that are no more': (i) => `gone_${i}/snapshot`,
  'first levels': (i) => `word_${i}`,
  'commands of a camera': (i) => `front/word_${i}/set`,
  'commands of cameras that are no more': (i) => `gone_${i}/detect/set`,
  requests: (i) => `request/word_${i}`,
  responses: (i) => `response/word_${i}`,
  'deeper levels': (i) => `front/a/b/c/word_${i}`,
};

/** Beside our root: another board, and what Home Assistant is told by others. */
const ELSEWHERE: readonly ((i: number) => string)[] = [
  (i) => `../other/front/label_${i}`,
  (i) => `../board2/front/label_${i}`,
  (i) => `../../homeassistant/binary_sensor/word_${i}/config`,
  (i) => `../../homeassistant/device/word_${i}/config`,
];
/** Nothing that anybody means by ON, though it begins so. */
const JUNK = Buffer.concat([
  Buffer.from('ON'),
  Buffer.alloc(500, 0xff),
  Buffer.from([0, 0xc3, 0x28]),
]);

async function flood(
  url: string,
  branches: readonly ((i: number) => string)[],
  payload: string | Buffer = 'ON',
): Promise<void> {
  const client = await connectAsync(url);
  for (let sent = 0; sent < FLOOD; sent += 500) {
    const some = Array.from({ length: 500 }, (_, i) => sent + i);
    await Promise.all(
      some.map((i) => {
        const topic = branches[i % branches.length]?.(i) ?? '';
        const whole = posix.join(ROOT, topic);
        return client.publishAsync(whole, payload, { qos: 1, retain: true });
      }),
    );
  }
  await client.endAsync();
}

function linesOf(daemon: DaemonProcess): string[] {
  return daemon.log().split('\n').filter(Boolean);
}

/** What is retained on the filter, in all. */
async function retainedOn(url: string, filter: string): Promise<Map<string, string>> {
  const listener = await listenTo(url, filter);
  // Mosquitto answers in order: what is retained has come before this does.
  await listener.client.subscribeAsync('$SYS/broker/version', { qos: 1 });
  await listener.until('the last retained message', () => listener.last.has('$SYS/broker/version'));
  await listener.close();
  listener.last.delete('$SYS/broker/version');
  return listener.last;
}

/** Resolves when it holds, however long that takes: the test's own time limit is the only one. */
async function untilTrue(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(50);
}

/** Not labels, and retained by nobody of ours: commands and answers. */
function isKept(topic: string): boolean {
  return /^mobilenetd\/board\/(request|response)\//.test(topic);
}

function isFlood(topic: string): boolean {
  return /(label_|word_|gone[_/])/.test(topic.slice(ROOT.length));
}

/** A daemon on a flooded broker: its own topics work, it says one line, twice. */
async function check(
  t: Test,
  name: string,
  branches: readonly ((i: number) => string)[],
  protocol: 5 | '3.1.1',
  payload: string | Buffer = 'ON',
) {
  const broker = await mosquitto.make({ global: ['max_queued_messages 0'] });
  await broker.start();
  t.teardown(() => broker.stop());
  await flood(broker.url, branches, payload);
  const { folder, pictures } = await home(t);
  const mqtt = { url: broker.url, protocol };
  const config = writeConfig(folder, { cameras: ['front'], pictures, mqtt });
  for (const start of [1, 2]) {
    const daemon = runDaemon(folder, config);
    t.teardown(() => daemon.child.kill('SIGKILL'));
    const listener = await listenTo(broker.url, `${ROOT}/+/+`);
    const { last } = listener;
    // A label of ours comes and goes.
    let seen = '';
    await untilTrue(() => {
      const label = last.get(`${ROOT}/front/label`) ?? 'none';
      if (label === 'none' || last.get(`${ROOT}/front/${label}`) !== 'ON') return false;
      seen = `${ROOT}/front/${label}`;
      return true;
    });
    // None of the flood is taken for something that is seen.
    await untilTrue(() =>
      [...last].every(([topic, text]) => text !== 'ON' || !isFlood(topic) || isKept(topic)),
    );
    await listener.close();
    t.ok(seen !== '');
    await daemon.end('SIGTERM');
    const lines = linesOf(daemon);
    const summaries = lines.filter((line) => line.includes('corrected what an earlier run'));
    t.comment(`${name}, start ${start}: ${lines.length} lines, ${summaries.length} of corrections`);
    t.ok(lines.length <= MAX_LINES, `${lines.length} lines`);
    t.ok(summaries.length <= 1, `${summaries.length} summaries`);
    const on = [...(await retainedOn(broker.url, `${ROOT}/+/+`))].filter(
      ([topic, text]) => text === 'ON' && !isKept(topic),
    );
    t.same(on.slice(0, 3), [], `${on.length} labels are left ON`);
  }
}

for (const protocol of ['3.1.1', 5] as const) {
  t.test(
    `${FLOOD} retained ON in every branch, MQTT ${protocol}`,
    { skip, timeout: 600_000 },
    (t) => check(t, 'every branch', Object.values(BRANCHES), protocol),
  );
}

// Each of them is among every branch.
for (const name of soak(
  ['labels of a camera'],
  ['labels of a camera', 'labels of a camera that is no more', 'first levels'],
)) {
  const branch = BRANCHES[name];
  if (branch === undefined) throw new Error(name);
  t.test(`${FLOOD} retained ON: ${name}`, { skip, timeout: 600_000 }, (t) =>
    check(t, name, [branch], 5),
  );
}

t.test(`${FLOOD} retained messages that are no text`, { skip, timeout: 600_000 }, (t) =>
  check(t, 'junk', Object.values(BRANCHES), 5, JUNK),
);

t.test(`${FLOOD} retained ON beside our root stay`, { skip, timeout: 600_000 }, async (t) => {
  const broker = await mosquitto.make({ global: ['max_queued_messages 0'] });
  await broker.start();
  t.teardown(() => broker.stop());
  await flood(broker.url, ELSEWHERE);
  const { folder, pictures } = await home(t);
  const config = writeConfig(folder, { cameras: ['front'], pictures, mqtt: { url: broker.url } });
  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  const listener = await listenTo(broker.url, `${ROOT}/#`);
  await untilTrue(() => listener.last.get(`${ROOT}/state`) === 'online');
  await listener.close();
  // And while it runs.
  await flood(broker.url, ELSEWHERE, JUNK);
  await flood(broker.url, ELSEWHERE);
  await daemon.end('SIGTERM');
  const lines = linesOf(daemon);
  t.ok(lines.length <= MAX_LINES, `${lines.length} lines`);
  const left = [...(await retainedOn(broker.url, '#'))].filter(([topic]) => isFlood(`/${topic}`));
  t.equal(left.length, FLOOD, 'nothing of others was taken away');
  t.ok(left.every(([, text]) => text === 'ON'));
});
