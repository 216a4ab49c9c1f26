import t from 'tap';
import type { Sample } from '#mobilenetd/thermal/governor.js';
import { createDriver, LADDER } from './plant-driver.js';

const KNOWN_S = 900;

/** Told of the CPU's use: a neighbour would be noticed without the sensor. */
const sound = (s: Sample): Sample => ({
  ...s,
  cpuUtil: Math.min(1, 0.03 + (s.deliveredFps * (LADDER[s.rung]?.costMs ?? 0)) / 1000),
});

t.test('a lost sensor with a second one: hardly less is done, and it is said why', async (t) => {
  const runs = [false, true].map((hasSecond) => {
    const driver = createDriver();
    const second = (s: Sample): Sample => ({
      ...sound(s),
      // Elsewhere on the board, in whole degrees.
      ...(hasSecond && { otherC: Math.round(driver.tempC() - 8) }),
    });
    const before = driver.run(KNOWN_S, second);
    t.equal(before.reliesOn, 'sensor');
    let hottestC = 0;
    for (let i = 0; i < 1200; i += 1) {
      driver.step((s) => ({ ...second(s), tempC: null }));
      hottestC = Math.max(hottestC, driver.tempC());
    }
    return { before: before.budget, last: driver.last, hottestC };
  });
  const [alone, guided] = runs;
  if (alone === undefined || guided === undefined) throw new Error('two runs');
  t.equal(alone.last.reliesOn, 'model');
  t.match(alone.last.reason, /by what is known of the board, more carefully/);
  t.equal(guided.last.reliesOn, 'model and second sensor');
  t.match(guided.last.reason, /by what is known of the board and by a second sensor/);
  t.ok(alone.last.budget < 0.6 * alone.before, `alone: ${alone.last.budget} of ${alone.before}`);
  t.ok(guided.last.budget > 0.8 * guided.before, `${guided.last.budget} of ${guided.before}`);
  t.ok(guided.hottestC < 80, `${guided.hottestC}`);
});

t.test('a second sensor does not stand in for a board that is not known', async (t) => {
  const driver = createDriver();
  const second = (s: Sample): Sample => ({ ...sound(s), otherC: Math.round(driver.tempC() - 8) });
  driver.run(60, second);
  const last = driver.run(120, (s) => ({ ...second(s), tempC: null }));
  t.equal(last.reliesOn, 'nothing');
  t.equal(last.mix.high, 0);
});

t.test('without flags and without a sensor the clock tells of heat', async (t) => {
  const fault = (clock: number) => (s: Sample) => ({
    ...sound(s),
    tempC: null,
    throttledFlags: null,
    cpuUtil: 0.8,
    clock,
  });
  const driver = createDriver();
  driver.run(KNOWN_S, (s) => ({ ...sound(s), throttledFlags: null, cpuUtil: 0.8, clock: 1 }));
  const calm = driver.run(60, fault(1));
  t.ok(calm.budget > 0.1, `${calm.budget}`);
  t.notMatch(calm.reason, /clock/);
  const slowed = driver.run(5, fault(0.8));
  t.match(slowed.reason, /the processor’s clock is lower than under as much load before/);
  t.equal(slowed.mix.high, 0);
  t.ok(slowed.budget < 0.5 * calm.budget, `${slowed.budget} of ${calm.budget}`);
  t.ok(Number(slowed.temperatureC) >= 79, 'it is as hot as the limit, whatever the model said');
});

t.test('where the sensor or the flags can be read the clock changes nothing', async (t) => {
  const decide = (clock: number | null) => {
    const driver = createDriver();
    const see = (s: Sample): Sample => ({ ...sound(s), cpuUtil: 0.8, clock });
    driver.run(KNOWN_S, see);
    return driver.run(120, (s) => ({ ...see(s), tempC: null, throttledFlags: 0 }));
  };
  const drivers = [1, null].map(decide);
  t.same(drivers[0], drivers[1]);
  const driver = createDriver();
  const see = (clock: number) => (s: Sample) => ({
    ...sound(s),
    throttledFlags: null,
    cpuUtil: 0.8,
    clock,
  });
  driver.run(KNOWN_S, see(1));
  t.notMatch(driver.run(60, see(0.5)).reason, /clock/, 'a weak supply or the owner has done that');
});
