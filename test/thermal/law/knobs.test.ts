import t from 'tap';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { createOwnLoad } from '#mobilenetd/thermal/law/knobs.js';
import { createObserver } from '#mobilenetd/thermal/law/observer.js';
import { isObserverState } from '#mobilenetd/thermal/law/observer-state.js';
import { linearBoard } from '../linear-board.js';

/** What is learnt of a knob that heats `factor` times what its processor time says, in two hours. */
function learnt(factor: number, restore?: ReturnType<typeof known>) {
  return known(factor, restore).factors[0] ?? Number.NaN;
}

function known(factor: number, restore?: ReturnType<typeof createObserver>) {
  const board = linearBoard([14, 30, 12], 40);
  const random = createRandom(3);
  const observer = createObserver(restore?.state(), 0, ['1 thread']);
  for (let s = 0; s < 7200; s += 1) {
    const load = s % 340 < 170 ? 0.5 : 0.3;
    const other = s > 1800 && s % 1200 < 600 ? load : 0;
    const truth = board.step(load - other + factor * other);
    observer.advance(load, 0, 1, [other]);
    observer.correct(Math.round((truth + 0.2 * random.normal()) * 2) / 2, 0.25, true);
  }
  return observer;
}

t.test('what a knob heats is learnt from what follows when it changes', (t) => {
  for (const factor of [0.7, 1, 1.35]) {
    const found = learnt(factor);
    t.ok(Math.abs(found - factor) < 0.12, `${factor}: ${found.toFixed(2)}`);
  }
  t.end();
});

t.test('and is kept: it comes back with the board, within its bounds', (t) => {
  const state = JSON.parse(JSON.stringify(known(0.7).state()));
  t.ok(isObserverState(state));
  t.equal(state.covariance.length, 6, 'an earlier version reads it, too');
  const again = createObserver(state, 0, ['1 thread', '2 threads']);
  t.ok(Math.abs((again.factors[0] ?? 0) - 0.7) < 0.12);
  t.equal(again.factors[1], 1, 'what was never seen is as its processor time says');
  t.equal(createObserver(state, 0).factors.length, 0);
  const wild = { ...state, knobs: { '1 thread': { factor: 40, error: 1 } } };
  t.equal(createObserver(wild, 0, ['1 thread']).factors[0], 2);
  t.notOk(isObserverState({ ...state, knobs: { x: { factor: null, error: 1 } } }));
  t.notOk(isObserverState({ ...state, knobs: { x: null } }));
  t.end();
});

t.test('a knob that is not used is tried anew some day', (t) => {
  const observer = createObserver(undefined, 0, ['1 thread']);
  const state = { ...observer.state(), knobs: { '1 thread': { factor: 1.6, error: 0.1 } } };
  const later = createObserver(state, 0, ['1 thread']);
  for (let hour = 0; hour < 12; hour += 1) later.advance(0.3, 0, 3600, [0]);
  const factor = later.factors[0] ?? 0;
  t.ok(factor > 1.02 && factor < 1.15, `${factor}`);
  t.end();
});

t.test('filters are weighed by the factors of now', (t) => {
  const load = createOwnLoad([0, 0], 1);
  load.advance(0.5, [0.2], [1, 0.5]);
  load.weigh([2]);
  t.same(
    load.heats.map((heat) => Math.round(heat * 1e6) / 1e6),
    [0.7, 0.35],
  );
  t.same(load.slopes([10, 20]).map(Math.round), [4]);
  t.same(load.changes(), [true]);
  t.same(load.unused(), [false]);
  t.end();
});
