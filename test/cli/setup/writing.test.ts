import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readTarget, requireWritable, writeConfiguration } from '#mobilenetd/cli/setup/writing.js';

const modeOf = (file: string) => statSync(file).mode & 0o777;
const NONE = new Map<string, string>();

t.test('a new file, in a folder that is new too, and its secrets', async (t) => {
  const folder = join(t.testdir(), 'a/b');
  const file = join(folder, 'config.yaml');
  const secret = join(folder, 'mqtt.password');
  t.equal(readTarget(file), null);
  t.doesNotThrow(() => requireWritable(file));
  const secrets = new Map([[secret, 'hidden\n']]);
  t.equal(writeConfiguration({ file, text: 'node: a\n', secrets }), null, 'nothing was there');
  t.equal(readTarget(file), 'node: a\n');
  t.equal(modeOf(file), 0o640);
  t.equal(readFileSync(secret, 'utf8'), 'hidden\n');
  t.equal(modeOf(secret), 0o600);
  t.same(readdirSync(folder).sort(), ['config.yaml', 'mqtt.password'], 'and no part of a file');
});

t.test('a file that is there keeps its rights, and every copy of before', async (t) => {
  const folder = t.testdir({ 'config.yaml': 'one\n', 'config.yaml.bak': 'a copy of mine\n' });
  const file = join(folder, 'config.yaml');
  chmodSync(file, 0o600);
  const first = writeConfiguration({ file, text: 'two\n', secrets: NONE });
  const second = writeConfiguration({ file, text: 'three\n', secrets: NONE });
  t.same([first, second], [`${file}.bak.2`, `${file}.bak.3`]);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  t.same(readdirSync(folder).map(read), ['three\n', 'a copy of mine\n', 'one\n', 'two\n']);
  t.equal(modeOf(file), 0o600);
  t.equal(modeOf(`${file}.bak.2`), 0o600);
});

t.test('a secret that is there gets its new text, and the rights of a secret', async (t) => {
  const folder = t.testdir({ 'mqtt.password': 'old\n' });
  const secret = join(folder, 'mqtt.password');
  chmodSync(secret, 0o644);
  const secrets = new Map([[secret, 'new\n']]);
  writeConfiguration({ file: join(folder, 'config.yaml'), text: 'x\n', secrets });
  t.equal(readFileSync(secret, 'utf8'), 'new\n');
  t.equal(modeOf(secret), 0o600);
});

const asRoot = process.getuid?.() === 0 ? false : 'only root can give files away';

t.test(
  'root gives secrets to the service, whose group has the folder',
  { skip: asRoot },
  async (t) => {
    const users = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
    const [, , uid = '', gid = ''] = users.find(([name]) => name === 'www-data') ?? [];
    const folder = t.testdir();
    chownSync(folder, 0, Number(gid));
    const file = join(folder, 'config.yaml');
    const secret = join(folder, 'mqtt.password');
    const secrets = new Map([[secret, 'hidden\n']]);
    writeConfiguration({ file, text: 'x\n', secrets });
    const idsOf = (path: string) => [statSync(path).uid, statSync(path).gid, modeOf(path)];
    t.same(idsOf(secret), [Number(uid), Number(gid), 0o600], 'it alone reads the secret');
    t.same(idsOf(file), [0, Number(gid), 0o640], 'it reads the file, and root writes it');
  },
);

t.test('a link stays one', async (t) => {
  const folder = t.testdir({ kept: { 'porch.yaml': 'one\n' } });
  const file = join(folder, 'config.yaml');
  symlinkSync('kept/porch.yaml', file);
  t.equal(
    writeConfiguration({ file, text: 'two\n', secrets: NONE }),
    join(folder, 'kept/porch.yaml.bak'),
  );
  t.ok(lstatSync(file).isSymbolicLink());
  t.equal(readFileSync(join(folder, 'kept/porch.yaml'), 'utf8'), 'two\n');
});

t.test('what cannot be written or read is said, with what to do', async (t) => {
  const folder = t.testdir({ file: '', 'config.yaml': {} });
  t.throws(() => readTarget(join(folder, 'config.yaml')), { code: 'MND_CONFIG_UNREADABLE' });
  const below = join(folder, 'file/config.yaml');
  t.throws(() => writeConfiguration({ file: below, text: 'x\n', secrets: NONE }), {
    code: 'MND_OUTPUT_FAILED',
  });
  if (process.getuid?.() === 0) return;
  chmodSync(folder, 0o500);
  t.throws(() => requireWritable(join(folder, 'new.yaml')), {
    code: 'MND_OUTPUT_FAILED',
    message: /sudo mobilenetd setup/,
  });
});
