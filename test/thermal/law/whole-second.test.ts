import t from 'tap';
import { createWholeSecond } from '#mobilenetd/thermal/law/whole-second.js';
import { LADDER } from '../plant-driver.js';

const MIX = { low: 1, high: 2, fraction: 0.3 };
const PLAN = { fps: 30, spend: 0.27, slowdown: 1 };

t.test('seconds make the share of the frames', (t) => {
  const choice = createWholeSecond(() => ({ ladder: LADDER, hot: LADDER }));
  let high = 0;
  for (let s = 0; s < 1000; s += 1) if (choice.pick(MIX, PLAN, () => 60, 79) === 2) high += 1;
  t.ok(Math.abs(high - 300) <= 2, `${high}`);
  t.end();
});

t.test('no second may bring too much heat, and one rung needs no choice', (t) => {
  const choice = createWholeSecond(() => ({ ladder: LADDER, hot: LADDER }));
  for (let s = 0; s < 20; s += 1)
    t.equal(
      choice.pick(MIX, PLAN, () => 79.5, 79),
      1,
    );
  t.equal(
    choice.pick({ low: 3, high: 3, fraction: 0 }, PLAN, () => 99, 79),
    3,
  );
  t.end();
});

t.test('an upper rung that cannot keep the rate is drawn only where it pays', (t) => {
  const choice = createWholeSecond(() => ({ ladder: LADDER, hot: LADDER }));
  const mix = { low: 0, high: 3, fraction: 0.5 };
  // At 60 a second the largest delivers 33: 70 × 33 / 60 = 38.5 counts less than 39.5.
  for (let s = 0; s < 20; s += 1) {
    t.equal(
      choice.pick(mix, { fps: 60, spend: 0.5, slowdown: 1 }, () => 60, 79),
      0,
    );
  }
  t.end();
});
