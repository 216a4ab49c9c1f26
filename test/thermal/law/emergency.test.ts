import t from 'tap';
import { createEmergency } from '#mobilenetd/thermal/law/emergency.js';

const HOT = { hot: true, cool: false, ours: true };
const COOL = { hot: false, cool: true, ours: true };

t.test('holds for three seconds at least, ends when cool', (t) => {
  const e = createEmergency();
  t.equal(e.update(COOL, 1), false);
  t.equal(e.update(HOT, 1), true);
  t.same([e.update(COOL, 1), e.update(COOL, 1), e.update(COOL, 1)], [true, true, false]);
  t.end();
});

t.test('the rate halves after a second and every five more, down to a 64th', (t) => {
  const e = createEmergency();
  const rates: number[] = [];
  for (let s = 0; s < 60; s += 1) {
    e.update(HOT, 1);
    rates.push(e.rate);
  }
  t.same([rates[0], rates[1], rates[5], rates[6]], [1, 0.5, 0.5, 0.25]);
  t.equal(rates.at(-1), 1 / 64);
  t.end();
});

t.test('what our own load caused keeps more distance, at most 2 °C, and is forgotten', (t) => {
  const e = createEmergency();
  e.update({ ...HOT, ours: false }, 1);
  t.equal(e.guardC, 0);
  for (let n = 0; n < 9; n += 1) {
    for (let s = 0; s < 70; s += 1) e.update(COOL, 1);
    e.update(HOT, 1);
  }
  t.ok(e.guardC > 1 && e.guardC <= 2, `${e.guardC}`);
  for (let s = 0; s < 3600; s += 1) e.update(COOL, 1);
  t.ok(e.guardC < 0.05);
  t.equal(createEmergency(50).guardC, 2, 'a restored one is bounded');
  t.end();
});
