import t from 'tap';
import { createTrim } from '#mobilenetd/thermal/law/trim.js';

const GOAL_C = 78;

t.test('trim: a board that stays cooler than it need be is aimed higher, slowly', (t) => {
  const trim = createTrim();
  const start = trim.valueC;
  for (let s = 0; s < 120; s += 1) trim.update(GOAL_C - 1, GOAL_C, true, 1);
  t.equal(trim.valueC, start, 'not before two minutes have shown it');
  for (let s = 0; s < 260; s += 1) trim.update(GOAL_C - 1, GOAL_C, true, 1);
  t.ok(trim.valueC > start + 0.3, `${trim.valueC} after six minutes`);
  for (let s = 0; s < 3600; s += 1) trim.update(GOAL_C - 1, GOAL_C, true, 1);
  t.ok(trim.valueC <= 0.5, `${trim.valueC}: bounded`);
  t.end();
});

t.test('trim: passing the goal lowers the aim at once; other reasons leave it', (t) => {
  const trim = createTrim(0.4);
  trim.update(GOAL_C + 1, GOAL_C, true, 1);
  t.ok(trim.valueC < 0.4);
  const before = trim.valueC;
  for (let s = 0; s < 600; s += 1) trim.update(GOAL_C - 5, GOAL_C, false, 1);
  t.equal(trim.valueC, before, 'the budget was not what kept it cool');
  trim.update(Number.NaN, GOAL_C, true, 1);
  t.equal(trim.valueC, before);
  t.end();
});
