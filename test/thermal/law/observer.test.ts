import t from 'tap';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { createObserver } from '#mobilenetd/thermal/law/observer.js';
import { isObserverState } from '#mobilenetd/thermal/law/observer-state.js';
import { linearBoard } from '../linear-board.js';

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
