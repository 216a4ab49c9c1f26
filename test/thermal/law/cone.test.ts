import t from 'tap';
import { createGovernor } from '#mobilenetd/thermal/governor.js';
import { forecastCone } from '#mobilenetd/thermal/law/cone.js';
import { createObserver } from '#mobilenetd/thermal/law/observer.js';
import { createDriver, FPS, LADDER, sampleOf } from '../plant-driver.js';

const ALONE = { load: 0, forS: 1, thenLoad: 0, driftC: 0 };
const AHEAD_S = [0, 15, 60, 120, 300];

t.test('more load is expected to be hotter, and later is known less well', (t) => {
  const observer = createObserver();
  observer.reset(50);
  const of = (load: number) =>
    forecastCone(observer, { load, foreign: ALONE, noiseC: 0.3 }, AHEAD_S);
  const idle = of(0);
  const busy = of(0.8);
  t.same(
    idle.map(({ aheadS }) => aheadS),
    AHEAD_S,
  );
  for (const [index, { expectedC, lowC, highC }] of busy.entries()) {
    t.ok(lowC < expectedC && expectedC < highC);
    t.ok(expectedC >= (idle[index]?.expectedC ?? 0), `${AHEAD_S[index]} s`);
  }
  const widths = busy.map(({ lowC, highC }) => highC - lowC);
  t.same(
    widths,
    widths.toSorted((a, b) => a - b),
    'the cone opens',
  );
  t.equal(Math.round(idle[0]?.expectedC ?? 0), 50, 'now is where it is');
  t.end();
});

t.test('a board does what was expected of it, cool and at its limit', (t) => {
  for (const ambientC of [25, 45, 55]) {
    const driver = createDriver({ ambientC });
    const expected: { readonly atS: number; readonly low: number; readonly high: number }[] = [];
    let inside = 0;
    let looked = 0;
    for (let second = 1; second <= 2400; second += 1) {
      driver.step();
      for (const point of expected.filter(({ atS }) => atS === second)) {
        looked += 1;
        if (driver.tempC() >= point.low && driver.tempC() <= point.high) inside += 1;
      }
      if (second < 200 || second % 20 !== 0) continue;
      for (const { aheadS, lowC, highC } of driver.governor.forecast([15, 60, 120, 300])) {
        expected.push({ atS: second + aheadS, low: lowC, high: highC });
        t.ok(highC - lowC < 12, `${ambientC} °C, ${aheadS} s: it says something`);
      }
    }
    t.ok(inside >= 0.9 * looked, `${ambientC} °C outside: ${inside} of ${looked}`);
  }
  t.end();
});

t.test('without a reading nothing is expected', (t) => {
  const driver = createDriver();
  driver.run(3, (sample) => ({ ...sample, tempC: null }));
  t.ok(driver.governor.forecast([0, 60]).every(({ expectedC }) => Number.isFinite(expectedC)));
  const blind = createGovernor({ ladder: LADDER, limitC: 80, requestedFps: FPS });
  t.same(blind.forecast([0, 60]), [], 'before the first sample');
  blind.decide(sampleOf(0, null));
  t.same(blind.forecast([0, 60]), [], 'without a sensor');
  t.end();
});
