import t from 'tap';
import { createCorrection } from '#mobilenetd/thermal/law/correction.js';
import { createStarving } from '#mobilenetd/thermal/law/starving.js';
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

t.test('starving: 0 with plenty, 1 below the floor, a minute in and seconds out', (t) => {
  const starving = createStarving();
  starving.update(0.5, 0.1, true, 1);
  t.equal(starving.value, 0);
  for (let s = 0; s < 30; s += 1) starving.update(0.05, 0.1, true, 1);
  t.ok(Math.abs(starving.value - 0.5) < 1e-9, `${starving.value} half way`);
  for (let s = 0; s < 60; s += 1) starving.update(0.05, 0.1, true, 1);
  t.equal(starving.value, 1);
  for (let s = 0; s < 15; s += 1) starving.update(0.05, 0.1, false, 1);
  t.ok(starving.value < 1e-9, 'a sensor in doubt ends it');
  t.end();
});

t.test('correction: only above the goal, for seconds, and not falling', (t) => {
  const drive = (temperatureAt: (s: number) => number, seconds: number): number => {
    const correction = createCorrection();
    let most = Number.POSITIVE_INFINITY;
    for (let s = 0; s < seconds; s += 1) {
      most = correction.update(temperatureAt(s), GOAL_C, 0.5, 20, 1);
    }
    return most;
  };
  t.equal(
    drive(() => GOAL_C - 0.1, 60),
    Number.POSITIVE_INFINITY,
    'below the goal',
  );
  t.equal(
    drive((s) => GOAL_C + 2 - 0.05 * s, 20),
    Number.POSITIVE_INFINITY,
    'falling',
  );
  t.equal(
    drive((s) => (s < 18 ? GOAL_C - 1 : GOAL_C + 1), 20),
    Number.POSITIVE_INFINITY,
    'a short spike',
  );
  const level = drive(() => GOAL_C + 1, 20);
  const rising = drive((s) => GOAL_C + 0.05 * s, 21);
  t.ok(level < 0.5 && level > 0.4, `${level}: a little less than the load of now`);
  t.ok(rising < level, `${rising}: less still while it rises`);
  t.end();
});
