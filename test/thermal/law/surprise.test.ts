import t from 'tap';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { createSurprise } from '#mobilenetd/thermal/law/surprise.js';

t.test('noise is no surprise, a lasting side is', (t) => {
  const random = createRandom(9);
  const surprise = createSurprise();
  let doubted = 0;
  for (let s = 0; s < 1000; s += 1)
    if (surprise.update(0.3 * random.normal(), 0.3) > 0) doubted += 1;
  t.ok(doubted < 60, `${doubted} of 1000`);
  const lasting = createSurprise();
  let last = 0;
  for (let s = 0; s < 10; s += 1) last = lasting.update(1, 0.3);
  t.ok(last > 0.5, `${last} °C²`);
  t.end();
});

t.test('a rise matters sooner than a fall', (t) => {
  const first = (sign: number) => {
    const surprise = createSurprise();
    for (let s = 1; s < 100; s += 1) if (surprise.update(sign * 0.5, 0.4) > 0) return s;
    return 100;
  };
  t.ok(first(1) < first(-1), `${first(1)} ${first(-1)}`);
  t.end();
});
