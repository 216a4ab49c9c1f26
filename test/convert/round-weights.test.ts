import t from 'tap';
import { roundKeepingSum, roundToNearest } from '#mobilenetd/convert/round-weights.js';
import { createRandom } from './random.js';

const sum = (values: Iterable<number>) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

t.test('to the nearest step, within the symmetric range', async (t) => {
  const { scale, stored } = roundToNearest([0.26, -0.24, 1, -200], 0.5);
  t.equal(scale, 0.5);
  t.same([...stored], [1, 0, 2, -127]);
  t.same(roundToNearest([0, 0], 0), { scale: 1, stored: new Int8Array(2) });
});

t.test('an edge filter stays one: nothing on a flat surface', async (t) => {
  // −63.4, −63.4 and 126.8 steps round to −63, −63 and 127: a sum of 1 step that should be 0.
  const weights = [-0.0634, -0.0634, 0.1268, 0, 0, 0, 0, 0, 0].map((weight) => weight * 10);
  const plain = roundToNearest(weights, 0.01);
  t.not(sum(plain.stored), 0);
  const kept = roundKeepingSum(weights, 1.268 / 127);
  t.equal(sum(kept.stored), 0);
});

t.test('the sum is kept within half a step, and no weight strays far', async (t) => {
  const random = createRandom(5);
  for (let round = 0; round < 500; round += 1) {
    const weights = Array.from({ length: 9 }, () => (random(2001) - 1000) / 1000);
    const finest = Math.max(...weights.map(Math.abs)) / 127;
    const { scale, stored } = roundKeepingSum(weights, finest);
    t.ok(scale >= finest * 0.999999 && scale <= finest * 1.13);
    t.ok(Math.abs(sum(weights) / scale - sum(stored)) <= 0.5 + 1e-6);
    const errors = weights.map((weight, i) => Math.abs(weight / scale - (stored[i] ?? 0)));
    t.ok(Math.max(...errors) < 1.01);
  }
});

t.test('one weight, no weights, and zeros', async (t) => {
  t.same([...roundKeepingSum([0.3], 0.3 / 127).stored], [127]);
  t.equal(roundKeepingSum([], 1).stored.length, 0);
  t.same([...roundKeepingSum([0, 0, 0], 0).stored], [0, 0, 0]);
});
