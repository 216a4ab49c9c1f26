import t from 'tap';
import { createStarving } from '#mobilenetd/thermal/law/starving.js';

t.test('starving: 0 with plenty, 1 below the floor, a minute in and seconds out', (t) => {
  const starving = createStarving();
  starving.update(0.5, 0.1, true, 1);
  t.equal(starving.value, 0);
  for (let s = 0; s < 30; s += 1) starving.update(0.05, 0.1, true, 1);
  t.ok(Math.abs(starving.value - 0.5) < 1e-9, `${starving.value} half way`);
  for (let s = 0; s < 60; s += 1) starving.update(0.05, 0.1, true, 1);
  t.equal(starving.value, 1);
  for (let s = 0; s < 15; s += 1) starving.update(0.05, 0.1, false, 1);
  t.ok(starving.value < 1e-9, 'a sensor in doubt ends it');
  t.end();
});
