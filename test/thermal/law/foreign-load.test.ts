import t from 'tap';
import { createForeignLoad, isForeignLoadState } from '#mobilenetd/thermal/law/foreign-load.js';

t.test('what is not ours is foreign, in units of our own full load', (t) => {
  const foreign = createForeignLoad();
  for (let s = 0; s < 120; s += 1) foreign.update(0.8 * 0.5, 0.5, 1);
  t.ok(foreign.update(0.4, 0.5, 1) < 0.05, 'alone');
  const seen = foreign.update(0.8, 0.5, 1);
  t.ok(Math.abs(seen - 0.4 / 0.8) < 0.05, `${seen}: half of what a full load takes`);
  t.end();
});

t.test('near is expected as it is now, far as it was on average', (t) => {
  const foreign = createForeignLoad();
  for (let s = 0; s < 300; s += 1) foreign.update(0.4, 0.5, 1);
  for (let s = 0; s < 6; s += 1) foreign.update(0.8, 0.5, 1);
  t.ok(foreign.forecast(5) > 0.4);
  t.ok(foreign.forecast(300) < 0.15);
  t.end();
});

t.test('utilisation that is not told is taken to be the usual', (t) => {
  const foreign = createForeignLoad();
  for (let s = 0; s < 600; s += 1) foreign.update(0.6, 0.5, 1);
  const usual = foreign.forecast(300);
  for (const unknown of [null, Number.NaN, -1, 7]) {
    t.ok(Math.abs(foreign.update(unknown, 0.5, 1) - usual) < 0.05);
  }
  t.end();
});

t.test('only a whole state is taken', (t) => {
  const state = createForeignLoad().state();
  t.ok(isForeignLoadState(JSON.parse(JSON.stringify(state))));
  t.notOk(isForeignLoadState({ ...state, means: [1] }));
  t.notOk(isForeignLoadState({ ...state, share: -1 }));
  t.notOk(isForeignLoadState(null));
  t.end();
});
