import t from 'tap';
import { openSetThreshold } from '#mobilenetd/teach/open-set.js';
import { normal, random } from './things.js';

function scores(count: number, seed: number, one: (next: () => number) => number): Float64Array {
  const next = random(seed);
  return Float64Array.from({ length: count }, () => one(next));
}

const KINDS = {
  normal,
  exponential: (next: () => number) => -Math.log(1 - next()),
  bounded: (next: () => number) => next(),
};

for (const [kind, one] of Object.entries(KINDS)) {
  t.test(`one of a thousand ${kind} scores passes at most, from few scores and from many`, (t) => {
    const fresh = scores(50_000, 99, one);
    for (const count of [30, 100, 500, 5000]) {
      let passed = 0;
      const rounds = 80;
      for (let seed = 1; seed <= rounds; seed += 1) {
        const threshold = openSetThreshold(scores(count, seed, one));
        passed += fresh.filter((score) => score > threshold).length / fresh.length / rounds;
      }
      // Of the rounds' mean, which is what a board's owner may count on: single ones are above it.
      t.ok(passed < 0.002, `${count}: ${passed}`);
    }
    t.end();
  });
}

t.test('no score that was seen passes, unless there are thousands', (t) => {
  const few = scores(300, 5, normal);
  t.ok(openSetThreshold(few) >= Math.max(...few));
  const many = scores(3500, 5, normal);
  const threshold = openSetThreshold(many);
  t.equal(many.filter((score) => score > threshold).length, 3, '3 of 3500 may');
  t.equal(openSetThreshold(Float64Array.of()), Number.NEGATIVE_INFINITY);
  t.equal(openSetThreshold(Float64Array.of(0.5)), 0.5);
  t.equal(openSetThreshold(new Float64Array(50).fill(2)), 2);
  t.end();
});

t.test('a smaller share gives a higher threshold', (t) => {
  const seen = scores(400, 3, normal);
  t.ok(openSetThreshold(seen, 1e-4) > openSetThreshold(seen, 1e-3));
  t.end();
});
