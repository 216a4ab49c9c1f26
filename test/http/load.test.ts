import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { Pace, VIEWERS } from '#mobilenetd/http/pace.js';
import { Turns } from '#mobilenetd/http/turns.js';
import { sleep } from '#mobilenetd/time.js';
import { createFakeClock } from '../fake-clock.js';
import { servePage } from './page-server.js';

/** The signal of one request; none is broken off. */
const oneRequest = () => new AbortController().signal;

t.test(
  'a burst is let in, a flood waits, and what would wait too long is turned away',
  async (t) => {
    const clock = createFakeClock();
    const pace = new Pace(VIEWERS, clock);
    let isIn = 0;
    let isOut = 0;
    for (let index = 0; index < 3000; index += 1) {
      void pace.keep(oneRequest()).then((may) => {
        if (may) isIn += 1;
        else isOut += 1;
      });
    }
    await clock.advance(0);
    t.equal(isIn, 500, 'at once');
    t.equal(isOut, 1500);
    await clock.advance(1000);
    t.equal(isIn, 750, 'and so many a second');
    await clock.advance(3000);
    t.equal(isIn, 1500);
    await clock.advance(10_000);
    let later = 0;
    for (let index = 0; index < 400; index += 1) {
      void pace.keep(oneRequest()).then(() => {
        later += 1;
      });
    }
    await clock.advance(0);
    t.equal(later, 400, 'after a quiet time there is room again');
  },
);

t.test('heavy answers take turns and rest, also after one that failed', async (t) => {
  const clock = createFakeClock();
  const turns = new Turns(clock);
  const begun: number[] = [];
  const work = (fails: boolean) =>
    turns.take(async () => {
      begun.push(clock.now());
      await sleep(clock, 100);
      if (fails) throw new Error('no');
      return 'done';
    });
  const all = Promise.allSettled([work(false), work(true), work(false)]);
  await clock.advance(1000);
  t.same(begun, [0, 300, 600]);
  t.same(
    (await all).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const many = Array.from({ length: 80 }, () => turns.take(() => 1).then(String, (e) => e.code));
  await clock.advance(60_000);
  const outcomes = await Promise.all(many);
  t.equal(outcomes.filter((each) => each === 'MND_HTTP_BUSY').length, 16);
});

t.test('a long CSV is read in pages, each event once, ties at an edge too', async (t) => {
  const page = await servePage(t);
  const events = Array.from({ length: 700 }, (_each, index) => ({
    ...{ id: `id-${index}`, camera: 'front', label: 'cat', score: 0.5, end: null, model: 'm' },
    // Three begin in each millisecond.
    start: new Date(1_760_000_000_000 - Math.floor(index / 3)).toISOString(),
  }));
  const limits: number[] = [];
  page.source.events = ({ until = Number.POSITIVE_INFINITY, limit }) => {
    limits.push(limit);
    return events.filter(({ start }) => Date.parse(start) < until).slice(0, limit);
  };
  const { text } = await page.ask('/api/v1/events.csv');
  const ids = text
    .trim()
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(',')[0]);
  t.same(
    ids,
    events.map(({ id }) => id),
  );
  t.ok(limits.length > 2 && limits.every((limit) => limit === 250));
});

t.test('who sends and takes nothing is dropped, others are not', async (t) => {
  const page = await servePage(t);
  const line = 'GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const flood = connect(page.port, '127.0.0.1').pause();
  flood.on('error', () => {});
  const dropped = once(flood, 'close');
  flood.write(line.repeat(50));
  flood.resume();
  await dropped;
  t.pass('fifty requests at once on one connection');

  page.source.logs = () => ['x'.repeat(3_000_000)];
  const slow = Array.from({ length: 8 }, () => {
    const socket = connect(page.port, '127.0.0.1').pause();
    socket.on('error', () => {});
    socket.write('GET /api/v1/logs HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return { socket, closed: once(socket, 'close') };
  });
  const isAny = Promise.race(slow.map(({ closed }) => closed));
  let isDropped = false;
  void isAny.then(() => {
    isDropped = true;
  });
  while (!isDropped) {
    t.equal((await page.ask('/api/v1/session')).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // A paused socket does not see that the other side has gone.
    for (const { socket } of slow) if (socket.destroyed) isDropped = true;
    slow.at(-1)?.socket.resume();
  }
  for (const { socket } of slow) socket.destroy();
});
