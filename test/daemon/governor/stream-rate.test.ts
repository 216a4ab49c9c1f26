import t from 'tap';
import { createStreamRate } from '#mobilenetd/daemon/governor/stream-rate.js';

/** Seconds of a mode, with this part labelled of what is delivered; returns when the part changed, and to what. */
function days() {
  const { update } = createStreamRate();
  let timeS = 0;
  let part = 1;
  return (seconds: number, mode: 'full' | 'limited' | 'fault', able: number) => {
    const changes: [atS: number, to: number][] = [];
    for (let s = 0; s < seconds; s += 1) {
      timeS += 1;
      const next = update({ mode }, Math.min(able, part), timeS);
      if (next !== part) changes.push([timeS, Math.round(100 * next) / 100]);
      part = next;
    }
    return changes;
  };
}

t.test('while heat leaves a part of the frames, little more is asked for', (t) => {
  const pass = days();
  t.same(pass(300, 'full', 1), []);
  const slowed = pass(900, 'limited', 0.2);
  t.equal(slowed.length, 1);
  const [[atS = 0, to = 0] = []] = slowed;
  t.ok(atS > 360 && atS < 600 && to > 0.29 && to < 0.51, `${slowed}`);
  t.same(pass(1200, 'limited', 0.9 * to), [], 'all of it is not labelled');
  const [[, back] = []] = pass(1200, 'limited', 1);
  t.equal(back, 1, 'more could be labelled than comes');
  t.end();
});

t.test('it has its rate again when nothing is in the way', (t) => {
  const pass = days();
  pass(900, 'limited', 0.2);
  t.match(pass(900, 'full', 0.2), [[Number, 1]]);
  t.end();
});

t.test('seldom: never twice in ten minutes, whatever the day is like', (t) => {
  const pass = days();
  const all = Array.from({ length: 40 }, (_, i) =>
    pass(150, i % 2 ? 'full' : 'limited', 0.1),
  ).flat();
  t.ok(all.length > 2, `${all.length} changes`);
  all.forEach(([atS], i) => {
    t.ok(i === 0 || atS - (all[i - 1]?.[0] ?? 0) >= 600);
  });
  t.end();
});

t.test('most of the frames, a cool board and a sensor that fails are no reasons', (t) => {
  t.same(days()(3600, 'limited', 0.6), []);
  t.same(days()(3600, 'full', 0.1), [], 'slow, but not for heat');
  t.same(days()(3600, 'fault', 0.1), []);
  t.end();
});
