import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { claimPart, recoverParts, releasePart } from '#mobilenetd/models/fetch/part-file.js';
import { commit, createStaging, recover, retire } from '#mobilenetd/models/install/staging.js';
import { scratchFolder } from '../../scratch-folder.js';

/** A process number that is free: the greatest one Linux can give. */
const DEAD = 4_194_303;

const scratch = () => scratchFolder('staging');

async function folder(dir: string, name: string, content: string): Promise<void> {
  await mkdir(join(dir, name));
  await writeFile(join(dir, name, 'model.json'), content);
}

const contentOf = (dir: string, name: string) => readFile(join(dir, name, 'model.json'), 'utf8');

t.test('a new model, and one in the place of another', async (t) => {
  const dir = await scratch();
  for (const content of ['first', 'second']) {
    const staging = await createStaging(dir, 'cat');
    await writeFile(join(staging, 'model.json'), content);
    await commit(dir, staging, 'cat');
    t.equal(await contentOf(dir, 'cat'), content);
    t.strictSame(await readdir(dir), ['cat']);
  }
  await retire(dir, 'cat');
  t.strictSame(await readdir(dir), []);
});

t.test('when the new one cannot take its place, the old one stays', async (t) => {
  const dir = await scratch();
  await folder(dir, 'cat', 'old');
  const staging = await createStaging(dir, 'cat');
  await writeFile(join(staging, 'model.json'), 'new');
  const gone = join(dir, '.staging-cat-gone');
  await t.rejects(commit(dir, gone, 'cat'), { code: 'ENOENT' });
  t.equal(await contentOf(dir, 'cat'), 'old');
});

t.test('what dead processes left', async (t) => {
  const dir = await scratch();
  await folder(dir, `.staging-cat-${DEAD}-0123abcd-1`, 'half');
  await folder(dir, `.retired-dog-${DEAD}-0123abcd-1`, 'old dog');
  await folder(dir, `.retired-bird-${DEAD}-0123abcd-2`, 'old bird');
  await folder(dir, 'bird', 'new bird');
  await folder(
    dir,
    `.staging-fish-${process.pid}-00000000-1`,
    'of an earlier process of this number',
  );
  await folder(dir, '.staging-fish-1-0123abcd-1', 'of a living process');
  await folder(dir, '.other', 'of nobody');
  const own = await createStaging(dir, 'own');
  await recover(dir, Date.now());
  t.strictSame((await readdir(dir)).sort(), [
    '.other',
    '.staging-fish-1-0123abcd-1',
    own.slice(dir.length + 1),
    'bird',
    'dog',
  ]);
  t.equal(await contentOf(dir, 'dog'), 'old dog', 'a model whose successor never came is back');
  t.equal(await contentOf(dir, 'bird'), 'new bird');
  await recover(dir, Date.now() + 25 * 3600 * 1000);
  t.strictSame(
    (await readdir(dir)).sort(),
    ['.other', 'bird', 'dog'],
    'a day later nobody is waited for',
  );
  await recover(join(dir, 'none'), Date.now());
});

t.test('unfinished downloads', async (t) => {
  const dir = await scratch();
  const own = await claimPart(dir, 'a', process.pid);
  await writeFile(own, 'mine');
  await releasePart(dir, 'a', process.pid);
  t.strictSame(await readdir(dir), ['a.part']);
  const again = await claimPart(dir, 'a', process.pid);
  t.equal(await readFile(again, 'utf8'), 'mine');
  const other = await claimPart(dir, 'a', DEAD);
  t.not(other, again, 'the other process begins anew');
  await writeFile(other, 'theirs');
  await writeFile(join(dir, 'old.part'), 'old');
  await utimes(join(dir, 'old.part'), 0, 0);
  await recoverParts(dir, Date.now());
  t.strictSame((await readdir(dir)).sort(), [`a.${process.pid}.part`, 'a.part']);
  t.equal(await readFile(join(dir, 'a.part'), 'utf8'), 'theirs');
});
