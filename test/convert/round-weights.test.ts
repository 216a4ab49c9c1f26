import t from 'tap';
import { symmetricChannel } from '#mobilenetd/convert/passes/symmetric-channel.js';
import {
  peakOf,
  roundKeepingSum,
  roundToNearest,
  roundWithinSpan,
} from '#mobilenetd/convert/round-weights.js';
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

/** The largest sum of two stored weights of one sign that may meet in 16 bits. */
function largestPair(stored: Int8Array, span: 'pairs' | 'any'): number {
  let largest = 0;
  for (const [a, first] of stored.entries()) {
    for (const [b, second] of stored.entries()) {
      const meet = span === 'any' ? a !== b : a === b - 1 && a % 2 === 0;
      if (meet && first * second >= 0) largest = Math.max(largest, Math.abs(first + second));
    }
  }
  return largest;
}

t.test('the peak of a span: alone, beside the neighbour, beside any other', async (t) => {
  const weights = [3, -5, 4, 2, 6];
  t.equal(peakOf(weights, 'full'), 6);
  t.equal(peakOf(weights, 'pairs'), 6, '4 + 2; the last has no neighbour');
  t.equal(peakOf(weights, 'any'), 10);
  t.equal(peakOf([-5, -4, 1], 'pairs'), 9);
  for (const span of ['full', 'pairs', 'any'] as const) t.equal(peakOf([], span), 0);
});

t.test('rounded or moved, two products never pass 16 bits', async (t) => {
  const random = createRandom(11);
  for (const span of ['pairs', 'any'] as const) {
    for (let round = 0; round < 300; round += 1) {
      const count = 1 + random(40);
      const steps = Int16Array.from({ length: count }, () => random(511) - 255);
      const { factor, stored } = symmetricChannel(steps, 0, span);
      const largest = largestPair(stored, span);
      if (largest > 128) t.fail(`${span}: ${largest} of ${steps.join(' ')}`);
      const error = Math.max(...steps.map((step, i) => Math.abs(step / factor - (stored[i] ?? 0))));
      if (error > 1.01) t.fail(`${span}: a weight strays by ${error}`);
      const floats = Array.from(steps, (step) => step / 100);
      const rounded = roundToNearest(floats, peakOf(floats, span) / 127);
      if (largestPair(rounded.stored, span) > 128) t.fail(`${span}: ${floats.join(' ')}`);
    }
    t.pass(span);
  }
  t.same(symmetricChannel(Int16Array.of(100, 27, -90), 0, 'pairs').factor, 1, 'left as it is');
  t.equal(symmetricChannel(Int16Array.of(100, 28), 0, 'pairs').factor, 128 / 127);
});

t.test(
  'within a span: no pair too large, and no worse than the scale at which all fit',
  async (t) => {
    const random = createRandom(23);
    const errorOf = (weights: readonly number[], rounded: ReturnType<typeof roundToNearest>) =>
      sum(weights.map((weight, i) => (weight - rounded.scale * (rounded.stored[i] ?? 0)) ** 2));
    let better = 0;
    for (const span of ['pairs', 'any', 'full'] as const) {
      for (let round = 0; round < 200; round += 1) {
        // Mostly small, few large, as trained weights are.
        const weights = Array.from({ length: 1 + random(60) }, () => {
          return ((random(2001) - 1000) / 1000) ** 3;
        });
        const rounded = roundWithinSpan(weights, 0, span);
        if (span !== 'full' && largestPair(rounded.stored, span) > 128) t.fail(weights.join(' '));
        const plain = errorOf(weights, roundToNearest(weights, peakOf(weights, span) / 127));
        const error = errorOf(weights, rounded);
        if (error > plain) t.fail(`${span}: ${error} instead of ${plain}`);
        if (error < plain * 0.99) better += 1;
      }
    }
    t.ok(better > 40, `${better} of 400 are better by 1 % or more`);
    t.ok(
      roundWithinSpan([1, 1], 0.1, 'pairs').scale >= Math.fround(0.1),
      'the least scale is kept',
    );
  },
);
