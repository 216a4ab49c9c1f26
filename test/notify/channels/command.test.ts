import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { COMMAND } from '#mobilenetd/notify/channels/command.js';
import { eventually, PATIENCE_MS } from '../../eventually.js';
import { messageOf } from '../server.js';

const NEVER = new AbortController().signal;

function send(
  run: readonly string[],
  timeout = PATIENCE_MS / 1000,
  signal = NEVER,
  message = messageOf(),
) {
  const env = { PATH: process.env.PATH, MOBILENETD_MQTT_PASSWORD: 'secret' };
  return COMMAND.create({ run, timeout }, { fetch, publish: null, env, folder: '/' })(
    message,
    signal,
  );
}

function script(folder: string, text: string): string {
  const file = join(folder, 'script.sh');
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}

t.test('a program gets arguments, the event and a clean environment, and no shell', async (t) => {
  const folder = t.testdir();
  const out = join(folder, 'out');
  const file = script(folder, `printf '%s\\n' "$#" "$1" > ${out}; cat >> ${out}; env >> ${out}`);
  const message = messageOf({ pictureFile: '/x.jpg' }, { label: '$(touch /tmp/owned); "x"' });
  t.same(await send([file, '{{label}} in {{camera}}'], 10, NEVER, message), { kind: 'done' });
  const [count, argument, json = '', ...env] = readFileSync(out, 'utf8').split('\n');
  t.equal(count, '1');
  t.equal(argument, '$(touch /tmp/owned); "x" in front');
  t.match(JSON.parse(json), { id: 'e1', rule: 'night' });
  t.ok(env.includes('MOBILENETD_PICTURE=/x.jpg') && env.includes('MOBILENETD_RULE=night'));
  t.notMatch(env.join('\n'), /secret/, 'no password of the daemon');
  t.notOk(existsSync('/tmp/owned'));
});

t.test('what goes wrong is said', async (t) => {
  const file = script(t.testdir(), 'echo first >&2; echo "no lamp" >&2; exit 3');
  t.match(await send([file]), { kind: 'later', why: 'ended with status 3: no lamp' });
  t.match(await send(['/nowhere/program']), {
    why: 'it cannot be started: there is no such program',
  });
  t.match(await send(['/etc/passwd']), { why: /cannot be started: EACCES/ });
  t.match(await send(['/bin/sh', '-c', 'kill -9 $$']), { why: 'ended by SIGKILL' });
});

t.test('time is up for the whole group, deaf ones too', async (t) => {
  const folder = t.testdir();
  const pids = join(folder, 'pids');
  const file = script(
    folder,
    `trap '' TERM; (trap '' TERM; echo $$ >> ${pids}; sh -c 'echo $$ >> ${pids}; sleep 900') & wait; sleep 900`,
  );
  const started = () => (existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n') : []);
  // A busy machine may need longer to start the group than the program has.
  for (let timeout = 0.5; started().length < 2; timeout *= 4) {
    t.match(await send([file], timeout), { kind: 'later', why: `it ran longer than ${timeout} s` });
  }
  const isGone = (pid: string) => {
    const status = `/proc/${pid}/status`;
    return !existsSync(status) || /State:\s+Z/.test(readFileSync(status, 'utf8'));
  };
  for (const pid of started()) t.ok(await eventually(() => isGone(pid)), `${pid} is gone`);
});

t.test('a stop ends it', async (t) => {
  const ending = new AbortController();
  const sent = send(['/bin/sleep', '900'], 900, ending.signal);
  ending.abort();
  t.match(await sent, { kind: 'later', why: 'it was given up' });
});

t.test('what no argument can hold is replaced, and the program runs', async (t) => {
  const folder = t.testdir();
  const out = join(folder, 'out');
  const file = script(folder, `printf '%s|%s' "$1" "$MOBILENETD_TITLE" > ${out}`);
  const message = messageOf({ title: 'a\0b' }, { label: 'x\0y' });
  t.same(await send([file, '{{label}}'], 10, NEVER, message), { kind: 'done' });
  t.equal(readFileSync(out, 'utf8'), 'x?y|a?b');
});
