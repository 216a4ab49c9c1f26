import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lockStateFolder } from '#mobilenetd/store/lock.js';

/** A process that takes the lock and keeps it: what nobody refers to would be collected, and let go. */
async function holder(folder: string) {
  const script = `
    const { lockStateFolder } = await import(${JSON.stringify(`${process.cwd()}/dist/store/lock.js`)});
    globalThis.lock = lockStateFolder(${JSON.stringify(folder)});
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

t.test('one daemon a state folder, also after a kill -9', async (t) => {
  const folder = join(t.testdir(), 'state');
  const child = await holder(folder);
  t.throws(() => lockStateFolder(folder), {
    code: 'MND_STATE_LOCKED',
    exitCode: 69,
    message: new RegExp(`process ${child.pid};`),
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = lockStateFolder(folder);
  t.throws(() => lockStateFolder(folder), { code: 'MND_STATE_LOCKED' });
  lock.release();
  lockStateFolder(folder).release();
});

t.test('a place that takes no lock is reported and harms nobody', async (t) => {
  const folder = t.testdir({ 'lock.db': {} });
  const lines: string[] = [];
  const log = {
    debug() {},
    info() {},
    error() {},
    warn: (_: object, text: string) => lines.push(text),
  };
  lockStateFolder(folder, log).release();
  t.match(lines, [/no lock on .*a second daemon would not be noticed/]);
  writeFileSync(join(folder, 'file'), '');
  chmodSync(join(folder, 'file'), 0o400);
  lockStateFolder(join(folder, 'file'), log).release();
  t.equal(lines.length, 2);
});
