import { Writable } from 'node:stream';
import t from 'tap';
import type { CommandEntry } from '#mobilenetd/cli/command.js';
import { runProgram } from '#mobilenetd/cli/program.js';
import { unsupportedPlatform } from '#mobilenetd/platform.js';

const PI_OS_32 = { platform: 'linux', arch: 'arm', machine: 'aarch64' };

t.test('where the network can run', async (t) => {
  for (const here of [
    { platform: 'linux', arch: 'arm64', machine: 'aarch64' },
    { platform: 'linux', arch: 'x64', machine: 'x86_64' },
    { platform: 'darwin', arch: 'arm64', machine: 'arm64' },
  ]) {
    t.equal(unsupportedPlatform(here), null);
  }
  t.match(unsupportedPlatform(PI_OS_32), {
    code: 'MND_PLATFORM',
    exitCode: 69,
    message: /found a 64-bit kernel \(aarch64\) with 32-bit programs \(Node for arm\)/,
  });
  t.match(unsupportedPlatform({ platform: 'linux', arch: 'arm', machine: 'armv6l' }), {
    message: /found linux on armv6l, Node for arm; install the 64-bit image/,
  });
  t.match(unsupportedPlatform({ platform: 'win32', arch: 'x64', machine: 'x86_64' }), {
    code: 'MND_PLATFORM',
  });
});

t.test('commands that run networks are refused before they are loaded', async (t) => {
  const loaded: string[] = [];
  const entry = (name: string, runsNetworks: boolean): CommandEntry => ({
    name,
    summary: name,
    runsNetworks,
    async load() {
      loaded.push(name);
      return { register: (program) => void program.command(name).action(() => {}) };
    },
  });
  const run = async (...args: string[]) => {
    let text = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    });
    const status = await runProgram({
      args,
      commands: [entry('run', true), entry('query', false)],
      stdout: stream,
      stderr: stream,
      env: {},
      platform: PI_OS_32,
      context: async () => ({}) as never,
    });
    return { status, text };
  };
  t.match(await run('run'), {
    status: 69,
    text: /^mobilenetd: MND_PLATFORM: this system cannot run/,
  });
  t.same(loaded, []);
  t.match(await run('query'), { status: 0 });
  t.match(await run('run', '--help'), { status: 0 }, 'help is for everybody');
  t.same(loaded, ['query', 'run']);
});
