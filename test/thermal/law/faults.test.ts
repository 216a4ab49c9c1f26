import t from 'tap';
import { createFaultDetector, type Evidence } from '#mobilenetd/thermal/law/faults.js';

const SOUND: Evidence = {
  readingC: 70,
  expectedC: 70,
  sigmaC: 0.4,
  fastRiseC: 10,
  identified: true,
  stepC: 0.5,
  noisy: true,
  scattered: false,
  contradicted: false,
  unresponsive: false,
  dtS: 1,
  jumped: false,
};

/** A sound sensor for `seconds`, changing as noisy ones do. */
function settled(seconds = 120) {
  const detector = createFaultDetector();
  for (let s = 0; s < seconds; s += 1) {
    const verdict = detector.check({ ...SOUND, readingC: 70 + 0.5 * (s % 2) });
    t.equal(verdict.trust, 'good');
  }
  return detector;
}

t.test('each kind of fault is named at once', (t) => {
  const cases: [string, Partial<Evidence>][] = [
    ['missing', { readingC: null }],
    ['range', { readingC: Number.NaN }],
    ['range', { readingC: -41 }],
    ['range', { readingC: 126 }],
    ['jump', { readingC: 25 }],
    ['contradicted', { contradicted: true }],
    ['unresponsive', { unresponsive: true }],
  ];
  for (const [fault, change] of cases) {
    const verdict = settled().check({ ...SOUND, ...change });
    t.equal(verdict.fault, fault);
    t.equal(verdict.use, false);
  }
  t.end();
});

t.test('doubt deepens with time, and a short one ends at once', (t) => {
  const detector = settled();
  const trust: string[] = [];
  for (let s = 0; s < 30; s += 1) trust.push(detector.check({ ...SOUND, readingC: null }).trust);
  t.same(
    [trust[0], trust[3], trust[4], trust[23], trust[24]],
    ['coasting', 'coasting', 'safe', 'safe', 'lost'],
  );
  const again: string[] = [];
  for (let s = 0; s < 6; s += 1) again.push(detector.check({ ...SOUND, readingC: 70 + s }).trust);
  t.equal(again[0], 'lost', 'one good reading after a long fault proves little');
  t.equal(again.at(-1), 'good');
  const short = settled();
  short.check({ ...SOUND, readingC: null });
  t.equal(short.check(SOUND).trust, 'good');
  t.end();
});

t.test('frozen: still while what our loads explain moved', (t) => {
  const detector = settled();
  let at = 0;
  for (let s = 1; s <= 120 && at === 0; s += 1) {
    const verdict = detector.check({ ...SOUND, readingC: 70.5, fastRiseC: 10 + s / 10 });
    if (verdict.fault === 'frozen') at = s;
  }
  t.ok(at >= 20 && at <= 65, `after ${at} s`);
  const quiet = settled();
  for (let s = 1; s <= 600; s += 1) {
    const verdict = quiet.check({ ...SOUND, noisy: false, readingC: 70.5 });
    t.equal(verdict.fault, null, 'nothing moved: nothing is proven');
  }
  t.end();
});

t.test('heat nobody told of is no fault: the readings led there', (t) => {
  const detector = settled();
  for (let s = 1; s < 20; s += 1) {
    t.equal(detector.check({ ...SOUND, readingC: 70 + 1.5 * s }).fault, null);
  }
  t.end();
});

t.test('a hot level is believed after 30 s; a cold one after 15 min, as a bias', (t) => {
  const hot = settled();
  let restarts = 0;
  for (let s = 0; s < 40; s += 1) {
    if (hot.check({ ...SOUND, readingC: 95 + 0.5 * (s % 2) }).restart) restarts = s;
  }
  t.ok(restarts >= 29 && restarts <= 35, `${restarts}`);
  const cold = settled();
  let biasC = 0;
  for (let s = 0; s < 1000; s += 1) {
    biasC = cold.check({ ...SOUND, readingC: 50 + 0.5 * (s % 2) }).biasC;
  }
  t.ok(biasC < -19 && biasC > -21, `${biasC}`);
  const dead = settled();
  for (let s = 0; s < 1000; s += 1) {
    t.not(dead.check({ ...SOUND, readingC: 25 + 0.5 * (s % 2) }).trust, 'good', 'below 30 °C');
    if (s > 30) break;
  }
  t.end();
});

t.test(
  'a sensor that fell in one step is not believed because the model grew vaguer meanwhile',
  (t) => {
    for (const fallC of [7, 9, 11.5]) {
      const detector = settled();
      const vaguer = (s: number) => ({
        ...SOUND,
        sigmaC: 0.4 + s / 40,
        readingC: 70 - fallC + (s % 2) / 2,
      });
      let trust = 'good';
      for (let s = 0; s < 600; s += 1) ({ trust } = detector.check(vaguer(s)));
      t.equal(trust, 'lost', `${fallC} °C lower, ten minutes later`);
    }
    t.end();
  },
);

t.test('after a fault of another kind a vaguer model lets more pass', (t) => {
  const garbage = [null, 140, -50, Number.NaN];
  for (const kind of garbage) {
    const detector = settled();
    for (let s = 0; s < 120; s += 1) detector.check({ ...SOUND, readingC: kind });
    let trust = 'lost';
    for (let s = 0; s < 30; s += 1) {
      ({ trust } = detector.check({ ...SOUND, sigmaC: 2, readingC: 62 + (s % 2) / 2 }));
    }
    t.equal(trust, 'good', `after ${kind}`);
  }
  t.end();
});
