import { spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { fileEntry, sampleShelf, tinyEntry, tinyModel } from '../models/sample-shelf.js';

const SCRIPT = fileURLToPath(new URL('../models/install-and-die.js', import.meta.url));
const SYMMETRIC = { task: 'classify', name: 'tiny', form: 'symmetric' } as const;
const REQUEST = { task: 'classify', name: 'auto', form: 'auto' } as const;

async function scene(t: Parameters<typeof sampleShelf>[0]) {
  const sample = await sampleShelf(t, [tinyEntry({}, { forms: ['exact'] })]);
  const catalog = JSON.parse(await readFile(sample.catalogFile, 'utf8'));
  catalog.models[0] = await fileEntry(sample.root, tinyModel(), { forms: ['exact'] });
  await writeFile(sample.catalogFile, JSON.stringify(catalog));
  const { dir, catalogFile } = sample;
  return {
    dir,
    die: (step: string) => {
      const { signal, stderr } = spawnSync(process.execPath, [SCRIPT, dir, catalogFile, step]);
      return signal ?? String(stderr);
    },
    // As after a restart: nothing is remembered.
    shelf: () => openShelf({ dir, catalogFile, mirror: null, env: {} }),
  };
}

t.test('killed while a first installation is under way', async (t) => {
  for (const step of ['fetched', 'converted', 'verified', 'written']) {
    const { dir, die, shelf } = await scene(t);
    t.equal(die(step), 'SIGKILL');
    t.equal((await readdir(dir)).length, 1, `${step}: something was left behind`);
    await t.rejects(shelf().resolve(REQUEST), { code: 'MND_MODEL_MISSING' });
    t.strictSame(await readdir(dir), [], `${step}: and is swept at the next start`);
  }
});

t.test('killed while a model is replaced', async (t) => {
  const { dir, die, shelf } = await scene(t);
  await shelf().pull(['tiny']);
  t.equal(die('written'), 'SIGKILL');
  await t.rejects(
    shelf().resolve(SYMMETRIC),
    { code: 'MND_MODEL_MISSING' },
    'the old one is there',
  );
  t.equal((await shelf().resolve(REQUEST)).form, 'exact');
  t.strictSame(await readdir(dir), ['tiny']);
  t.equal(die('committed'), 'SIGKILL');
  t.equal((await shelf().resolve(SYMMETRIC)).form, 'symmetric', 'the new one is there');
  t.strictSame(await readdir(dir), ['tiny']);
});
