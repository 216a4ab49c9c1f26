import t from 'tap';
import { createAcquaintance } from '#mobilenetd/thermal/law/acquaintance.js';

t.test('the model is good after five minutes of agreement', (t) => {
  const acquaintance = createAcquaintance();
  for (let s = 0; s < 299; s += 1) acquaintance.update(0.3, true, true, 1);
  t.notOk(acquaintance.good);
  acquaintance.update(0.3, true, true, 1);
  t.ok(acquaintance.good);
  for (let s = 0; s < 60; s += 1) acquaintance.update(3, true, true, 1);
  t.notOk(acquaintance.good, 'it is wrong again and again');
  const unknown = createAcquaintance();
  for (let s = 0; s < 900; s += 1) unknown.update(0.3, false, true, 1);
  t.notOk(unknown.good, 'the gains are not known');
  t.end();
});

t.test('what nobody sees grows by 36 °C an hour, and ends with the fault', (t) => {
  const acquaintance = createAcquaintance();
  for (let s = 0; s < 400; s += 1) acquaintance.update(0.3, true, true, 1);
  t.equal(acquaintance.doubtC, 0);
  for (let s = 0; s < 600; s += 1) acquaintance.update(null, true, false, 1);
  t.ok(acquaintance.good, 'as before the fault');
  t.ok(Math.abs(acquaintance.doubtC - 6.5) < 0.01, `${acquaintance.doubtC}`);
  acquaintance.update(0.3, true, true, 1);
  t.equal(acquaintance.doubtC, 0);
  t.end();
});
