import t from 'tap';
import { createSecondSensor } from '#mobilenetd/thermal/law/second-sensor.js';

const BEFORE_S = 1500;

/** A sensor that a load warms by `gainC` over two minutes, in a room that warms during a fault. */
function run(options: {
  readonly gainC: number;
  readonly warmsC: number;
  readonly faultS?: number;
  readonly stillS?: number;
  readonly read?: (realC: number, faultForS: number) => number | null;
}) {
  const { gainC, warmsC, faultS = 1200, stillS = 0, read = (realC) => realC } = options;
  const second = createSecondSensor();
  let riseC = 0;
  let movedC = 0;
  let guided = 0;
  for (let s = 0; s < BEFORE_S + faultS; s += 1) {
    const faultForS = s - BEFORE_S;
    // The room warms from the moment from which the first sensor stands still.
    const part = Math.min(1, Math.max(0, (faultForS + stillS) / faultS));
    const load = faultForS < 0 ? 0.5 + 0.2 * Math.sin(s / 60) : 0.5 - 0.3 * Math.min(1, part * 3);
    riseC += (gainC * load - riseC) / 120;
    const realC = Math.round(40 + riseC + warmsC * part + 0.3 * Math.sin(7.7 * s));
    movedC += second.update({
      otherC: read(realC, faultForS),
      load,
      foreignLoad: 0.03,
      trusted: faultForS < 0,
      stillS: faultForS < 0 ? Math.max(0, faultForS + stillS) : stillS + faultForS,
      dtS: 1,
      jumped: false,
    });
    if (faultForS >= 0 && second.guides) guided += 1;
  }
  return { movedC, guided: guided / faultS };
}

t.test('it tells how the room warms, whatever the load does', (t) => {
  for (const warmsC of [0, 6, 12]) {
    const { movedC, guided } = run({ gainC: 20, warmsC });
    t.equal(guided, 1);
    t.ok(Math.abs(movedC - warmsC) < 2, `${warmsC}: ${movedC}`);
  }
  t.end();
});

t.test('a room that cools is not counted on', (t) => {
  const { movedC } = run({ gainC: 20, warmsC: -8 });
  t.ok(Math.abs(movedC) < 0.7, `${movedC}`);
  t.end();
});

t.test('what it did while the first one stood still counts', (t) => {
  const { movedC } = run({ gainC: 20, warmsC: 12, stillS: 300 });
  t.ok(Math.abs(movedC - 12) < 2, `${movedC}: 2.4 of them before it was noticed`);
  t.end();
});

t.test('one that no load warms is no guide: it hangs at the window', (t) => {
  const { movedC, guided } = run({ gainC: 0, warmsC: 12 });
  t.equal(guided, 0);
  t.equal(movedC, 0);
  t.end();
});

t.test('what says nothing, or for ever the same, is no guide for long', (t) => {
  const silent = run({ gainC: 20, warmsC: 12, read: (realC, s) => (s < 0 ? realC : null) });
  t.ok(silent.guided < 0.05, `${silent.guided}`);
  const frozen = run({ gainC: 20, warmsC: 12, read: (realC, s) => (s < 0 ? realC : 50) });
  t.ok(frozen.guided > 0.4 && frozen.guided < 0.6, `${frozen.guided}: ten minutes of twenty`);
  const garbage = run({ gainC: 20, warmsC: 0, read: (realC, s) => (s % 3 === 0 ? 300 : realC) });
  t.ok(Math.abs(garbage.movedC) < 1, `${garbage.movedC}`);
  t.end();
});
