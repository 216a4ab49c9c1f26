import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import type { Agreement } from '#mobilenetd/inference/agreement.js';
import { median } from '#mobilenetd/inference/median.js';
import type { NumericForm } from '#mobilenetd/models/variant.js';
import { bestCost, type FormCost, referenceForm } from '#mobilenetd/profile/costs.js';
import { profileForms } from '#mobilenetd/profile/measure.js';
import { classifierVariant, colourClassifier } from '../inference/tiny-models.js';

const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-profile-'));
t.teardown(() => rm(folder, { recursive: true }));

function picture(...colour: readonly number[]): Frame {
  const bytes = Uint8Array.from({ length: 8 * 8 * 3 }, (_, at) => colour[at % 3] ?? 0);
  const common = { sequence: 1, camera: 'probe', capturedAt: 0, time: 0 } as const;
  return { ...common, width: 8, height: 8, format: 'rgb24', range: 'full', bytes };
}

const pictures = [picture(200, 10, 10), picture(10, 220, 20), picture(0, 30, 240)];

t.test('median', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.ok(Number.isNaN(median([])));
});

t.test('real forms take turns, and one that answers otherwise is found out', async (t) => {
  const exact = await classifierVariant(folder, 'colours');
  const same = { ...exact, form: 'symmetric' } as const;
  // The same pixels, seen with half the weight: other scores.
  const faint = await classifierVariant(folder, 'faint', colourClassifier(), {
    form: 'reduced',
    head: {
      kind: 'classifier',
      classes: 3,
      logits: { name: 'logits', type: 'uint8', scale: 0.002, zeroPoint: 0 },
    },
  });
  const variants = [exact, same, { ...faint, name: 'colours' }];
  const costs = await profileForms({ variants, threads: [2, 1], pictures, rounds: 2, rest: 0.2 });
  t.strictSame(
    costs.map(({ form, threads }) => `${form} ${threads}`),
    ['exact 2', 'symmetric 2', 'reduced 2', 'exact 1', 'symmetric 1', 'reduced 1'],
  );
  for (const { form, medianMs, minMs, quietMs, cpuMs, agreement } of costs) {
    t.ok(minMs > 0 && medianMs >= minMs && quietMs >= minMs && cpuMs > 0, form);
    t.equal(agreement.pictures, 3);
    t.equal(agreement.decisive, 3);
    t.equal(agreement.agrees, form !== 'reduced', form);
  }
  const missing = { ...exact, file: join(folder, 'none.onnx') };
  const request = { variants: [missing], threads: [1], pictures, rounds: 1, rest: 0 };
  await t.rejects(profileForms(request), { code: 'MND_MODEL_MISSING' });
  for (const wrong of [{ variants: [] }, { threads: [] }, { rounds: 0 }, { rest: 1 }]) {
    await t.rejects(profileForms({ ...request, ...wrong }), { code: 'MND_INTERNAL' });
  }
});

function cost(form: NumericForm, threads: number, ms: number, agrees = true): FormCost {
  const agreement: Agreement = {
    pictures: 1,
    decisive: 1,
    matched: 1,
    extra: 0,
    scoreChange: 0,
    agrees,
  };
  return { form, threads, medianMs: ms, minMs: ms, quietMs: ms, cpuMs: ms * threads, agreement };
}

t.test('the fastest that agrees; a gain below 3 % is none', async (t) => {
  const best = (costs: FormCost[], form: 'auto' | NumericForm, threads: 'auto' | number) => {
    const found = bestCost(costs, { form, threads });
    return found && `${found.form} ${found.threads}`;
  };
  const costs = [
    cost('float32', 1, 12),
    cost('reduced', 1, 7.9),
    cost('symmetric', 1, 8),
    cost('exact', 1, 10),
    cost('exact', 2, 6),
    cost('symmetric', 2, 5, false),
  ];
  t.equal(best(costs, 'auto', 'auto'), 'exact 2');
  t.equal(best(costs, 'auto', 1), 'symmetric 1', 'reduced gains next to nothing over it');
  t.equal(best(costs, 'symmetric', 'auto'), 'symmetric 2', 'who asks for it gets it');
  t.equal(best(costs, 'exact', 1), 'exact 1');
  t.equal(best(costs, 'auto', 3), null);
  t.equal(best([], 'auto', 'auto'), null);
});

t.test('what the others are held against', async (t) => {
  t.equal(referenceForm(['float32', 'symmetric', 'exact']), 'exact');
  t.equal(referenceForm(['reduced', 'symmetric', 'float32']), 'float32', 'of a float network');
  t.equal(referenceForm(['reduced', 'symmetric']), 'symmetric');
  t.equal(referenceForm([]), null);
});
