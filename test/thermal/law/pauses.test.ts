import t from 'tap';
import { createPauses } from '#mobilenetd/thermal/law/pauses.js';

t.test('a pause is expected again, less and less', (t) => {
  const pauses = createPauses();
  t.equal(pauses.longestS, 1);
  pauses.update(5);
  t.equal(pauses.longestS, 5);
  for (let s = 0; s < 300; s += 1) pauses.update(1);
  t.ok(Math.abs(pauses.longestS - 4) < 0.01, `${pauses.longestS} five minutes later`);
  for (let s = 0; s < 3600; s += 1) pauses.update(0.5);
  t.equal(pauses.longestS, 1);
  t.end();
});
