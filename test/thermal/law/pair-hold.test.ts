import t from 'tap';
import { buildHull } from '#mobilenetd/thermal/ladder.js';
import { createPairHold } from '#mobilenetd/thermal/law/pair-hold.js';
import { FPS, LADDER } from '../plant-driver.js';

const RULES = { pin: 'auto', floorAlpha: 0, floorSize: 0, prefer: 'accuracy', minFps: 1 } as const;
const HULL = buildHull(LADDER, RULES);

t.test('one pair up waits 45 s, two pairs and down are at once', (t) => {
  const hold = createPairHold();
  const pair = (load: number) => {
    const { mix } = hold.allocate(HULL, load, FPS, 1, 1);
    return `${mix.low}${mix.high}`;
  };
  t.equal(pair(0.1), '01');
  for (let s = 0; s < 44; s += 1) t.equal(pair(0.3), '01', `${s} s`);
  t.equal(pair(0.3), '12');
  t.equal(pair(0.1), '01', 'down');
  t.equal(pair(0.7), '23', 'two up');
  hold.release();
  t.equal(pair(0.3), '12', 'after a release');
  t.end();
});

t.test('waiting spends all that the lower pair can', (t) => {
  const hold = createPairHold();
  hold.allocate(HULL, 0.1, FPS, 1, 1);
  const plan = hold.allocate(HULL, 0.3, FPS, 1, 1);
  t.ok(plan.load > 0.17 && plan.load <= 0.18, `${plan.load} of the 0.18 that rung 1 takes`);
  t.end();
});
