import t from 'tap';
import { createCoolCapture } from '#mobilenetd/daemon/governor/cool-capture.js';
import type { Decision } from '#mobilenetd/thermal/sample.js';

function decision(temperatureC: number | null, mode: Decision['mode'], fps: number): Decision {
  return {
    rung: 0,
    fps,
    mix: { low: 0, high: 0, fraction: 1 },
    ways: { low: 0, high: 0 },
    reason: '',
    mode,
    fault: null,
    budget: 0.1,
    targetC: 78,
    temperatureC,
    headroomC: 0,
    headroomBudget: 0,
    undervoltage: false,
    savesEnergy: false,
    reliesOn: 'sensor',
    board: { gainC: [], timeConstantsS: [], gainErrorC: 0, foreignRatio: 1, knobs: {} },
  };
}

t.test('a minute below the floor turns to stills, five cool minutes turn back', (t) => {
  const { update } = createCoolCapture(1);
  const hot = decision(79, 'emergency', 0.5);
  for (let s = 0; s < 60; s += 1) t.equal(update(hot, s), false);
  t.equal(update(hot, 60), true);
  for (let s = 61; s < 361; s += 1) t.equal(update(decision(72, 'full', 0.02), s), true);
  t.equal(update(decision(72, 'full', 0.02), 361), false);
  t.end();
});

t.test('a moment that is not too hot starts the minute over', (t) => {
  const { update } = createCoolCapture(1);
  for (let s = 0; s < 600; s += 1) {
    const hot = decision(79, 'limited', 1);
    const fine = decision(77.5, 'limited', 1);
    t.equal(update(s % 50 === 0 ? fine : hot, s), false);
  }
  t.end();
});

t.test('a limited rung at a good rate is no reason, nor is a sensor that is silent', (t) => {
  const { update } = createCoolCapture(1);
  for (let s = 0; s < 200; s += 1) t.equal(update(decision(79, 'limited', 4), s), false);
  for (let s = 200; s < 400; s += 1) t.equal(update(decision(null, 'emergency', 1), s), false);
  t.end();
});
