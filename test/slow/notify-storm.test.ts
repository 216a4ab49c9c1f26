import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import mqtt from 'mqtt';
import t, { type Test } from 'tap';
import { aedes } from '../mqtt/brokers.js';
import { openLine } from './picture-line.js';
import { soak } from './soak.js';

t.setTimeout(600_000);

/** More than may wait. */
const EVENTS = soak(400, 1000);
/** So many events come at once (eight pictures wait at most); the next when the subscriber has these. */
const BURST = 4;
const COOLDOWN_S = 5;
/** Of one channel of one rule: what may wait, and what may come until that is looked at. */
const MOST_WAITING = 220;
/** A frame may take so many times as long as without rules, in the middle. */
const MOST_SHARE = 3;

type Answer = (response: ServerResponse, socket: Socket) => void;

/** What a webhook does with whoever asks it; null: nobody listens. */
const WEBHOOKS: Readonly<Record<string, Answer | null>> = {
  'that takes a second': (response) => void setTimeout(() => response.end(), 1000),
  'that never answers': () => {},
  'that is dead': null,
  'that is wrong: 500': (response) => response.writeHead(500).end('x'.repeat(1e6)),
  'that is wrong: garbage': (_, socket) => socket.end('\0\x01garbage\r\n\r\n'),
};

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** A server that counts who asks. */
async function webhook(t: Test, answer: Answer | null) {
  const counts = { asked: 0 };
  const server = createServer((request, response) => {
    counts.asked += 1;
    request.resume().on('end', () => answer?.(response, request.socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  if (answer === null) server.close();
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { counts, url: `http://127.0.0.1:${port}/` };
}

/** A broker with a subscriber that waits for events of a camera. */
async function house(t: Test) {
  const broker = await aedes.make();
  await broker.start();
  const client = await mqtt.connectAsync(broker.house.url);
  t.teardown(async () => {
    await client.endAsync();
    await broker.stop();
  });
  const begun: string[] = [];
  const state = { now: '' };
  let told = () => {};
  client.on('message', (topic, payload) => {
    if (topic.endsWith('/state')) state.now = payload.toString();
    else if (JSON.parse(payload.toString()).type === 'new') begun.push(payload.toString());
    told();
  });
  await client.subscribeAsync(['mobilenetd/board/state', 'mobilenetd/board/+/events'], { qos: 1 });
  return {
    url: broker.url,
    begun,
    state,
    async until(isSo: () => boolean): Promise<void> {
      while (!isSo()) await new Promise<void>((resolve) => (told = resolve));
    },
  };
}

function rulesTo(url: string): object {
  const to = { webhook: { url, body: 'multipart', timeout: 2 } };
  const rule = (cooldown: number) => ({ cooldown, picture: true, to });
  return { calm: rule(COOLDOWN_S), eager: rule(0) };
}

for (const [what, answer] of Object.entries(WEBHOOKS)) {
  t.test(`${EVENTS} events and a webhook ${what}`, async (t) => {
    const { counts, url } = await webhook(t, answer);
    const [stormy, calm] = [await house(t), await house(t)];
    const folder = t.testdir({ stormy: {}, calm: {} });
    const cameras = ['front'];
    const rules = rulesTo(url);
    const line = await openLine({
      ...{ folder: join(folder, 'stormy'), cameras, rules },
      url: stormy.url,
    });
    const other = await openLine({ ...{ folder: join(folder, 'calm'), cameras }, url: calm.url });
    t.teardown(() => Promise.all([line.close(), other.close()]));
    await stormy.until(() => stormy.state.now === 'online');
    await calm.until(() => calm.state.now === 'online');
    const ms: { stormy: number[]; calm: number[] } = { stormy: [], calm: [] };
    const show = (who: 'stormy' | 'calm', number: number) => {
      const began = performance.now();
      (who === 'stormy' ? line : other).show('front', number);
      ms[who].push(performance.now() - began);
    };
    const began = performance.now();
    for (let number = 0; number < EVENTS; number += BURST) {
      for (let each = number; each < number + BURST; each += 1) {
        // By turns: whatever else the machine does meets both alike.
        for (const who of each % 2 === 0
          ? (['stormy', 'calm'] as const)
          : (['calm', 'stormy'] as const)) {
          show(who, each);
        }
      }
      // Were an event to wait for a webhook that never answers, this would never end.
      await stormy.until(() => stormy.begun.length >= number + BURST);
      await calm.until(() => calm.begun.length >= number + BURST);
    }
    const reports = new Map(line.notifications.reports().map((report) => [report.rule, report]));
    const seconds = (performance.now() - began) / 1000;

    const numbers = stormy.begun.map((text) => JSON.parse(text).score);
    t.equal(
      new Set(stormy.begun.map((text) => JSON.parse(text).id)).size,
      EVENTS,
      'every event came',
    );
    t.same(
      numbers,
      [...numbers].sort((a, b) => a - b),
      'in order',
    );

    const made = (rule: string) => {
      const { sent = 0, waiting = 0, refused = 0, given_up = 0 } = reports.get(rule) ?? {};
      return sent + waiting + refused + given_up;
    };
    // Two labels take turns. A cool-down holds by the clock, however long the storm takes here.
    const most = 2 * (Math.floor(seconds / COOLDOWN_S) + 1);
    t.ok(made('calm') >= 2 && made('calm') <= most, `${made('calm')} of ${most} in ${seconds} s`);
    t.equal(made('eager'), EVENTS, 'none is lost without being counted');
    for (const rule of ['calm', 'eager']) {
      const waiting = reports.get(rule)?.waiting ?? 0;
      t.ok(waiting <= MOST_WAITING, `${rule}: ${waiting} wait`);
    }
    if (answer !== null)
      t.ok(counts.asked > 0 && counts.asked <= EVENTS + most, `asked ${counts.asked} times`);
    if (what !== 'that takes a second') {
      t.equal(reports.get('eager')?.sent, 0, 'nothing has been taken');
    }

    const share = median(ms.stormy) / median(ms.calm);
    t.comment(
      `a frame ${median(ms.stormy).toFixed(2)} ms, without rules ${median(ms.calm).toFixed(2)} ms; ${seconds.toFixed(0)} s`,
    );
    t.ok(share <= MOST_SHARE, `a frame takes ${share.toFixed(2)} times as long`);
  });
}
