import t from 'tap';
import { createBudgetLaw } from '#mobilenetd/thermal/law/budget.js';

const UP = { mayRise: true };

t.test('down at once, up slowly', (t) => {
  const law = createBudgetLaw();
  for (let s = 0; s < 120; s += 1) law.next(0.6, 1, UP);
  t.ok(Math.abs(law.value - 0.6) < 0.02, `${law.value}`);
  for (let s = 0; s < 30; s += 1) law.next(0.2, 1, UP);
  t.ok(law.value < 0.25, `${law.value}`);
  const low = law.value;
  law.next(0.9, 1, UP);
  t.ok(law.value - low < 0.03);
  for (let s = 0; s < 400; s += 1) law.next(0.9, 1, UP);
  t.ok(law.value > 0.85, `${law.value}`);
  t.end();
});

t.test('a cap holds at once and is not remembered; NaN is nothing', (t) => {
  const law = createBudgetLaw();
  for (let s = 0; s < 120; s += 1) law.next(0.6, 1, UP);
  law.cap(0.1);
  t.equal(law.value, 0.1);
  for (let s = 0; s < 60; s += 1) law.next(0.6, 1, { mayRise: false });
  t.equal(law.value, 0.1);
  for (let s = 0; s < 60; s += 1) law.next(0.6, 1, UP);
  t.ok(law.value > 0.4);
  for (let s = 0; s < 60; s += 1) law.next(Number.NaN, 1, UP);
  t.ok(law.value < 0.02);
  t.end();
});

t.test('what a neighbour takes or leaves is followed at once, and back', (t) => {
  const law = createBudgetLaw();
  for (let s = 0; s < 120; s += 1) law.next(0.6, 1, UP);
  const before = law.value;
  law.shift(-0.4);
  t.ok(Math.abs(law.value - before + 0.4) < 1e-9);
  for (let s = 0; s < 30; s += 1) law.next(0.2, 1, UP);
  law.shift(0.4);
  t.ok(Math.abs(law.value - before) < 0.03, `${law.value} of ${before}`);
  law.shift(Number.NaN);
  t.ok(Number.isFinite(law.value));
  t.end();
});
