import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createLog } from '#mobilenetd/daemon/diagnostics/log.js';
import type { FormCost } from '#mobilenetd/profile/costs.js';
import {
  chooseVariant,
  filesOf,
  type ProfileBoard,
  profileOf,
  readProfiles,
  referenceFor,
  scaleOf,
  thisBoard,
  type VariantForms,
  type VariantProfile,
  writeProfiles,
} from '#mobilenetd/profile/profiles.js';
import {
  measureForms,
  type ProfilingOptions,
  startProfiling,
  threadCounts,
} from '#mobilenetd/profile/profiling.js';
import type { ScoreScale } from '#mobilenetd/profile/scale.js';
import { classifierVariant } from '../inference/tiny-models.js';

async function folderFor(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-profiling-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const board = thisBoard(null);

async function formsIn(folder: string, name: string): Promise<VariantForms> {
  const exact = await classifierVariant(folder, name);
  return [exact, { ...exact, form: 'reduced' }];
}

function cost(form: 'exact' | 'reduced', ms: number): FormCost {
  const counts = { pictures: 1, decisive: 1, matched: 1, extra: 0, scoreChange: 0 };
  const times = { medianMs: ms, minMs: ms, quietMs: ms, cpuMs: ms };
  return { form, threads: 1, ...times, agreement: { ...counts, agrees: true } };
}

function profileFor(forms: VariantForms): VariantProfile {
  const costs = [cost('exact', 4), cost('reduced', 2)];
  const scale = scaleFor(forms, 1);
  return { measured: '2026-01-01T00:00:00.000Z', files: filesOf(forms), costs, scale };
}

function scaleFor([{ name, sha256 }]: VariantForms, temperature: number): ScoreScale {
  return { temperature, reference: name, file: sha256, pairs: 9, apart: 0.2, apartWith: 0.1 };
}

const NONE = { pictures: [], scalePictures: [] };

t.test('a profile holds for one board, one runtime and just these files', async (t) => {
  const folder = await folderFor(t);
  const forms = await formsIn(folder, 'colours');
  const [exact] = forms;
  t.strictSame(await readProfiles(folder, board), { board, variants: {} });
  await writeProfiles(folder, { board, variants: { colours: profileFor(forms) } });
  const profiles = await readProfiles(folder, board);
  t.ok(profileOf(profiles, forms));
  const wanted = { form: 'auto', threads: 'auto' } as const;
  const { variant, cost: chosen } = chooseVariant(exact, forms, profiles, wanted);
  t.match(variant, { name: 'colours', form: 'reduced', threads: 1 });
  t.equal(chosen?.minMs, 2);
  t.match(chooseVariant(exact, forms, profiles, { ...wanted, form: 'exact' }).variant, {
    form: 'exact',
    threads: 1,
  });

  const changed: Partial<ProfileBoard>[] = [
    { onnxruntime: '9.9.9' },
    { model: 'Raspberry Pi 4 Model B' },
    { cores: 64 },
    { processor: 'another' },
    { features: [] },
  ];
  for (const change of changed) {
    t.strictSame(
      (await readProfiles(folder, { ...board, ...change })).variants,
      {},
      `${Object.keys(change)}`,
    );
  }
  const replaced: VariantForms = [{ ...exact, sha256: '0'.repeat(64) }, ...forms.slice(1)];
  t.equal(profileOf(profiles, replaced), null, 'the model was installed again');
  t.equal(profileOf(profiles, [exact]), null, 'a form is gone');
  t.equal(chooseVariant(exact, replaced, profiles, wanted).variant, exact, 'as it was');
  const good = await readFile(join(folder, 'profile.json'), 'utf8');
  for (const text of ['', '{', 'null', '[]', '{"schema":1}', good.replace('"quietMs"', '"x"')]) {
    await writeFile(join(folder, 'profile.json'), text);
    t.strictSame((await readProfiles(folder, board)).variants, {}, text.slice(0, 20));
  }
});

t.test('thread counts worth a try', async (t) => {
  t.strictSame(threadCounts(1), [1]);
  t.strictSame(threadCounts(2), [1]);
  t.strictSame(threadCounts(4), [1, 2, 3]);
  t.strictSame(threadCounts(16), [1, 2, 3]);
});

interface Stage extends Partial<ProfilingOptions> {
  readonly variants: readonly VariantForms[];
}

function start(t: Test, stateDir: string, { variants, ...rest }: Stage) {
  const profiling = startProfiling({
    stateDir,
    board,
    forms: async () => variants,
    referenceOf: (forms) => forms,
    measure: async (forms) => profileFor(forms),
    heat: async () => ({ tempC: 50, flags: null, cpuUtil: null }),
    limitC: () => 80,
    onMeasured: async () => {},
    log: createLog({ level: 'silent', format: 'json', destination: new PassThrough() }),
    delayMs: 0,
    pollMs: 1,
    ...rest,
  });
  t.teardown(() => profiling.stop());
  return profiling;
}

t.test(
  'scores are held against the largest installed variant, anew when there is another',
  async (t) => {
    const folder = await folderFor(t);
    const named = async (name: string, multAdds: number): Promise<VariantForms> => {
      const variant = await classifierVariant(folder, name, undefined, { multAdds });
      return [variant, { ...variant, form: 'reduced' }];
    };
    const [small, large] = [await named('small', 1), await named('large', 50)];
    const stranger: VariantForms = [
      { ...(await named('stranger', 99))[0], labels: ['one', 'two', 'three'] },
    ];
    const installed = [small, stranger, large];
    t.equal(referenceFor(small, installed), large);
    t.equal(referenceFor(large, installed), large);
    t.equal(referenceFor(stranger, installed), stranger);
    const profile = { ...profileFor(small), scale: scaleFor(large, 1.3) };
    const profiles = { board, variants: { small: profile } };
    t.equal(scaleOf(profiles, small, large)?.temperature, 1.3);
    t.equal(scaleOf(profiles, small, small), null, 'another reference');
    t.equal(scaleOf(profiles, large, large), null, 'nothing was measured');
    const { scale: _, ...older } = profile;
    t.equal(scaleOf({ board, variants: { small: older } }, small, large), null, 'an older profile');

    await writeProfiles(folder, { board, variants: { small: older, large: profileFor(large) } });
    const measured: string[] = [];
    await start(t, folder, {
      variants: [small, large],
      referenceOf: (forms) => referenceFor(forms, installed),
      measure: async (forms) => {
        measured.push(forms[0].name);
        return { ...profileFor(forms), scale: scaleFor(large, 1.3) };
      },
    }).done;
    t.strictSame(measured, ['small']);
  },
);

t.test('only what has no profile is measured, one after the other', async (t) => {
  const folder = await folderFor(t);
  const variants = [await formsIn(folder, 'one'), await formsIn(folder, 'two')];
  const [one] = variants;
  if (one === undefined) throw new Error('no variant');
  await writeProfiles(folder, { board, variants: { one: profileFor(one) } });
  const measured: string[] = [];
  let told = 0;
  const stage: Stage = {
    variants,
    measure: async (forms) => {
      measured.push(forms[0].name);
      return profileFor(forms);
    },
    onMeasured: async ({ variants: all }) => {
      told += 1;
      t.strictSame(Object.keys(all).sort(), ['one', 'two']);
    },
  };
  await start(t, folder, stage).done;
  t.strictSame(measured, ['two']);
  t.equal(told, 1);
  await start(t, folder, stage).done;
  t.strictSame(measured, ['two'], 'the next start finds both');
  t.equal(told, 1);
});

t.test('one that fails is left out', async (t) => {
  const folder = await folderFor(t);
  const variants = [await formsIn(folder, 'bad'), await formsIn(folder, 'good')];
  const measure: ProfilingOptions['measure'] = async (forms) => {
    if (forms[0].name === 'bad') throw new Error('does not load');
    return profileFor(forms);
  };
  await start(t, folder, { variants, measure }).done;
  t.strictSame(Object.keys((await readProfiles(folder, board)).variants), ['good']);
});

t.test('a hot board waits, and a measurement that heats it begins again', async (t) => {
  const folder = await folderFor(t);
  const variants = [await formsIn(folder, 'one')];
  let tempC = 75;
  let attempts = 0;
  const profiling = start(t, folder, {
    variants,
    heat: async () => ({ tempC, flags: null, cpuUtil: null }),
    measure: async (forms, signal) => {
      attempts += 1;
      if (attempts > 1) return profileFor(forms);
      tempC = 76;
      // A process that is killed, as a measurement's is.
      await delay(60_000, undefined, { signal });
      throw new Error('not reached');
    },
  });
  await delay(30);
  t.equal(attempts, 0, 'within 10 °C of the limit nothing begins');
  tempC = 69;
  while (attempts < 1) await delay(1);
  await delay(30);
  t.equal(attempts, 1, 'given up, and not begun again while it is hot');
  tempC = 60;
  await profiling.done;
  t.equal(attempts, 2);
});

t.test('a measurement waits for memory, and ends before the daemon has none left', async (t) => {
  const folder = await folderFor(t);
  const variants = [await formsIn(folder, 'one')];
  let room = 200e6;
  let attempts = 0;
  const lines = new PassThrough();
  const profiling = start(t, folder, {
    variants,
    room: () => room,
    log: createLog({ level: 'info', format: 'json', destination: lines }),
    measure: async (forms, signal) => {
      attempts += 1;
      if (attempts > 1) return profileFor(forms);
      room = 50e6;
      await delay(60_000, undefined, { signal });
      throw new Error('not reached');
    },
  });
  await delay(30);
  t.equal(attempts, 0, 'with less than 300 MB nothing begins');
  room = 300e6;
  while (attempts < 1) await delay(1);
  await delay(30);
  t.equal(attempts, 1, 'given up, and not begun again while memory is short');
  room = 400e6;
  await profiling.done;
  t.equal(attempts, 2);
  const text = String(lines.read());
  t.equal(text.match(/waits until 300 MB/g)?.length, 1, 'said once');
  t.match(text, /memory is short; trying again/);
});

t.test('it stops at once, whatever it does', async (t) => {
  const folder = await folderFor(t);
  const forms = await formsIn(folder, 'one');
  const waiting = start(t, folder, { variants: [forms], delayMs: 60_000 });
  await waiting.stop();
  const hot = start(t, folder, {
    variants: [forms],
    heat: async () => ({ tempC: 90, flags: null, cpuUtil: null }),
    pollMs: 60_000,
  });
  await delay(10);
  await hot.stop();

  let begun = false;
  const measuring = start(t, folder, {
    variants: [forms],
    measure: (variant, signal) => {
      begun = true;
      // Longer than any test: only the end of its process ends it.
      return measureForms(variant, {
        threads: [1],
        ...NONE,
        reference: forms,
        rounds: 1_000_000,
        background: true,
        signal,
      });
    },
  });
  while (!begun) await delay(1);
  await measuring.stop();
  t.strictSame((await readProfiles(folder, board)).variants, {});
});

t.test('a process of its own measures real files, on pictures that it makes', async (t) => {
  const folder = await folderFor(t);
  const forms = await formsIn(folder, 'colours');
  const options = { threads: [1], reference: forms, rounds: 1, background: true };
  const { costs, files, scale } = await measureForms(forms, options);
  t.strictSame(
    costs.map(({ form }) => form),
    ['exact', 'reduced'],
  );
  t.strictSame(files, filesOf(forms));
  const [exact] = forms;
  t.match(scale, { temperature: 1, reference: 'colours', file: exact.sha256 });
  await t.rejects(
    measureForms([{ ...exact, file: join(folder, 'none') }], { ...options, ...NONE }),
    {
      code: 'MND_MODEL_MISSING',
    },
  );
});
