import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { askDaemon } from '#mobilenetd/control/client.js';
import { eventually, PATIENCE_MS } from '../eventually.js';
import { broker, command, home, report } from '../integration/daemon-home.js';
import { configOf, runDaemon, writeConfig } from '../integration/daemon-process.js';

t.setTimeout(500_000);

t.test('a reload touches what changed, and says what needs a restart', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const parts = { url, cameras: ['front'], pictures };
  const config = writeConfig(folder, parts);
  const daemon = runDaemon(folder, config);
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  const statuses: string[] = [];
  listener.client.on('message', (topic, payload) => {
    if (topic.endsWith('/front/status')) statuses.push(payload.toString());
  });
  /** What the daemon answers: what was done, or the code and message of a refusal. */
  const reload = async (more: Readonly<Record<string, object>>) => {
    writeConfig(folder, { ...parts, more });
    const sockets = [join(folder, 'control.sock')];
    return askDaemon({ verb: 'reload' }, { sockets, timeout: PATIENCE_MS }).catch((error) => error);
  };

  const homes = new Map<string, string>();
  listener.client.on('message', (topic, payload) => homes.set(topic, payload.toString()));
  await listener.client.subscribeAsync(['homeassistant/#', 'elsewhere/#']);
  t.ok(
    await eventually(() =>
      [...homes.keys()].some((topic) => topic.startsWith('homeassistant/device/')),
    ),
  );
  const discovery =
    [...homes.keys()].find((topic) => topic.startsWith('homeassistant/device/')) ?? '';

  t.match(await reload({}), { done: 'nothing has changed' });
  t.match(await reload({ log: { level: 'debug' } }), {
    done: 'changed: log (the rest ran on)',
  });
  t.equal((await report(folder)).log_level, 'debug');
  t.match(await reload({ governor: { margin: 3 } }), { done: /^changed: governor/ });
  t.match(await reload({ governor: { margin: 3 }, homeassistant: { prefix: 'elsewhere' } }), {
    done: 'changed: homeassistant (the rest ran on)',
  });
  const moved = discovery.replace('homeassistant/', 'elsewhere/');
  t.ok(await eventually(() => homes.has(moved)), 'the entities have moved');
  t.ok(await eventually(() => homes.get(discovery) === ''), 'the old ones are gone');
  t.match(await reload({ governor: { margin: 3 }, homeassistant: { enabled: false } }), {
    done: /homeassistant/,
  });
  t.ok(await eventually(() => homes.get(moved) === ''));
  t.same(statuses, [], 'the camera has not noticed any of it');

  t.match(
    await reload({ presence: { enter: 0.35, stay: 0.1 } }),
    { code: 'MND_CONFIG_INVALID' },
    'twice in the file',
  );
  const kept = await reload({ diagnostics: { crash_reports: 7 } });
  t.match(kept.done, /needs a restart of the program to take effect: diagnostics \(sudo systemctl/);
  const bad = await reload({ governor: { limit: 41, margin: 5 } });
  t.match(bad, { code: 'MND_CONFIG_INVALID', message: /limit − margin/ });
  t.match((await report(folder)).running, { cameras: [{ status: 'online' }] });

  await listener.say('front/detect/set', 'OFF');
  t.ok(await listener.until('front/status', 'disabled'));
  await listener.say('front/detect/set', 'ON');
  t.ok(await listener.until('front/status', 'online'), 'commands are listened to as before');
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('a reload gives the governor another limit while the camera runs on', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const zone = join(folder, 'sys/class/thermal/thermal_zone0');
  mkdirSync(zone, { recursive: true });
  writeFileSync(join(zone, 'type'), 'cpu-thermal\n');
  writeFileSync(join(zone, 'temp'), '55000\n');
  const governor = { sysfs_root: join(folder, 'sys') };
  const parts = { url, cameras: ['front'], pictures };
  const config = writeConfig(folder, { ...parts, more: { governor } });
  const daemon = runDaemon(folder, config);
  const limits = (limit: number) =>
    eventually(async () => (await report(folder)).running?.governor?.limit === limit);
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  t.ok(await limits(80), 'the limit of a board that is not known');
  t.match((await report(folder)).running, {
    temperature: 55,
    governor: { model: 'random_v1', mode: String },
  });
  const statuses: string[] = [];
  listener.client.on('message', (topic, payload) => {
    if (topic.endsWith('/front/status')) statuses.push(payload.toString());
  });
  writeConfig(folder, { ...parts, more: { governor: { ...governor, limit: 70 } } });
  const sockets = [join(folder, 'control.sock')];
  const answer = await askDaemon({ verb: 'reload' }, { sockets });
  t.same(answer, { done: 'changed: governor (the rest ran on)' });
  t.ok(await limits(70));
  const shown = () => JSON.parse(listener.values.get('mobilenetd/board/governor') ?? '{}').limit;
  t.ok(await eventually(() => shown() === 70), 'MQTT says it, too');
  t.same(statuses, []);
  t.match((await command(folder, config, 'status')).stdout, /^heat {10}55\.0 °C$/m);
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('a reload that cannot run goes back, and says so', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const config = writeConfig(folder, { url, cameras: ['front'], pictures });
  const daemon = runDaemon(folder, config);
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  // The port of the test's own broker is taken.
  const listen = new URL(url).host;
  writeFileSync(config, configOf({ cameras: ['front'], pictures, mqtt: { embedded: { listen } } }));
  const refused = await command(folder, config, 'ctl', 'reload');
  t.equal(refused.status, 69);
  t.match(refused.stderr, /MND_MQTT_LISTEN/);
  t.ok(await listener.until('front/status', 'online'), 'what ran before runs again');
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});
