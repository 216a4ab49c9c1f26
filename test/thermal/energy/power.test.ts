import t from 'tap';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { knownPower, PowerLine } from '#mobilenetd/thermal/energy/power.js';

t.test('power is known of Raspberry Pis by their model, and of nothing else', (t) => {
  t.same(knownPower('Raspberry Pi 4 Model B Rev 1.4'), { idleW: 2.1, fullW: 6.4 });
  t.same(knownPower('Raspberry Pi Compute Module 4 Rev 1.0'), { idleW: 2.1, fullW: 6.4 });
  t.same(knownPower('Raspberry Pi 5 Model B Rev 1.0'), { idleW: 2.7, fullW: 8 });
  t.same(knownPower('Raspberry Pi 3 Model B Plus Rev 1.3'), { idleW: 1.9, fullW: 5 });
  t.equal(knownPower('Radxa ROCK 5B'), null);
  t.equal(knownPower(null), null);
  t.end();
});

t.test('without a sensor the line is what was given', (t) => {
  const line = new PowerLine({ idleW: 2, fullW: 6 });
  const at = (cpuUtil: number) => line.take({ dtS: 1, cpuUtil, watts: null });
  t.same([at(0), at(0.5), at(1)], [2, 4, 6]);
  t.end();
});

t.test('a sensor teaches the board’s own line, through noise', (t) => {
  const random = createRandom(3);
  const line = new PowerLine({ idleW: 2, fullW: 6 });
  for (let s = 0; s < 1800; s += 1) {
    const cpuUtil = s % 60 < 30 ? 0.2 : 0.7;
    const watts = 3.1 + 2.4 * cpuUtil + random.normal() * 0.2;
    t.equal(line.take({ dtS: 1, cpuUtil, watts }), watts);
  }
  t.ok(Math.abs(line.idleW - 3.1) < 0.1, `${line.idleW} W idle`);
  t.ok(Math.abs(line.slopeW - 2.4) < 0.2, `${line.slopeW} W a busy CPU`);
  t.end();
});

t.test('an even load teaches the level, and keeps the slope that was given', (t) => {
  const line = new PowerLine({ idleW: 2, fullW: 6 });
  for (let s = 0; s < 600; s += 1) line.take({ dtS: 1, cpuUtil: 0.5, watts: 5 });
  t.equal(line.slopeW, 4);
  t.ok(Math.abs(line.idleW - 3) < 1e-6, `${line.idleW}`);
  t.end();
});
