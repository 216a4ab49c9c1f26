import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { askDaemon, isListening } from '#mobilenetd/control/client.js';
import type { ControlRequest } from '#mobilenetd/control/protocol.js';
import { startControlServer } from '#mobilenetd/control/server.js';
import { controlSocket, controlSockets } from '#mobilenetd/control/socket.js';
import { codedError } from '#mobilenetd/errors.js';

/** Paths of sockets are short, and those of test folders are not. */
function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

type Handler = (request: ControlRequest) => Promise<object>;

async function serve(
  t: Test,
  path: string,
  handle: Handler = async (request) => ({ request }),
  patience?: number,
) {
  const server = await startControlServer({ path, handle, ...(patience && { patience }) });
  t.teardown(() => server.close());
  return server;
}

/** Sends raw text and gives what comes back before the end. */
async function exchange(path: string, text: string): Promise<string> {
  const socket = connect(path).setEncoding('utf8');
  let answer = '';
  socket.on('data', (chunk: string) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

t.test('requests are answered, errors with their code', async (t) => {
  const path = join(folderOf(t), 'control.sock');
  await serve(t, path, async (request) => {
    if (request.verb === 'reload') throw codedError('MND_CONFIG_INVALID', { found: '1 problem' });
    if (request.verb === 'log-level') throw new Error('odd');
    return { fine: true };
  });
  t.equal(statSync(path).mode & 0o777, 0o660);
  const sockets = ['/nonexistent/control.sock', path];
  t.same(await askDaemon({ verb: 'status' }, { sockets }), { fine: true });
  await t.rejects(askDaemon({ verb: 'reload' }, { sockets }), {
    code: 'MND_CONFIG_INVALID',
    exitCode: 78,
    message: 'the configuration has problems; found 1 problem',
  });
  await t.rejects(askDaemon({ verb: 'log-level', level: 'x' }, { sockets }), {
    code: 'MND_INTERNAL',
    message: 'odd',
  });
});

t.test(
  'what is no request is refused, however long it is and however slowly it comes',
  async (t) => {
    const path = join(folderOf(t), 'control.sock');
    await serve(t, path, undefined, 200);
    const refused = /"ok":false,"code":"MND_CONTROL_REQUEST"/;
    for (const text of [
      '\n',
      'status\n',
      '[]\n',
      '{"verb":"halt"}\n',
      '{"verb":"log-level","level":3}\n',
    ]) {
      t.match(await exchange(path, text), refused, text);
    }
    t.match(await exchange(path, 'x'.repeat(5000)), refused, 'without an end');
    t.match(await exchange(path, `${' '.repeat(5000)}{"verb":"status"}\n`), refused);
    t.equal(await exchange(path, '{"verb":'), '', 'half a request is waited for, but not for long');
    const crowd = await Promise.all(
      Array.from({ length: 40 }, () => exchange(path, '{"verb":"status"}\n')),
    );
    t.ok(crowd.filter((answer) => answer.includes('"ok":true')).length >= 8);
    t.match(await exchange(path, '{"verb":"status"}\n'), /"ok":true/, 'it still answers');
  },
);

t.test('a socket that a killed daemon left behind is replaced, a live one is not', async (t) => {
  const path = join(folderOf(t), 'control.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await t.rejects(startControlServer({ path, handle: async () => ({}) }), {
    code: 'MND_CONTROL_LISTEN',
    message: /another daemon listens there/,
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.ok(existsSync(path));
  t.notOk(await isListening(path));
  await t.rejects(askDaemon({ verb: 'status' }, { sockets: [path] }), {
    code: 'MND_CONTROL_UNAVAILABLE',
    exitCode: 69,
    message: /left behind by a daemon that is gone/,
  });
  const server = await serve(t, path);
  t.match(await askDaemon({ verb: 'status' }, { sockets: [path] }), {
    request: { verb: 'status' },
  });
  await server.close();
  t.notOk(existsSync(path), 'an orderly end leaves nothing');
});

t.test('places', async (t) => {
  t.equal(controlSocket('/state', {}), '/state/control.sock');
  const env = { RUNTIME_DIRECTORY: '/run/a:/run/b' };
  t.equal(controlSocket('/state', env), '/run/a/control.sock');
  t.same(controlSockets('/state', { RUNTIME_DIRECTORY: '/run/mobilenetd' }), [
    '/run/mobilenetd/control.sock',
    '/state/control.sock',
  ]);
  t.same(controlSockets(null, {}), ['/run/mobilenetd/control.sock']);
});

t.test('a folder that is too deep for the name of a socket', async (t) => {
  const folder = join(folderOf(t), 'x'.repeat(60), 'y'.repeat(60));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'control.sock');
  const fds = () => readdirSync('/proc/self/fd').length;
  const before = fds();
  t.notOk(await isListening(path));
  const server = await startControlServer({ path, handle: async (request) => ({ request }) });
  t.ok(existsSync(path), 'it is where it was to be');
  t.ok(await isListening(path));
  t.match(await askDaemon({ verb: 'status' }, { sockets: [path] }), { request: {} });
  await t.rejects(startControlServer({ path, handle: async () => ({}) }), /another daemon/);
  await server.close();
  t.notOk(existsSync(path), 'an orderly end leaves nothing');
  await setImmediate();
  t.equal(fds(), before, 'nothing stays open');

  const long = join(folder, 's'.repeat(120));
  await t.rejects(startControlServer({ path: long, handle: async () => ({}) }), {
    code: 'MND_CONTROL_LISTEN',
    message: /more than 107 bytes.*control\.socket/s,
  });
  await t.rejects(askDaemon({ verb: 'status' }, { sockets: [long] }), /more than 107 bytes/);
  const gone = join(folder, 'gone', 'control.sock');
  await t.rejects(askDaemon({ verb: 'status' }, { sockets: [gone] }), /no socket/);
});
