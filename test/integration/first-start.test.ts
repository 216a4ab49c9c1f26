import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { broker, command, home, report } from './daemon-home.js';
import { runDaemon, writeConfig } from './daemon-process.js';

t.setTimeout(500_000);

/** A service manager: what it is told is written to a file. */
function serviceManager(folder: string) {
  const told = join(folder, 'told');
  const program = join(folder, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\nshift\necho "$@" >> '${told}'\n`);
  chmodSync(program, 0o755);
  return {
    env: { NOTIFY_SOCKET: '@nobody', PATH: `${folder}${delimiter}${process.env.PATH}` },
    told: () => (existsSync(told) ? readFileSync(told, 'utf8') : ''),
  };
}

t.test('a camera that is away does not keep the unit waiting', async (t) => {
  const { folder } = await home(t);
  const { url } = await broker(t);
  const manager = serviceManager(folder);
  const config = writeConfig(folder, { url, cameras: ['front'], pictures: join(folder, 'none') });
  const daemon = runDaemon(folder, config, manager.env);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  t.ok(await eventually(() => manager.told().includes('STATUS=')), daemon.log());
  t.notMatch(manager.told(), /READY=1/, 'it is waited for at first');
  t.ok(
    (await eventually(() => manager.told().includes('READY=1'))) ||
      (await eventually(() => manager.told().includes('READY=1'))),
    manager.told(),
  );
  t.match(manager.told(), /STATUS=.*front offline: .*none/, 'the status line says why');
  t.equal((await report(folder)).ready, false);
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('a start that fetches a model takes a mended file at once', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  // A proxy that never answers: a download through it hangs.
  const proxy = createServer(() => {}).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const fetched = { task: 'classify', name: 'mobilenet_v1_0.25_128_quant' };
  const listen = `127.0.0.1:${await freePort()}`;
  const more = { status: { listen } };
  const parts = { url, cameras: ['front'], pictures, more };
  const config = writeConfig(folder, { ...parts, model: fetched });
  const proxies = { HTTPS_PROXY: address, HTTP_PROXY: address, https_proxy: address };
  const daemon = runDaemon(folder, config, proxies);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  t.ok(await eventually(() => daemon.log().includes('fetching and converting it')), daemon.log());
  const status = await command(folder, config, 'status');
  t.equal(status.status, 1);
  t.match(status.stdout, /^running +nothing yet: fetching and converting the model/m);
  // The page says it, too, and is itself there afterwards, at the same address.
  const page = () => fetch(`http://${listen}/api/v1/state`).then((answer) => answer.text(), String);
  t.ok(
    await eventually(async () => /"phase":"starting","doing":"fetching/.test(await page())),
    await page(),
  );
  writeConfig(folder, { ...parts, mqtt: { urll: 1 } });
  daemon.child.kill('SIGHUP');
  t.ok(await eventually(() => daemon.log().includes('the start goes on as it was')), daemon.log());
  writeConfig(folder, parts);
  t.match(await command(folder, config, 'ctl', 'reload'), { status: 0, stdout: /changed: model/ });
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  t.equal((await report(folder)).running?.model.name, 'random_v1');
  t.ok(await eventually(async () => /"phase":"running"/.test(await page())), await page());
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

for (const [first, ...further] of [
  ['SIGINT', 'SIGINT'],
  ['SIGTERM', 'SIGTERM'],
  ['SIGTERM', 'SIGHUP', 'SIGINT'],
] as const) {
  const signals = [first, ...further].join(', ');
  t.test(`further signals within a moment do not cut the stop short: ${signals}`, (t) =>
    stopBy(t, first, further),
  );
}

/** What is retained at the broker after a daemon was told to stop, and more. */
async function stopBy(
  t: Test,
  first: NodeJS.Signals,
  further: readonly NodeJS.Signals[],
): Promise<void> {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const config = writeConfig(folder, { url, cameras: ['front'], pictures });
  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  const ended = once(daemon.child, 'exit');
  for (const signal of [first, ...further]) daemon.child.kill(signal);
  t.same(await ended, [0, null], daemon.log());
  t.ok(await listener.until('state', 'offline'));
  t.ok(await listener.until('front/status', 'offline'));
  const on = [...listener.values].filter(([, payload]) => payload === 'ON');
  t.same(
    on.filter(([topic]) => !topic.endsWith('/detect/state')),
    [],
  );
}
