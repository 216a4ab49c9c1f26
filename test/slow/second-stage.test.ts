import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually } from '../eventually.js';
import { broker, command, report } from '../integration/daemon-home.js';
import { runDaemon } from '../integration/daemon-process.js';
import { DETECTOR, installedFromCatalogue } from './catalogue-home.js';

t.setTimeout(300_000);

const THINGS = 'mobilenetd_things_0.5_96';

t.test('the demo detector finds things, and the shipped classifier names them', async (t) => {
  const folder = await installedFromCatalogue(t, [DETECTOR, THINGS]);
  if (folder === null) {
    t.pass('skipped: the detector cannot be fetched here');
    return;
  }
  const { url, listener } = await broker(t);
  const events = new Map<string, Record<string, unknown>>();
  listener.client.on('message', (topic, payload) => {
    if (!topic.endsWith('/front/events')) return;
    const event = JSON.parse(payload.toString());
    if (event.sub_label !== null) events.set(event.label, event);
  });
  const config = join(folder, 'config.yaml');
  const write = (second: object | null) =>
    writeFileSync(
      config,
      JSON.stringify({
        ...{ node: 'board', mqtt: { url }, cameras: { front: { source: 'demo' } } },
        model: { second: second ?? { name: null } },
        ...{ governor: { enabled: false }, status: { listen: null } },
      }),
    );
  const wanted = ['stop sign', 'clock', 'traffic light'];
  write({ name: THINGS, of: wanted });
  const daemon = runDaemon(folder, config);
  const isNamed = () => wanted.every((label) => events.get(label)?.sub_label === label);
  t.ok(await eventually(isNamed), `${daemon.log()} ${JSON.stringify([...events.values()])}`);
  for (const event of events.values()) {
    t.match(event, { type: 'update', sub_score: Number, object: String });
    t.ok(Number(event.sub_score) >= 0.3 && Number(event.sub_score) <= 1);
  }
  const attributes = () =>
    JSON.parse(listener.values.get('mobilenetd/board/front/clock/attributes') ?? '{}');
  t.ok(await eventually(() => attributes().sub_label === 'clock'), 'for Home Assistant');
  t.match((await report(folder)).running, {
    second: { name: THINGS, state: 'works', failed: 0, error: null },
    failed: 0,
  });
  const text = await command(folder, config, 'status');
  t.match(text.stdout, new RegExp(`second +${THINGS}: \\d+ objects looked at, [\\d.]+ ms each`));

  // What is taught of an object's crops goes before what the network calls it, from its next event on.
  const teach = (...args: readonly string[]) => command(folder, config, 'teach', ...args);
  const record = ['--camera', 'front', '--of', 'clock', '--for', '5s'];
  const taught = await teach('station clock', ...record);
  t.match(taught, { status: 0, stdout: /picture.* of station clock kept/ }, taught.stderr);
  await listener.say('front/detect/set', 'OFF');
  t.ok(await listener.until('front/clock', 'OFF'), daemon.log());
  await listener.say('front/detect/set', 'ON');
  const isTaught = () => events.get('clock')?.sub_label === 'station clock';
  t.ok(await eventually(isTaught), `${daemon.log()} ${JSON.stringify(events.get('clock'))}`);
  t.ok(await eventually(() => attributes().sub_label === 'station clock'));
  t.match((await report(folder)).running?.taught.tasks, [
    { camera: 'front', of: ['clock'], state: 'works', labels: { 'station clock': Number } },
  ]);
  t.equal(events.get('stop sign')?.sub_label, 'stop sign', 'of others nothing was taught');
  t.match(await teach('--undo'), { status: 0, stdout: /removed/ });

  // Other labels and then none at all, while it runs.
  write({ name: THINGS, of: ['clock'], labels: ['lemon'], min_score: 0 });
  const reloaded = await command(folder, config, 'ctl', 'reload');
  t.equal(reloaded.status, 0, reloaded.stderr);
  t.match(reloaded.stdout, /model/);
  write({ name: DETECTOR, of: ['clock'] });
  const refused = await command(folder, config, 'ctl', 'reload');
  t.not(refused.status, 0);
  t.match(`${refused.stdout}${refused.stderr}`, /classif/, 'a detector is no second network');
  t.match((await report(folder)).running?.second, { name: THINGS });
  const checked = await command(folder, config, 'config', '--check');
  t.not(checked.status, 0);
  t.match(checked.stderr, /model\.second\.name: .*classif/);
  const doctor = await command(folder, config, 'doctor');
  t.match(doctor.stdout, /second network ssdlite_mobilenet_v2_coco: .*classif/);
  write(null);
  t.equal((await command(folder, config, 'ctl', 'reload')).status, 0);
  t.equal((await report(folder)).running?.second, null);

  const query = await command(folder, config, 'query', '--events', '--json');
  const rows = query.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.ok(rows.some(({ label, sub_label: sub }) => label === 'clock' && sub === 'clock'));
  t.match(await daemon.end('SIGTERM'), { code: 0 }, daemon.log());
});
