import t from 'tap';
import { topClasses } from '#mobilenetd/vision/topk.js';
import { integer, seededRandom } from './random.js';

const REAL = { scale: 1, zeroPoint: 0 };

t.test('softmax of what the stored values stand for', async (t) => {
  const [best, next, ...rest] = topClasses(
    Uint8Array.from([10, 30, 20]),
    { scale: 0.1, zeroPoint: 0 },
    2,
  );
  const sum = Math.exp(1) + Math.exp(3) + Math.exp(2);
  t.same(rest, []);
  t.equal(best?.index, 1);
  t.equal(next?.index, 2);
  t.ok(Math.abs((best?.score ?? 0) - Math.exp(3) / sum) < 1e-12);
  t.ok(Math.abs((next?.score ?? 0) - Math.exp(2) / sum) < 1e-12);
});

t.test('the order of a full sort, ties by index', async (t) => {
  const random = seededRandom(2);
  for (let round = 0; round < 200; round += 1) {
    const values = Uint8Array.from({ length: integer(random, 1, 60) }, () => integer(random, 0, 9));
    const k = integer(random, 1, 12);
    const expected = [...values.keys()]
      .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b)
      .slice(0, k);
    t.same(
      topClasses(values, REAL, k).map(({ index }) => index),
      expected,
    );
  }
});

t.test('extreme logits', async (t) => {
  const [best] = topClasses(Float32Array.from([-1e30, 3e38, 0]), REAL, 1);
  t.same(best, { index: 1, score: 1 });
  const even = topClasses(new Float32Array(4).fill(-500), REAL, 9);
  t.same(
    even.map(({ score }) => score),
    [0.25, 0.25, 0.25, 0.25],
  );
});

t.test('sigmoids stand by themselves, probabilities are left as they are', async (t) => {
  const stored = { scale: 0.1, zeroPoint: 100 };
  const each = topClasses(Uint8Array.from([100, 120, 90]), stored, 3, 'sigmoid');
  t.strictSame(
    each.map(({ index, score }) => [index, Math.round(score * 1e4) / 1e4]),
    [
      [1, 0.8808],
      [0, 0.5],
      [2, 0.2689],
    ],
  );
  const probabilities = topClasses(Float32Array.from([0.1, 0.7, 1.0001]), REAL, 2, 'probability');
  t.strictSame(
    probabilities.map(({ index, score }) => [index, Math.round(score * 10) / 10]),
    [
      [2, 1],
      [1, 0.7],
    ],
  );
});
