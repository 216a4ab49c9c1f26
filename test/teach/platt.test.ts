import t from 'tap';
import { fitSigmoid, probabilityOf, type Sigmoid } from '#mobilenetd/teach/platt.js';
import { normal, random } from './things.js';

const scores = (count: number, middle: number, seed: number) => {
  const next = random(seed);
  return Float64Array.from({ length: count }, () => middle + normal(next) / 2);
};

/** Cross entropy with Platt's targets, both sides weighing the same. */
function loss(sigmoid: Sigmoid, positives: Float64Array, negatives: Float64Array): number {
  const of = (values: Float64Array, target: number) => {
    const sum = values.reduce((total, score) => {
      const p = probabilityOf(sigmoid, score);
      return total - target * Math.log(p) - (1 - target) * Math.log(1 - p);
    }, 0);
    return sum / values.length;
  };
  const high = (positives.length + 1) / (positives.length + 2);
  return of(positives, high) + of(negatives, 1 / (negatives.length + 2));
}

t.test('the sigmoid is the best there is', (t) => {
  for (const [count, others] of [
    [5, 500],
    [40, 60],
    [2, 3],
  ] as const) {
    const [positives, negatives] = [scores(count, 0.5, 1), scores(others, -0.5, 2)];
    const found = fitSigmoid(positives, negatives);
    t.ok(found !== null && found.slope < 0);
    if (found === null) continue;
    const least = loss(found, positives, negatives);
    for (const [slope, offset] of [
      [0.05, 0],
      [-0.05, 0],
      [0, 0.05],
      [0, -0.05],
      [0.5, 0.5],
    ] as const) {
      const other = { slope: found.slope + slope, offset: found.offset + offset };
      t.ok(loss(other, positives, negatives) > least, `${count} and ${others}`);
    }
  }
  t.end();
});

t.test('a probability never comes to 0 or 1 from few scores, even where they are apart', (t) => {
  const sigmoid = fitSigmoid(Float64Array.of(1, 1.1), Float64Array.of(-1, -1.2, -0.9));
  t.ok(sigmoid !== null);
  const p = probabilityOf(sigmoid ?? { slope: 0, offset: 0 }, 1);
  t.ok(p > 0.6 && p < 0.85, `${p}: the target is 3/4`);
  t.end();
});

t.test('where scores do not tell the sides apart there is none', (t) => {
  t.equal(fitSigmoid(Float64Array.of(-1, -1), Float64Array.of(1, 1)), null);
  t.equal(fitSigmoid(Float64Array.of(), Float64Array.of(1)), null);
  t.equal(fitSigmoid(Float64Array.of(1), Float64Array.of()), null);
  t.end();
});
