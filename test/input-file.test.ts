import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { codedError } from '#mobilenetd/errors.js';
import { inputFailed, readInputText } from '#mobilenetd/input-file.js';

t.test('a file that cannot be read: what was expected, found, and what helps', async (t) => {
  const folder = t.testdir({ file: '', folder: {} });
  symlinkSync('circle', join(folder, 'circle'));
  for (const [place, told] of [
    ['none.jpg', /expected a picture; found nothing of this name in \/.*; look for a slip/],
    ['none/a.jpg', /found nothing of this name in \/.*\/none;/],
    ['file/a.jpg', /found a file where the path needs a folder/],
    ['folder', /found a folder; name a file in it/],
    ['circle', /found links that lead in a circle/],
    ['x'.repeat(300), /found a name that is too long/],
    ['a\u001b[31m.jpg', /a\\x1b\[31m\.jpg/],
  ] as const) {
    const file = join(folder, place);
    const error = await readFile(file).then(
      () => null,
      (cause: unknown) => inputFailed(file, 'a picture', cause),
    );
    t.match(error, { code: 'MND_INPUT_MISSING', exitCode: 66, message: told }, place);
    t.notMatch(error?.message, /\bE[A-Z]{4,}\b/, 'in words');
    t.ok((error?.message.length ?? 0) < 600, 'a long path is shortened');
  }
  for (const code of ['EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENXIO', 'ESOMETHING']) {
    const error = inputFailed('/a', 'a picture', Object.assign(new Error('odd'), { code }));
    t.match(error.message, /^\/a: .*; expected a picture; found [^;]+; [^;]+/, code);
  }
  const coded = codedError('MND_IMAGE_INVALID');
  t.equal(inputFailed('/a', 'a picture', coded), coded);
});

t.test('the text of a file or a pipe, of nothing that never ends', async (t) => {
  const folder = t.testdir({ text: 'hello', large: 'x'.repeat(11), folder: {} });
  const read = (name: string) => readInputText(join(folder, name), 'a log', 10);
  t.equal(await read('text'), 'hello');
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const [fromPipe] = await Promise.all([read('pipe'), writeFile(join(folder, 'pipe'), 'piped')]);
  t.equal(fromPipe, 'piped');
  // The name of a socket has at most 107 bytes.
  const short = mkdtempSync(join(tmpdir(), 'input-'));
  t.teardown(() => rmSync(short, { recursive: true }));
  const server = createServer().listen(join(short, 'socket'));
  t.teardown(() => server.close());
  await once(server, 'listening');
  await t.rejects(read('large'), { message: /found 11 bytes, more than 10/ });
  await t.rejects(read('folder'), { message: /found a folder; name a file in it/ });
  await t.rejects(readInputText(join(short, 'socket'), 'a log', 10), {
    message: /found a device, a pipe or a socket/,
  });
  await t.rejects(readInputText('/dev/zero', 'a log', 10), { message: /found a device/ });
});
