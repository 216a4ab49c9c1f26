import t from 'tap';
import { createGoal, type GoalRules } from '#mobilenetd/thermal/law/goal.js';
import type { Known } from '#mobilenetd/thermal/law/identify.js';
import type { CleanSample } from '#mobilenetd/thermal/law/intake.js';

const SENSOR = { noiseC: 0.3, stepC: 0.5 } as GoalRules['sensor'];
const RULES: GoalRules = {
  limitC: 80,
  marginC: 1.5,
  targetC: null,
  floor: 0.05,
  sensor: SENSOR,
  guardC: 0,
  budget: 0.4,
  isLimited: true,
};
const second = (estimateC: number | null, more: Partial<Known> = {}) =>
  ({ estimateC, throttled: false, trusted: true, dtS: 1, ...more }) as CleanSample & Known;

/** The last of so many seconds at a temperature. */
function after(
  seconds: number,
  estimateC: number,
  rules: Partial<GoalRules> = {},
  goal = createGoal(),
) {
  let aim = goal.update(second(estimateC), { ...RULES, ...rules });
  for (let s = 1; s < seconds; s += 1) aim = goal.update(second(estimateC), { ...RULES, ...rules });
  return aim;
}

t.test('the goal lies below limit − margin, and the aim starts below the goal', (t) => {
  const { goalC, lineC, targetC, warmestC, floor } = after(1, 70);
  t.same([goalC, warmestC, lineC, floor], [78.2, 78.2, 78.5, 0.05]);
  t.ok(Math.abs(targetC - 77.9) < 1e-9, `${targetC}`);
  t.end();
});

t.test(
  'the aim rises where the hottest moments stay below the goal, and only while heat limits',
  (t) => {
    t.ok(after(600, 77).targetC > 78.4);
    t.ok(Math.abs(after(600, 77, { isLimited: false }).targetC - 77.9) < 1e-9);
    t.ok(after(60, 78.6).targetC < 77.8, 'passed: it falls');
    t.end();
  },
);

t.test('a cooler target, a guard and a bad sensor lower it', (t) => {
  t.equal(after(1, 70, { targetC: 60 }).goalC, 60);
  t.equal(after(1, 70, { targetC: 60 }).warmestC, 78.2);
  t.equal(after(1, 70, { targetC: 90 }).goalC, 78.2, 'a warmer one is none');
  t.ok(Math.abs(after(1, 70, { guardC: 0.4 }).goalC - 77.8) < 1e-9);
  t.ok(after(1, 70, { sensor: { noiseC: 0.8, stepC: 1 } as GoalRules['sensor'] }).goalC < 77.7);
  t.end();
});

t.test('a part of the margin is spent before frames are dropped', (t) => {
  const plenty = after(120, 77);
  const starving = after(120, 77, { budget: 0.04 });
  t.ok(Math.abs(starving.goalC - plenty.goalC - 0.3) < 1e-6, `${starving.goalC}`);
  t.ok(starving.lineC > plenty.lineC);
  t.end();
});

t.test('a board that throttles below its limit is kept below that point', (t) => {
  const goal = createGoal();
  goal.update(second(74), RULES);
  goal.update(second(74, { throttled: true }), RULES);
  t.ok(Math.abs((goal.throttleC ?? 0) - 74) < 0.1);
  t.ok(after(1, 70, {}, goal).goalC < 72.3);
  t.equal(createGoal(71).throttleC, 71);
  t.end();
});

t.test('a climb is ahead of what is known of it; nothing known is no climb', (t) => {
  const goal = createGoal();
  let leadC = 0;
  for (let s = 0; s < 6; s += 1) ({ leadC } = goal.update(second(60 + s), RULES));
  t.ok(Math.abs(leadC - 2.1) < 1e-9, `${leadC}`);
  t.equal(createGoal().update(second(null), RULES).leadC, 0);
  t.end();
});
