import t from 'tap';
import type { Agreement } from '#mobilenetd/inference/agreement.js';
import type { NumericForm, Variant } from '#mobilenetd/models/variant.js';
import type { FormCost } from '#mobilenetd/profile/costs.js';
import { type Profiles, thisBoard, type VariantForms } from '#mobilenetd/profile/profiles.js';
import { waysToRun } from '#mobilenetd/profile/ways.js';

const variant = (form: NumericForm) => ({ name: 'v', form, sha256: form }) as Variant;
const FORMS: VariantForms = [variant('exact'), variant('symmetric')];
const ANY = { form: 'auto', threads: 'auto' } as const;

function cost(form: NumericForm, threads: number, minMs: number, cpuMs: number): FormCost {
  const agreement = { agrees: true } as Agreement;
  return { form, threads, medianMs: 1.1 * minMs, minMs, quietMs: minMs, cpuMs, agreement };
}

function profiles(costs: readonly FormCost[]): Profiles {
  const files = { exact: 'exact', symmetric: 'symmetric' };
  return { board: thisBoard(null), variants: { v: { measured: '', files, costs } } };
}

const COSTS = [
  cost('exact', 1, 30, 33),
  cost('symmetric', 1, 20, 22),
  cost('symmetric', 2, 12, 24.2),
  cost('exact', 3, 11, 31),
  cost('symmetric', 3, 9, 27.5),
];

t.test('the fastest, and what takes less processor time with other threads', (t) => {
  const ways = waysToRun(FORMS, profiles(COSTS), ANY);
  t.same(
    ways.map(({ knob, costMs }) => [knob, costMs]),
    [
      ['symmetric, 3 threads', 9],
      ['symmetric, 1 thread', 20],
      ['symmetric, 2 threads', 12],
    ],
  );
  t.same(
    ways.map(({ cpuMs }) => Math.round(cpuMs)),
    [25, 20, 22],
    'of the quickest run, as the wall time is',
  );
  t.same([ways[1]?.variant.threads, ways[1]?.variant.form], [1, 'symmetric']);
  t.end();
});

t.test('what is asked for is not chosen', (t) => {
  t.same(waysToRun(FORMS, profiles(COSTS), { form: 'auto', threads: 2 }), []);
  const exact = waysToRun(FORMS, profiles(COSTS), { form: 'exact', threads: 'auto' });
  t.same(
    exact.map(({ knob }) => knob),
    ['exact, 3 threads'],
    'one thread of it takes no less',
  );
  t.same(waysToRun(FORMS, profiles([]), ANY), []);
  t.end();
});

t.test('a profile without processor times has no ways', (t) => {
  const without = COSTS.map((one) => ({ ...one, cpuMs: Number.NaN }));
  t.same(waysToRun(FORMS, profiles(without), ANY), []);
  t.end();
});
