import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeFolder } from '#mobilenetd/make-folder.js';
import { createStaging } from '#mobilenetd/models/install/staging.js';

t.test('makes what is missing, and leaves what is there', async (t) => {
  const folder = t.testdir();
  const deep = join(folder, 'a/b/c');
  makeFolder(deep, 0o700);
  t.equal(statSync(deep).mode & 0o777, 0o700);
  makeFolder(deep);
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  makeFolder(join(folder, 'link'));
  makeFolder(join(folder, 'link/below'));
  t.ok(statSync(join(folder, 'real/below')).isDirectory());
});

t.test('whoever makes the state folder, nobody else can look into it', async (t) => {
  const state = join(t.testdir(), 'var/lib');
  await createStaging(join(state, 'models'), 'some');
  for (const made of ['..', '.', 'models']) {
    t.equal(statSync(join(state, made)).mode & 0o777, 0o700, made);
  }
});

t.test('says why a folder cannot be made', async (t) => {
  const folder = t.testdir();
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'dangling'));
  t.throws(() => makeFolder(join(folder, 'file')), { code: 'EEXIST' });
  t.throws(() => makeFolder(join(folder, 'file/below')), { code: 'ENOTDIR' });
  t.throws(() => makeFolder(join(folder, 'dangling')), { code: 'EEXIST' });
  // With Node 20's own `recursive` this never returns.
  t.throws(() => makeFolder('/proc/mobilenetd/below'), { code: 'ENOENT' });
});
