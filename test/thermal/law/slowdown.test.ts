import t from 'tap';
import { createSlowdown } from '#mobilenetd/thermal/law/slowdown.js';

t.test('slower is believed soon, faster later, nonsense never', (t) => {
  const slowdown = createSlowdown();
  slowdown.update(null);
  t.equal(slowdown.value, 1);
  slowdown.update(2);
  t.equal(slowdown.value, 1.5);
  slowdown.update(1);
  t.equal(slowdown.value, 1.4);
  for (let s = 0; s < 50; s += 1) slowdown.update(100);
  t.ok(slowdown.value <= 4);
  for (let s = 0; s < 90; s += 1) slowdown.update(0);
  t.ok(slowdown.value >= 0.8);
  t.end();
});
