import t from 'tap';
import { createCorrection } from '#mobilenetd/thermal/law/correction.js';

const GOAL_C = 78;

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
