import t from 'tap';
import { createProbe } from '#mobilenetd/thermal/law/probe.js';

const QUIET = { allowed: true, noisy: false };

t.test('after a minute the load dips; an answer ends it and buys a longer wait', (t) => {
  const probe = createProbe();
  t.equal(probe.update(59, QUIET, 1), 1);
  t.equal(probe.update(60, QUIET, 1), 0.97);
  for (let s = 61; s < 120; s += 1) probe.update(s, QUIET, 1);
  t.equal(probe.factor, 0.3, 'no deeper');
  probe.update(0, QUIET, 1);
  for (let s = 0; s < 30; s += 1) probe.update(1, QUIET, 1);
  t.equal(probe.factor, 1);
  t.equal(probe.update(89, QUIET, 1), 1, 'longer than the first time');
  t.ok(probe.update(90, QUIET, 1) < 1);
  t.end();
});

t.test('a noisy sensor buys nothing, and nothing is probed where it is not allowed', (t) => {
  const probe = createProbe();
  for (let n = 0; n < 3; n += 1) {
    t.ok(probe.update(60, { allowed: true, noisy: true }, 1) < 1);
    probe.update(0, { allowed: true, noisy: true }, 60);
  }
  t.equal(createProbe().update(500, { allowed: false, noisy: false }, 1), 1);
  t.end();
});
