import t from 'tap';
import { createContradiction } from '#mobilenetd/thermal/law/contradiction.js';
import { decodeThrottled } from '#mobilenetd/thermal/throttle-flags.js';

t.test('only real heat, far from the limit, for two seconds', (t) => {
  const after = (flags: number, readingC: number | null, seconds: number) => {
    const c = createContradiction();
    let found = false;
    for (let s = 0; s < seconds; s += 1) {
      found = c.update(decodeThrottled(flags), { readingC, limitC: 80 }, 1);
    }
    return [c.suspected, found];
  };
  t.same(after(0b100, 60, 1), [true, false], 'a second is a suspicion');
  t.same(after(0b100, 60, 2), [true, true]);
  t.same(after(0b100, 75, 9), [false, false], 'it is hot');
  t.same(after(0b1000, 60, 9), [false, false], 'a soft limit is meant to be low');
  t.same(after(0b101, 60, 9), [false, false], 'a weak supply');
  t.same(after(0b100, null, 9), [false, false]);
  t.end();
});
