import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.js';
import { broker, command, home, report } from '../integration/daemon-home.js';
import { runDaemon } from '../integration/daemon-process.js';
import { lastingFolder } from '../lasting-folder.js';

t.setTimeout(500_000);

interface Hook {
  readonly url: string;
  readonly got: Record<string, unknown>[];
  /** Status of the answers from now on. */
  status: number;
  close(): Promise<void>;
}

async function startHook(t: Test, port = 0): Promise<Hook> {
  const got: Record<string, unknown>[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (hook.status === 200) got.push(JSON.parse(Buffer.concat(chunks).toString()));
      response.writeHead(hook.status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const hook: Hook = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=quitesecret`,
    got,
    status: 200,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  t.teardown(() => hook.close());
  return hook;
}

async function setUp(t: Test, notify: object) {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const file = join(folder, 'config.yaml');
  const front = { source: 'files', path: pictures, fps: 10, loop: true };
  const write = (rules: object) => {
    const model = { task: 'classify', name: 'random_v1' };
    const presence = { enter: 0.3, stay: 0.2 };
    const sections = { node: 'board', model, presence, mqtt: { url }, notify: rules };
    writeFileSync(file, JSON.stringify({ ...sections, cameras: { front } }));
  };
  write(notify);
  return { folder, file, listener, write };
}

t.test('a rule tells a webhook, a command and Home Assistant, with the picture', async (t) => {
  const hook = await startHook(t);
  const folder = lastingFolder(t);
  const script = join(folder, 'alarm.sh');
  const out = join(folder, 'out');
  writeFileSync(
    script,
    `#!/bin/sh\ncat > ${out}.new; cp "$MOBILENETD_PICTURE" ${out}.jpg; mv ${out}.new ${out}\n`,
  );
  chmodSync(script, 0o755);
  const {
    folder: state,
    file,
    listener,
  } = await setUp(t, [
    {
      name: 'alarm',
      when: { camera: 'front' },
      cooldown: 3600,
      to: {
        webhook: { url: hook.url },
        command: { run: [script, '{{label}}'] },
        homeassistant: { enabled: true },
      },
    },
  ]);
  const daemon = runDaemon(state, file);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  t.ok(await eventually(() => hook.got.length > 0), daemon.log());
  const [told] = hook.got;
  t.match(told, { rule: 'alarm', node: 'board', camera: 'front', test: false, picture: /Z$/ });
  const document = () => listener.values.get('mobilenetd/board/notify');
  t.ok(await eventually(() => document() !== undefined), 'Home Assistant was told');
  t.match(JSON.parse(document() ?? ''), { rule: 'alarm', camera: 'front', title: / at front$/ });
  t.ok(
    await eventually(() => {
      try {
        return JSON.parse(readFileSync(out, 'utf8')).rule === 'alarm';
      } catch {
        return false;
      }
    }),
    'the command ran',
  );
  t.equal(readFileSync(`${out}.jpg`).readUInt16BE(0), 0xffd8, 'with the picture');
  const { running } = await report(state);
  t.same(
    running?.notify.map(({ rule, channel, error }) => [rule, channel, error]),
    [
      ['alarm', 'webhook', null],
      ['alarm', 'homeassistant', null],
      ['alarm', 'command', null],
    ],
  );
  const tried = await command(state, file, 'notify', '--test', 'alarm', '--json');
  t.equal(tried.status, 0, JSON.stringify(tried));
  t.match(hook.got.at(-1), { test: true });
  t.equal((await command(state, file, 'notify', '--test', 'alrm')).status, 64);
  t.equal((await daemon.end('SIGTERM')).code, 0);
  t.notMatch(daemon.log() + tried.stdout + JSON.stringify([...listener.values]), /quitesecret/);
});

t.test(
  'what cannot be told waits over a kill, is told once it can, and is said once',
  async (t) => {
    const hook = await startHook(t);
    hook.status = 503;
    const { folder, file } = await setUp(t, {
      alarm: { cooldown: 3600, to: { webhook: { url: hook.url } } },
    });
    let daemon = runDaemon(folder, file);
    t.teardown(() => daemon.child.kill('SIGKILL'));
    const lane = async () => (await report(folder).catch(() => null))?.running?.notify[0];
    t.ok(await eventually(async () => (await lane())?.error != null));
    t.match((await lane())?.error, /503/);
    const status = await command(folder, file, 'status');
    t.match(status.stdout, /rule alarm .*FAILS since .*503/);
    t.equal(status.status, 1);
    t.equal(daemon.log().match(/answers 503/g)?.length, 1, daemon.log());
    await daemon.end('SIGKILL');
    hook.status = 200;
    daemon = runDaemon(folder, file);
    t.ok(await eventually(() => hook.got.length > 0), daemon.log());
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const causes = hook.got.map(({ camera, label }) => `${camera} ${label}`);
    t.same([...new Set(causes)].length, causes.length, `one of each, over the kill: ${causes}`);
    t.equal((await daemon.end('SIGTERM')).code, 0);
  },
);

t.test('rules are exchanged while the daemon runs', async (t) => {
  const hook = await startHook(t);
  const { folder, file, listener, write } = await setUp(t, {
    old: { when: { score: 1 }, to: { webhook: { url: hook.url } } },
  });
  const daemon = runDaemon(folder, file);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  const seen = () => listener.values.get('mobilenetd/board/front/label') || 'none';
  t.ok(await eventually(() => seen() !== 'none'), daemon.log());
  write({ fresh: { cooldown: 0, to: { webhook: { url: hook.url } } } });
  daemon.child.kill('SIGHUP');
  t.ok(await eventually(() => daemon.log().includes('changed: notify')), daemon.log());
  // What was seen already is nobody's cause: it ends, and comes again.
  await listener.say('front/detect/set', 'OFF');
  t.ok(await eventually(() => seen() === 'none'), 'nothing is seen');
  await listener.say('front/detect/set', 'ON');
  t.ok(await eventually(() => hook.got.length > 0), daemon.log());
  t.equal(hook.got[0]?.rule, 'fresh');
  t.equal((await daemon.end('SIGTERM')).code, 0);
});
