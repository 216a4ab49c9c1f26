import t from 'tap';
import { createBackoff, every, sleep, waitAtMost } from '#mobilenetd/time.js';
import { createFakeClock } from './fake-clock.js';

t.test('what is done every minute is done until it is ended, also by itself', async (t) => {
  const clock = createFakeClock();
  const times: number[] = [];
  const stop = every(clock, 60_000, () => {
    times.push(clock.now());
    if (times.length === 3) stop();
  });
  await clock.advance(600_000);
  t.same(times, [60_000, 120_000, 180_000]);
  t.equal(clock.pending(), 0);
});

t.test('a failure does not end what is done again and again', async (t) => {
  const clock = createFakeClock();
  let count = 0;
  const stop = every(clock, 1000, () => {
    count += 1;
    if (count === 1) throw new Error('once');
  });
  await t.rejects(clock.advance(1000), /once/);
  await clock.advance(1000);
  t.equal(count, 2);
  stop();
  t.equal(clock.pending(), 0);
});

t.test('sleep ends by time or by its signal, and leaves nothing behind', async (t) => {
  const clock = createFakeClock();
  await clock.runUntil(sleep(clock, 5000));
  t.equal(clock.now(), 5000);
  const abort = new AbortController();
  const sleeping = sleep(clock, 5000, abort.signal);
  abort.abort();
  await sleeping;
  await sleep(clock, 5000, abort.signal);
  t.equal(clock.now(), 5000);
  t.equal(clock.pending(), 0);
});

t.test('what is waited for at most so long ends the wait, and leaves nothing behind', async (t) => {
  const clock = createFakeClock();
  await waitAtMost(clock, 5000, Promise.resolve());
  t.equal(clock.pending(), 0);
  await t.rejects(waitAtMost(clock, 5000, Promise.reject(new Error('no'))), /no/);
  t.equal(clock.pending(), 0);
  t.equal(clock.now(), 0);
  await clock.runUntil(waitAtMost(clock, 5000, new Promise(() => {})));
  t.equal(clock.now(), 5000);
  t.equal(clock.pending(), 0);
});

t.test('a back-off doubles up to its longest wait, and begins again', (t) => {
  const backoff = createBackoff({ firstMs: 100, lastMs: 300, random: () => 1 });
  t.same([backoff.next(), backoff.next(), backoff.next(), backoff.next()], [100, 200, 300, 300]);
  backoff.reset();
  t.equal(backoff.next(), 100);
  const least = createBackoff({ firstMs: 100, random: () => 0 });
  t.equal(least.next(), 50, 'at least half of it');
  t.end();
});
