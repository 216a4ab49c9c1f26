import t from 'tap';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { forecast, sustainableLoad, trend, viableLoad } from '#mobilenetd/thermal/law/forecast.js';
import { createObserver } from '#mobilenetd/thermal/law/observer.js';
import { linearBoard } from '../linear-board.js';

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

t.test('a neighbour that leaves leaves room, and the trend follows the load', async (t) => {
  const observer = createObserver();
  for (let s = 0; s < 600; s += 1) {
    observer.advance(0.2, 0.5, 1);
    observer.correct(60, 0.2, true);
  }
  const options = { load: 0.2, caution: 0 };
  const stays = { load: 0.5, forS: 300, thenLoad: 0.5, driftC: 0 };
  const leaves = { load: 0.5, forS: 20, thenLoad: 0, driftC: 0 };
  const withStay = sustainableLoad(observer, 70, { ...options, foreign: stays });
  t.ok(sustainableLoad(observer, 70, { ...options, foreign: leaves }) > withStay);
  t.ok(trend(observer, 1) > trend(observer, 0));
});
