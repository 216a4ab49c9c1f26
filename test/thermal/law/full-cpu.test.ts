import t from 'tap';
import { createFullCpu } from '#mobilenetd/thermal/law/full-cpu.js';

const BUSY = { use: 1, load: 0.5, ratio: 1, hot: false };
const YIELDED = { ...BUSY, load: 0.02 };
type Seen = Omit<typeof BUSY, 'use'> & { readonly use: number | null };

const times = (seconds: number, seen: Seen): Seen[] => Array.from({ length: seconds }, () => seen);

function inVainAfter(...seconds: Seen[]): number {
  const full = createFullCpu();
  for (const seen of seconds) full.update(seen, 1);
  return full.inVainFrom;
}

t.test('a CPU that stays full with less of ours is none that yielding cools', (t) => {
  t.equal(inVainAfter(BUSY), Number.POSITIVE_INFINITY, 'one second may be a spike');
  t.equal(inVainAfter(...times(20, BUSY)), 0.5, 'of what is below nothing is known');
  t.equal(inVainAfter(...times(20, BUSY), YIELDED), 0.02);
  t.equal(inVainAfter(...times(20, BUSY), YIELDED, ...times(30, BUSY)), 0.02, 'and we go on');
  t.end();
});

t.test('as soon as anything of the CPU is free, yielding cools', (t) => {
  const full = times(20, YIELDED);
  for (const use of [0.85, 0.5, null]) {
    t.equal(inVainAfter(...full, { ...YIELDED, use }), Number.POSITIVE_INFINITY, `${use}`);
  }
  t.equal(inVainAfter(...full, { ...BUSY, use: 0.8 }, ...times(20, BUSY)), 0.5, 'looked at anew');
  t.equal(inVainAfter(...times(60, { ...YIELDED, use: 0.95 })), Number.POSITIVE_INFINITY);
  t.end();
});

t.test('it is looked at anew after a minute, and sooner where it is hot', (t) => {
  const later = (hot: boolean, seconds: number) =>
    inVainAfter(...times(20, YIELDED), ...times(seconds, { ...BUSY, hot }));
  t.equal(later(false, 59), 0.02);
  t.equal(later(false, 61), 0.5);
  t.equal(later(true, 19), 0.02);
  t.equal(later(true, 21), 0.5);
  t.end();
});

t.test('a neighbour whose work is much cooler than ours is worth yielding to', (t) => {
  t.equal(inVainAfter(...times(20, { ...YIELDED, ratio: 0.6 })), Number.POSITIVE_INFINITY);
  t.end();
});
