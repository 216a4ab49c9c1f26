import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { openStore } from '#mobilenetd/store/store.js';
import { eventually } from '../eventually.js';
import {
  preparePictures,
  runDaemon,
  subscriber,
  writeConfig,
} from '../integration/daemon-process.js';
import { installRandomModel } from '../integration/demo-process.js';
import { lastingFolder } from '../lasting-folder.js';
import { mosquitto } from '../mqtt/brokers.js';
import { schemaFaults } from '../mqtt/payload-rules.js';

const PAYLOADS = 10_000;
/** Sent at a time, before the answers are waited for. */
const BATCH = 100;
const SEED = 20_261_125;

const TOPICS = [
  'front/detect/set',
  'front/threshold/set',
  'governor/pin/set',
  'governor/limit/set',
  'nowhere/detect/set',
  '__proto__/threshold/set',
  'front/constructor/set',
];
const VERBS = ['snapshot', 'reload', 'restart', 'health'];
/** Nothing of it is a valid command, alone or put together. */
const PIECES = [
  'On',
  'off ',
  '1.5',
  '-0',
  '1e-3',
  'NaN',
  'auto\n',
  '{',
  '}',
  '[1]',
  '"',
  '\\u0000',
  '\u0000',
  'camera',
  ':',
  ',',
  'null',
  '__proto__',
  '🦊',
  '\ud800',
  '%s%n',
  '$(reboot)',
  "'; DROP TABLE settings; --",
  '../../etc/passwd',
  'x'.repeat(5000),
];

/** A request that is wrong in one of many ways but names its transaction. */
function spoiltRequest(transaction: string, pick: <T>(items: readonly T[]) => T): string {
  const named = `"transaction":${JSON.stringify(transaction)}`;
  return pick([
    `{${named}`,
    `{${named},"more":1}`,
    `{${named},"camera":42}`,
    `[{${named}}]`,
    `{${named}}{${named}}`,
    `{${named},"__proto__":{"ok":true}}`,
    `{${named},"pad":"${'x'.repeat(9000)}"}`,
    `{${named},"camera":"${pick(PIECES).replace(/["\\\p{Cc}]/gu, '')}?"}`,
    `\ufeff{${named}}`,
  ]);
}

t.test(
  'hostile payloads change nothing, cost nothing and are answered',
  { skip: mosquitto.available ? false : 'Mosquitto is not installed' },
  async (t) => {
    t.setTimeout(600_000);
    const folder = lastingFolder(t);
    await installRandomModel(folder);
    const pictures = await preparePictures(folder);
    const broker = await mosquitto.make();
    await broker.start();
    t.teardown(() => broker.stop());
    const file = writeConfig(folder, { url: broker.url, cameras: ['front'], pictures });
    const daemon = runDaemon(folder, file);
    t.teardown(() => daemon.child.kill('SIGKILL'));
    const house = await subscriber(broker.url);
    t.teardown(() => void house.client.end(true));
    t.ok(await house.until('front/status', 'online'), daemon.log());
    t.ok(await house.until('state', 'online'));
    await house.say('front/threshold/set', '0.35');
    t.ok(await house.until('front/threshold/state', '0.35'));
    const states = () =>
      [...house.values].filter(([topic]) =>
        /\/(set|pin|limit|detect|threshold)\/state$/.test(topic),
      );
    const before = states();
    t.ok(before.length >= 3);

    const answers = new Map<string, string>();
    const faults: unknown[] = [];
    house.client.on('message', (topic, payload) => {
      if (!topic.startsWith('mobilenetd/board/response/')) return;
      const answer = JSON.parse(payload.toString());
      answers.set(answer.transaction, answer.ok ? 'ok' : answer.code);
      const wrong = schemaFaults('response', answer);
      if (wrong !== null) faults.push(wrong);
    });
    const rss = () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.child.pid}/status`, 'utf8'))?.[1]);
    const random = createRandom(SEED).next;
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const sent: string[] = [];
    let warm = 0;
    for (let count = 0; count < PAYLOADS; count += BATCH) {
      const batch: Promise<unknown>[] = [];
      for (let i = 0; i < BATCH; i++) {
        if (random() < 0.5) {
          const transaction = `t${count + i}`;
          sent.push(transaction);
          batch.push(house.say(`request/${pick(VERBS)}`, spoiltRequest(transaction, pick)));
        } else {
          let text = '';
          for (let n = Math.floor(random() * 4); n >= 0; n--) text += pick(PIECES);
          const bytes = Buffer.from(text);
          if (random() < 0.3)
            bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
          const topic = `mobilenetd/board/${pick([...TOPICS, 'request/health', 'request/x y'])}`;
          batch.push(house.client.publishAsync(topic, bytes, { qos: 1 }));
        }
      }
      await Promise.all(batch);
      if (!(await eventually(() => sent.every((transaction) => answers.has(transaction))))) break;
      if (count === PAYLOADS / 5) warm = rss();
    }
    const unanswered = sent.filter((transaction) => !answers.has(transaction));
    t.same(unanswered, [], `all of ${sent.length} requests that name a transaction are answered`);
    const codes = new Set(answers.values());
    t.same([...codes].sort(), ['MND_MQTT_PAYLOAD', 'MND_MQTT_RATE'], 'with a code, none with ok');
    t.same(faults, []);
    t.same(states(), before, 'no state has changed');
    t.equal(house.values.get('mobilenetd/board/state'), 'online');
    t.equal(daemon.child.exitCode, null);
    const growth = (rss() - warm) / 1e3;
    t.ok(growth < 40, `memory after a fifth and after all of it: ${growth.toFixed(1)} MB more`);
    const lines = daemon.log().match(/a command was refused/g)?.length ?? 0;
    t.ok(lines <= 2, `${lines} lines of log`);

    // And it still listens.
    t.ok(
      await eventually(() => {
        void house.say('front/threshold/set', '0.36');
        return house.values.get('mobilenetd/board/front/threshold/state') === '0.36';
      }),
    );
    t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
    const store = openStore({
      file: join(folder, 'mobilenetd.db'),
      commitInterval: 1,
      detectionInterval: 1,
      retention: { days: 30, maxBytes: 1e9 },
      outbox: { maxAge: 3600, maxRows: 1000 },
    });
    t.equal(store.settings.get('threshold/front'), '0.36');
    for (const key of ['detect/front', 'pin', 'limit']) t.equal(store.settings.get(key), null, key);
    store.close();
    await house.end();
  },
);
