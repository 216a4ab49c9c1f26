import t from 'tap';
import { createWarmth } from '#mobilenetd/thermal/law/warmth.js';

t.test('warm is what heat has limited, until it has been cool for ten minutes', (t) => {
  const { update } = createWarmth();
  t.notOk(update(null, Number.NaN, 1));
  t.notOk(update('full', 3, 1));
  t.notOk(update('fault', 0, 1), 'a sensor that fails is no heat');
  t.ok(update('limited', 0, 1));
  for (let s = 0; s < 3600; s += 1) t.ok(update('full', 3, 1), 'near its target');
  for (let s = 1; s < 600; s += 1) t.ok(update('full', 8, 1));
  t.notOk(update('full', 8, 1));
  t.ok(update('emergency', 0, 1));
  update('full', 8, 500);
  update('full', 4, 1);
  t.ok(update('full', 8, 500), 'the time starts over');
  t.end();
});
