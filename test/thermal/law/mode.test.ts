import t from 'tap';
import type { Trust, Verdict } from '#mobilenetd/thermal/law/faults.js';
import { isBlind, modeOf } from '#mobilenetd/thermal/law/mode.js';

const verdict = (trust: Trust) => ({ trust }) as Verdict;

t.test('the mode: by the sensor first, then by the heat', (t) => {
  const mode = (trust: Trust, inEmergency: boolean, full: boolean) =>
    modeOf({ verdict: verdict(trust), inEmergency }, full);
  t.equal(mode('good', false, true), 'full');
  t.equal(mode('good', false, false), 'limited');
  t.equal(mode('good', true, true), 'emergency');
  t.equal(mode('coasting', false, true), 'coasting');
  t.equal(mode('coasting', true, true), 'emergency');
  t.equal(mode('lost', false, true), 'fault');
  t.end();
});

t.test('blind: neither the sensor nor the model tells', (t) => {
  const blind = (estimateC: number | null, trust: Trust, acquainted: boolean) =>
    isBlind({ estimateC, verdict: verdict(trust), acquainted });
  t.equal(blind(null, 'good', true), true);
  t.equal(blind(60, 'lost', false), true);
  t.equal(blind(60, 'lost', true), false);
  t.equal(blind(60, 'good', false), false);
  t.end();
});
