import t from 'tap';
import { aimAt } from '#mobilenetd/thermal/law/aim.js';

const GOOD = { noiseC: 0.25, stepC: 0.49, scattered: false, noisy: true, update: () => {} };

t.test('a worse sensor, emergencies and a starving board move the goal', (t) => {
  const aim = (of: Partial<Parameters<typeof aimAt>[2]> = {}, marginC = 1.5) =>
    aimAt(80, marginC, { sensor: GOOD, guardC: 0, starving: 0, targetC: null, ...of });
  t.same([aim().lineC, aim().goalC.toFixed(2)], [78.5, '78.20']);
  t.ok(aim({ sensor: { ...GOOD, stepC: 1 } }).goalC < aim().goalC - 0.3, 'coarse');
  t.ok(aim({ sensor: { ...GOOD, noiseC: 0.8 } }).goalC < aim().goalC - 0.1, 'noisy');
  t.ok(Math.abs(aim({ guardC: 1 }).goalC - aim().goalC + 1) < 1e-9);
  t.ok(Math.abs(aim({ starving: 1 }).goalC - aim().goalC - 0.3) < 1e-9);
  t.ok(Math.abs(aim({ starving: 1 }, 0.5).goalC - aim({}, 0.5).goalC - 0.25) < 1e-9);
  t.equal(aim({}, 0.5).lineC, 79.5, 'the line is never below what is aimed at');
  t.equal(aim({}, 5).goalC, 74.7);
  t.same([aim({ targetC: 65 }).goalC, aim({ targetC: 65 }).lineC], [65, 78.5], 'a cooler goal');
  t.equal(aim({ targetC: 90 }).goalC, aim().goalC, 'a warmer one is none');
  t.equal(aim({ targetC: 65 }).warmestC, aim().goalC);
  t.end();
});
