import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { archivePictures } from '#mobilenetd/store/picture-archive.js';

t.test(
  'an archive has what is there, whole, with its time, and leaves out what has gone',
  async (t) => {
    const folder = t.testdir({ pictures: {}, out: {} });
    const pictures = join(folder, 'pictures');
    const archive = join(folder, 'pictures.tar');
    const sizes = [0, 1, 511, 512, 513, 100_000];
    const names = sizes.map((size) => {
      // As long as the id of an event may be.
      const name = `${'e'.repeat(58)}${String(size).padStart(6, '0')}.jpg`;
      writeFileSync(join(pictures, name), Buffer.alloc(size, size % 251));
      utimesSync(join(pictures, name), 1.7e9, 1.7e9);
      return name;
    });
    writeFileSync(archive, '');
    const asked = [names[0] ?? '', 'gone.jpg', ...names.slice(1), 'gone too.jpg'];
    t.equal(await archivePictures(archive, pictures, asked), sizes.length);
    execFileSync('tar', ['xf', archive, '-C', join(folder, 'out')]);
    t.same(readdirSync(join(folder, 'out')).sort(), [...names].sort());
    for (const name of names) {
      const [before, after] = [pictures, join(folder, 'out')].map((each) => join(each, name));
      t.ok(readFileSync(before ?? '').equals(readFileSync(after ?? '')), name);
      t.equal(statSync(after ?? '').mtimeMs, 1.7e12);
    }
    mkdirSync(join(pictures, 'folder.jpg'));
    writeFileSync(archive, '');
    await t.rejects(
      archivePictures(archive, pictures, ['folder.jpg']),
      /EISDIR/,
      'anything else is told',
    );
  },
);
