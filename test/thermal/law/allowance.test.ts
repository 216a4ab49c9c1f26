import t from 'tap';
import { createAllowance, type Watched } from '#mobilenetd/thermal/law/allowance.js';
import type { Verdict } from '#mobilenetd/thermal/law/faults.js';
import type { ForeignCourse } from '#mobilenetd/thermal/law/forecast.js';
import type { Identification } from '#mobilenetd/thermal/law/identify.js';
import { createObserver } from '#mobilenetd/thermal/law/observer.js';
import { linearBoard } from '../linear-board.js';

const ALONE: ForeignCourse = { load: 0, forS: 300, thenLoad: 0, driftC: 0 };

/** A board that is known and can carry about half a load below 78 °C, and what beside it is known. */
function knownBoard(visited = false): Identification {
  const observer = createObserver();
  const board = linearBoard([14, 30, 16], 48);
  for (let s = 0; s < 3600; s += 1) {
    const load = s % 400 < 200 ? 0.6 : 0.4;
    observer.advance(load, 0, 1);
    observer.correct(board.step(load), 0.2, true);
  }
  const neighbours = { expected: () => ALONE, worst: () => null, stepped: false, now: 0, visited };
  const quiet = { noisy: false, noiseC: 0.2, stepC: 0.5, scattered: false };
  const responsiveness = { isSuspect: false, isUnresponsive: false };
  return { observer, neighbours, character: quiet, responsiveness } as unknown as Identification;
}

const GOOD: Verdict = {
  trust: 'good',
  fault: null,
  use: true,
  restart: false,
  stillS: 0,
  biasC: 0,
};
const LOST: Verdict = { ...GOOD, trust: 'lost', fault: 'missing', use: false };

const second = (changes: Partial<Watched> = {}) =>
  ({
    dtS: 1,
    load: 0.5,
    estimateC: 77,
    trusted: true,
    acquainted: true,
    verdict: GOOD,
    doubtC: 0,
    floor: 0.05,
    targetC: 77.9,
    goalC: 78.2,
    warmestC: 78.2,
    limitC: 80,
    lineC: 78.5,
    leadC: 0,
    isHot: false,
    inVainFrom: Number.POSITIVE_INFINITY,
    mostLoad: null,
    ...changes,
  }) as Watched;
const OF = { top: 0.9, emergencyRate: 1 };

/** An allowance that has run for a minute, and what it last allowed. */
function settled(visited = false) {
  const allowance = createAllowance(knownBoard(visited));
  let allowed = allowance.update(second(), OF);
  for (let s = 0; s < 60; s += 1) allowed = allowance.update(second(), OF);
  return { allowance, allowed };
}

t.test('what the forecast sustains, and no more than the best rung', (t) => {
  const { allowed } = settled();
  t.ok(allowed.budget > 0.35 && allowed.budget < 0.65, `${allowed.budget}`);
  t.same(
    [allowed.inEmergency, allowed.isFree, allowed.savesEnergy, allowed.dip],
    [false, false, false, 1],
  );
  t.equal(settled().allowance.update(second(), { ...OF, top: 0.2 }).budget, 0.2);
  t.end();
});

t.test('an energy budget takes what heat would allow, and says so', (t) => {
  const { allowance } = settled();
  t.match(allowance.update(second({ mostLoad: 0.1 }), OF), { budget: 0.1, savesEnergy: true });
  t.match(allowance.update(second({ mostLoad: 0.9 }), OF), { savesEnergy: false });
  t.end();
});

t.test('too hot: the floor, and parts of it', (t) => {
  const { allowance } = settled();
  const hot = second({ isHot: true, estimateC: 79 });
  t.match(allowance.update(hot, OF), { inEmergency: true, budget: 0.05 });
  const quarter = allowance.update(hot, { ...OF, emergencyRate: 0.25 });
  t.ok(Math.abs(quarter.budget - 0.0125) < 1e-9);
  t.end();
});

t.test('after an emergency there is less than led to it', (t) => {
  const { allowance } = settled();
  const before = allowance.value;
  allowance.cutBack();
  t.ok(Math.abs(allowance.value - 0.8 * before) < 1e-9);
  t.end();
});

t.test('nothing is given up in vain, not even when it is hot', (t) => {
  const { allowance } = settled();
  const vain = allowance.update(second({ inVainFrom: 0.1 }), OF);
  t.match(vain, { isFree: true, budget: 0.9 });
  t.match(allowance.update(second({ inVainFrom: 0.02, isHot: true }), OF), {
    isFree: true,
    inEmergency: false,
  });
  t.end();
});

t.test('frames are dropped for the limit only, not for a cooler target', (t) => {
  const { allowance } = settled();
  const wish = { estimateC: 60, goalC: 50, targetC: 50 };
  let allowed = allowance.update(second(wish), OF);
  for (let s = 0; s < 60; s += 1) allowed = allowance.update(second(wish), OF);
  t.equal(allowed.budget, 0.05, 'the cheapest rung keeps its rate');
  t.ok(allowance.value < 0.05);
  t.end();
});

t.test('a lost sensor', async (t) => {
  const unseen = { trusted: false, verdict: LOST };
  t.test('leaves a known board what its model sustains', async (t) => {
    const { allowance, allowed } = settled();
    const near = allowance.update(second({ ...unseen, doubtC: 0.5 }), OF);
    t.ok(near.budget > 0.8 * allowed.budget && near.budget <= allowed.budget, `${near.budget}`);
    const later = allowance.update(second({ ...unseen, doubtC: 10 }), OF);
    t.ok(later.budget < 0.8 * near.budget, 'less for all that nobody sees');
  });
  t.test('leaves another board half of the floor', async (t) => {
    const { allowance } = settled();
    const blind = allowance.update(second({ ...unseen, acquainted: false }), OF);
    t.equal(blind.budget, 0.025);
  });
  t.test('what was sustainable before is so at once when it is believed again', async (t) => {
    const { allowance, allowed } = settled();
    for (let s = 0; s < 120; s += 1) allowance.update(second({ ...unseen, doubtC: 15 }), OF);
    const back = allowance.update(second(), OF);
    t.ok(back.budget > 0.95 * allowed.budget, `${back.budget} of ${allowed.budget}`);
  });
  t.test('on a board that is not known it comes back slowly', async (t) => {
    const { allowance, allowed } = settled();
    const blind = second({ ...unseen, acquainted: false });
    for (let s = 0; s < 120; s += 1) allowance.update(blind, OF);
    const back = allowance.update(second(), OF);
    t.ok(back.budget < 0.3 * allowed.budget, `${back.budget} of ${allowed.budget}`);
  });
});

t.test('a quiet sensor near the target is probed by less load, far below it not', (t) => {
  const { allowance } = settled();
  const still = { verdict: { ...GOOD, stillS: 100 } };
  allowance.update(second(still), OF);
  t.ok(allowance.update(second(still), OF).dip < 1);
  const far = settled().allowance;
  far.update(second({ ...still, estimateC: 50 }), OF);
  t.equal(far.update(second({ ...still, estimateC: 50 }), OF).dip, 1);
  t.end();
});
