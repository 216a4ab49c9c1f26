import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requireWritable, resultFailed, writeResult } from '#mobilenetd/result-file.js';
import { scratchFolder } from './scratch-folder.js';

const FAILED = 'MND_OUTPUT_FAILED';

t.test('what cannot be written is told in words, with what helps', async (t) => {
  const folder = t.testdir({ file: '', there: {} });
  symlinkSync('circle', join(folder, 'circle'));
  for (const [name, message] of [
    ['none/a', /none\/a: .*found no folder .*\/none; make it/],
    ['none/deep/a', /found no folder .*\/none\/deep; make it/],
    ['file/a', /found .*\/file, which is no folder/],
    ['there', /found a folder of this name; name a file in it/],
    ['circle/a', /found links that lead in a circle/],
    ['x'.repeat(300), /found a name that is too long; names have at most 255 bytes/],
  ] as const) {
    const file = join(folder, name);
    t.throws(() => requireWritable(file), { code: FAILED, message });
    t.throws(() => writeResult(file, 'text'), { code: FAILED, message });
  }
  t.throws(() => writeResult('/dev/full', 'text'), { code: FAILED, message: /found a full disk/ });
  t.doesNotThrow(() => requireWritable('/dev/full'), 'a device is not tried');
  t.same(readdirSync(folder).sort(), ['circle', 'file', 'there'], 'nothing is left');
  for (const [code, message] of [
    ['EROFS', /a file system that can only be read/],
    ['EACCES', /no permission to write there/],
    ['EDQUOT', /a share of the disk that is used up/],
    ['SQLITE_FULL', /a full disk/],
    ['EIO', /found EIO: i\/o error; name a file in a folder that exists/],
  ] as const) {
    const cause = Object.assign(new Error('EIO: i/o error'), { code });
    t.match(resultFailed('/a/b', cause), { code: FAILED, message });
  }
  t.ok(resultFailed('y'.repeat(5000), new Error('')).message.length < 400, 'one line');
  const coded = resultFailed('/a/b', new Error('x'));
  t.equal(resultFailed('/c', coded), coded, 'what has a code keeps it');
});

t.test('a result is whole or not there; what was there stays', async (t) => {
  const folder = t.testdir({ there: 'precious', old: 'old' });
  chmodSync(join(folder, 'there'), 0o640);
  writeResult(join(folder, 'there'), 'new');
  t.equal(readFileSync(join(folder, 'there'), 'utf8'), 'new');
  t.equal(statSync(join(folder, 'there')).mode & 0o777, 0o640, 'with its mode');
  symlinkSync('old', join(folder, 'link'));
  writeResult(join(folder, 'link'), 'behind the link');
  t.equal(readFileSync(join(folder, 'old'), 'utf8'), 'behind the link');
  const disk = scratchFolder('mobilenetd-disk');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    rmdirSync(disk);
    return t.comment('no file system can be mounted here');
  }
  t.teardown(() => {
    execFileSync('umount', ['-l', disk]);
    rmdirSync(disk);
  });
  writeFileSync(join(disk, 'kept'), 'precious');
  for (const name of ['kept', 'fresh']) {
    t.throws(() => writeResult(join(disk, name), Buffer.alloc(200_000)), {
      code: FAILED,
      message: /found a full disk/,
    });
  }
  t.same(readdirSync(disk), ['kept']);
  t.equal(readFileSync(join(disk, 'kept'), 'utf8'), 'precious');
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  t.throws(() => requireWritable(join(disk, 'fresh')), { message: /can only be read/ });
  t.throws(() => writeResult(join(disk, 'kept'), 'x'), { message: /can only be read/ });
});

t.test(
  'a folder that is there is not said to be missing',
  { skip: process.platform !== 'linux' },
  async (t) => {
    for (const file of ['/proc/none', '/proc/self/fd/none']) {
      const told = {
        code: FAILED,
        message: /found \/proc\S*, a folder in which the system makes no/,
      };
      t.throws(() => writeResult(file, 'x'), told);
      t.throws(() => requireWritable(file), told);
    }
  },
);
