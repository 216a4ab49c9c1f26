import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readSmallText } from '#mobilenetd/small-file.js';

t.test('a small file is read whole', async (t) => {
  const folder = t.testdir({ version: '1.2.3\n', empty: '' });
  t.equal(readSmallText(join(folder, 'version'), 6), '1.2.3\n');
  t.equal(readSmallText(join(folder, 'empty'), 6), '');
  t.match(
    readSmallText('/proc/self/stat', 4096),
    /^\d+ /,
    'the kernel says that its files are empty',
  );
});

t.test('what is no small file is refused, without reading on and without waiting', async (t) => {
  const folder = t.testdir({ folder: {} });
  const large = join(folder, 'large');
  writeFileSync(large, '');
  truncateSync(large, 1e12);
  t.throws(() => readSmallText(large, 1000), /larger than 1000 bytes/);
  t.throws(() => readSmallText('/dev/zero', 1000), /is no file/);
  t.throws(() => readSmallText(join(folder, 'folder'), 1000), /is no file|EISDIR/);
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  t.throws(() => readSmallText(pipe, 1000), /is no file/);
  t.throws(() => readSmallText(join(folder, 'none'), 1000), { code: 'ENOENT' });
});
