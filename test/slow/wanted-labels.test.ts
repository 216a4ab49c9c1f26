import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually } from '../eventually.js';
import { broker, command, home, report } from '../integration/daemon-home.js';
import { runDaemon } from '../integration/daemon-process.js';
import { DETECTOR, installedFromCatalogue } from './catalogue-home.js';

t.setTimeout(600_000);

const BASE = 'mobilenetd/board/front';
const DRAWN = ['clock', 'stop sign', 'traffic light'];
const topicOf = (label: string) => `${BASE}/${label.replaceAll(' ', '_')}`;

interface Wanted {
  readonly labels: 'all' | readonly string[];
  /** Label of a rule. */
  readonly rule?: string;
  readonly model?: string;
}

t.test('a detector computes what is wanted of it, and more when more is', async (t) => {
  const folder = await installedFromCatalogue(t, [DETECTOR]);
  if (folder === null) {
    t.pass('skipped: the detector cannot be fetched here');
    return;
  }
  const { url, listener } = await broker(t);
  const config = join(folder, 'config.yaml');
  const write = ({ labels, rule }: Wanted) =>
    writeFileSync(
      config,
      JSON.stringify({
        ...{ node: 'board', mqtt: { url }, cameras: { front: { source: 'demo', labels } } },
        ...{ governor: { enabled: false }, status: { listen: null } },
        notify: rule && { r: { when: { label: rule }, to: { command: { run: ['/bin/true'] } } } },
      }),
    );
  const isOn = (label: string) => listener.values.get(topicOf(label)) === 'ON';
  const only = async () => (await report(folder)).running?.model.only;
  const reload = async (wanted: Wanted) => {
    write(wanted);
    const { status, stderr } = await command(folder, config, 'ctl', 'reload');
    t.equal(status, 0, stderr);
  };

  write({ labels: ['clock'] });
  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.end('SIGKILL'));
  t.ok(await eventually(() => isOn('clock')), daemon.log());
  t.same(await only(), ['clock']);
  t.match((await command(folder, config, 'status')).stdout, /model .*looks for clock alone/);
  t.notOk(isOn('stop sign') || isOn('traffic light'), 'nobody asks for them');
  const event = () =>
    JSON.parse(listener.values.get(`${topicOf('clock')}/attributes`) ?? '{}').event_id;
  const before = event();

  await reload({ labels: DRAWN });
  t.ok(await eventually(() => DRAWN.every(isOn)), daemon.log());
  t.same(await only(), ['traffic light', 'stop sign', 'clock'], 'in the order of the network');
  t.equal(event(), before, 'what was there is still there');

  await reload({ labels: ['clock'], rule: 'stop sign' });
  t.same(await only(), ['stop sign', 'clock'], 'a rule wants a label as well');

  await reload({ labels: 'all' });
  t.equal(await only(), null);
  t.ok(await eventually(() => DRAWN.every(isOn)), daemon.log());
  t.notMatch((await command(folder, config, 'status')).stdout, /alone/);

  t.match(daemon.log(), /looks for the labels alone that cameras name: clock/);
  t.match(daemon.log(), /looks for all of its labels/);
  t.match((await report(folder)).running, { failed: 0 });
  t.match(await daemon.end('SIGTERM'), { code: 0 }, daemon.log());
});

t.test('a classifier computes all of its labels whatever is wanted', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      ...{ node: 'board', mqtt: { url }, presence: { enter: 0.3, stay: 0.2 } },
      model: { task: 'classify', name: 'random_v1' },
      cameras: { front: { source: 'files', path: pictures, fps: 5, loop: true, labels: ['left'] } },
      ...{ governor: { enabled: false }, status: { listen: null } },
    }),
  );
  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.end('SIGKILL'));
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  t.equal((await report(folder)).running?.model.only, null);
  t.match(await daemon.end('SIGTERM'), { code: 0 }, daemon.log());
});
