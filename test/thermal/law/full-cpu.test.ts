import t from 'tap';
import { createFullCpu } from '#mobilenetd/thermal/law/full-cpu.js';

const BUSY = { use: 1, load: 0.5, ratio: 1, hot: false };
const YIELDED = { ...BUSY, load: 0.02 };

function after(
  ...seconds: (typeof BUSY | { use: null; load: number; ratio: number; hot: boolean })[]
) {
  const full = createFullCpu();
  for (const seen of seconds) full.update(seen, 1);
  return full;
}

t.test('a CPU that stays full while we do nothing is none that yielding cools', (t) => {
  t.equal(after(BUSY, BUSY, BUSY).yieldsInVain, false, 'not before it was seen');
  t.equal(after(BUSY, YIELDED).yieldsInVain, true);
  t.equal(after(BUSY, YIELDED, BUSY, BUSY).yieldsInVain, true, 'and then we go on');
  t.equal(after(YIELDED).yieldsInVain, false, 'one second may be a spike');
  t.end();
});

t.test('as soon as anything of the CPU is free, yielding cools', (t) => {
  t.equal(after(BUSY, { ...YIELDED, use: 0.8 }).yieldsInVain, false);
  const freed = after(BUSY, YIELDED, BUSY, { ...BUSY, use: 0.85 }, BUSY, BUSY, BUSY);
  t.equal(freed.yieldsInVain, false, 'what was seen before does not count any more');
  t.equal(after(BUSY, { ...YIELDED, use: null }).yieldsInVain, false, 'nor is it guessed');
  t.end();
});

t.test('it is looked at anew after a minute, and sooner where it is hot', (t) => {
  const minute = (hot: boolean, seconds: number) =>
    after(BUSY, YIELDED, ...Array.from({ length: seconds }, () => ({ ...BUSY, hot }))).yieldsInVain;
  t.equal(minute(false, 59), true);
  t.equal(minute(false, 61), false);
  t.equal(minute(true, 19), true);
  t.equal(minute(true, 21), false);
  t.end();
});

t.test('a neighbour whose work is much cooler than ours is worth yielding to', (t) => {
  const cooler = { ...YIELDED, ratio: 0.6 };
  t.equal(after(cooler, cooler, cooler).yieldsInVain, false);
  t.end();
});
