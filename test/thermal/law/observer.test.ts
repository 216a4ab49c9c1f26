import t from 'tap';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { forecast, sustainableLoad, viableLoad } from '#mobilenetd/thermal/law/forecast.js';
import { createObserver, isObserverState } from '#mobilenetd/thermal/law/observer.js';

/** A board that is exactly what the observer models. */
function linearBoard(gains: readonly number[], ambientC: number) {
  const taus = [7, 90, 700];
  const x = [0, 0, 0];
  return {
    step(load: number): number {
      taus.forEach((tau, i) => {
        x[i] = (x[i] ?? 0) + (1 - Math.exp(-1 / tau)) * (load - (x[i] ?? 0));
      });
      return ambientC + gains.reduce((sum, g, i) => sum + g * (x[i] ?? 0), 0);
    },
  };
}

t.test('gains are identified from a load that varies', async (t) => {
  const gains = [6, 20, 18];
  const board = linearBoard(gains, 40);
  const random = createRandom(5);
  const observer = createObserver();
  let load = 0.5;
  let worst = 0;
  for (let s = 0; s < 7200; s += 1) {
    if (s % 60 === 0) load = random.next();
    const truth = board.step(load);
    observer.advance(load, 0, 1);
    const reading = Math.round((truth + 0.2 * random.normal()) / 0.5) * 0.5;
    observer.correct(reading, 0.25, true);
    if (s > 3600) worst = Math.max(worst, Math.abs(observer.temperature() - truth));
  }
  t.ok(worst < 0.6, `filtered temperature off by at most ${worst.toFixed(2)} °C`);
  t.ok(Math.abs((observer.theta[0] ?? 0) - 6) < 1, `die ${observer.theta[0]?.toFixed(1)}`);
  t.ok(Math.abs((observer.theta[1] ?? 0) - 20) < 4, `board ${observer.theta[1]?.toFixed(1)}`);
});

const ALONE = { load: 0, forS: 300, thenLoad: 0, driftC: 0 };

t.test('a forecast comes true', async (t) => {
  const gains = [6, 20, 18];
  const board = linearBoard(gains, 40);
  const random = createRandom(6);
  const observer = createObserver();
  let load = 0.5;
  for (let s = 0; s < 5400; s += 1) {
    if (s % 90 === 0) load = random.next() * 0.6;
    observer.advance(load, 0, 1);
    observer.correct(board.step(load), 0.2, true);
  }
  const f = forecast(observer, 300, 0.3, ALONE);
  let truth = 0;
  for (let s = 0; s < 300; s += 1) truth = board.step(0.3);
  const expected = f.baseC + 0.3 * f.perLoadC;
  t.ok(Math.abs(expected - truth) < 1.5, `${expected.toFixed(1)} against ${truth.toFixed(1)} °C`);
  const budget = sustainableLoad(observer, 75, { load: 0.3, caution: 0, foreign: ALONE });
  for (const ahead of [15, 60, 120, 300]) {
    const g = forecast(observer, ahead, budget, ALONE);
    // Far ahead the target may be passed by up to 1.5 °C.
    const late = (1.5 * Math.max(0, ahead - 60)) / 240;
    t.ok(g.baseC + budget * g.perLoadC <= 75 + late + 1e-6, `${ahead} s`);
  }
});

t.test('an outlier hardly moves it', async (t) => {
  const observer = createObserver();
  for (let s = 0; s < 300; s += 1) {
    observer.advance(0.3, 0, 1);
    observer.correct(60, 0.2, true);
  }
  observer.advance(0.3, 0, 1);
  observer.correct(95, 0.2, true);
  t.ok(observer.temperature() < 64, `${observer.temperature()}`);
});

t.test(
  'the covariance stays symmetric and positive through long silence and garbage',
  async (t) => {
    const random = createRandom(7);
    const observer = createObserver();
    for (let s = 0; s < 20_000; s += 1) {
      observer.advance(random.next() * 2, random.next() * 4, random.next() < 0.01 ? 5000 : 1);
      if (random.next() < 0.7) observer.correct(random.between(-40, 125), 0.2, random.next() < 0.5);
    }
    observer.covariance.forEach((row, i) => {
      t.ok((row[i] ?? -1) >= 0);
      row.forEach((value, j) => {
        t.ok(Number.isFinite(value));
        t.ok(Math.abs(value - (observer.covariance[j]?.[i] ?? 0)) < 1e-6 * (1 + Math.abs(value)));
      });
    });
    t.ok(Number.isFinite(observer.temperature()));
  },
);

t.test('only a whole state is taken', async (t) => {
  const state = createObserver().state();
  t.ok(isObserverState(JSON.parse(JSON.stringify(state))));
  t.notOk(isObserverState({ ...state, own: [1, 2] }));
  t.notOk(isObserverState({ ...state, covariance: [[1]] }));
  t.notOk(isObserverState({ ...state, foreign: ['a', 0, 0] }));
  t.notOk(isObserverState(null));
});

t.test(
  'the largest viable load is one from which the worst neighbour can be survived',
  async (t) => {
    const gains = [6, 20, 18];
    const observer = createObserver();
    const board = linearBoard(gains, 40);
    for (let s = 0; s < 3600; s += 1) {
      const load = s % 200 < 100 ? 0.6 : 0.2;
      observer.advance(load, 0, 1);
      observer.correct(board.step(load), 0.2, true);
    }
    const worst = { load: 0.9, forS: 60, thenLoad: 0, driftC: 0 };
    const most = viableLoad(observer, 70, worst);
    const peak = (load: number) => {
      const copy = createObserver(JSON.parse(JSON.stringify(observer.state())), 0);
      copy.reset(observer.temperature());
      let top = 0;
      for (let s = 0; s < 60; s += 1) {
        copy.advance(s < 2 ? load : 0, 0.9, 1);
        top = Math.max(top, copy.temperature());
      }
      return top;
    };
    t.ok(Number.isFinite(most));
    t.ok(peak(Math.max(0, most)) <= 70.3 || most < 0, `${peak(most)} °C at ${most}`);
    t.ok(viableLoad(observer, 85, worst) > most, 'more room, more load');
    t.ok(viableLoad(observer, 70, { ...worst, driftC: -4 }) > most, 'a fan that is known');
    t.ok(viableLoad(observer, 70, { ...worst, load: 0.3 }) > most, 'a smaller neighbour');
  },
);
