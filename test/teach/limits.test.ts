import t from 'tap';
import { limitsOf, shareOf } from '#mobilenetd/teach/limits.js';
import { openSetThreshold } from '#mobilenetd/teach/open-set.js';
import { normal, random } from './things.js';

/** Scores of some pictures by labels of which each has its own mean and width; pictures have something in common. */
function told(labels: number, pictures: number, seed: number): Float64Array[] {
  const next = random(seed);
  const common = Float64Array.from({ length: pictures }, () => normal(next));
  return Array.from({ length: labels }, (_, label) =>
    common.map((own) => label + (1 + (label % 3)) * (0.5 * own + normal(next))),
  );
}

for (const labels of [1, 2, 10]) {
  t.test(`one of a thousand pictures is given one of ${labels} labels at most`, (t) => {
    const fresh = told(labels, 40_000, 99);
    let passed = 0;
    const rounds = 20;
    for (let seed = 1; seed <= rounds; seed += 1) {
      const limits = limitsOf(told(labels, 420, seed));
      const given = fresh[0]?.filter((_, picture) =>
        limits.some((limit, label) => (fresh[label]?.[picture] as number) > limit),
      );
      passed += (given?.length ?? 0) / 40_000 / rounds;
    }
    t.ok(passed < 0.001, `${passed}`);
    t.ok(passed > 0.00002, `${passed}: nor are they out of reach`);
    t.end();
  });
}

t.test('a label alone has its own limit, and no pictures give none', (t) => {
  const [scores] = told(1, 300, 5);
  const [limit] = limitsOf([scores as Float64Array]);
  t.equal(limit, openSetThreshold(scores as Float64Array, shareOf(1)));
  t.same(limitsOf([Float64Array.of(), Float64Array.of()]), [
    Number.NEGATIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
  const same = new Float64Array(50).fill(2);
  t.ok(limitsOf([same, same]).every((limit) => limit >= 2 && limit < 2.001));
  t.end();
});
