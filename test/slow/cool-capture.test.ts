import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import mqtt from 'mqtt';
import t, { type Test } from 'tap';
import type { Config } from '#mobilenetd/config/config.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { App } from '#mobilenetd/daemon/app.js';
import { realThermometer } from '#mobilenetd/daemon/governor/thermometer.js';
import { Signals } from '#mobilenetd/daemon/signals.js';
import type { Result } from '#mobilenetd/inference/result.js';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
import type { Thermometer } from '#mobilenetd/thermal/thermometer.js';
import { eventually } from '../eventually.js';
import { type BoardTree, createBoardTree } from '../integration/board-tree.js';
import { logTo } from '../integration/collected-log.js';
import { installRandomModel } from '../integration/demo-process.js';
import { lastingFolder } from '../lasting-folder.js';

/** Seconds of the governor in one of ours: its minute takes one, its five minutes take five. */
const SPEED = 60;
const LIMIT_C = 80;
t.setTimeout(600_000);

/** The machine's own sensor, below the tree, read by a governor whose clock runs faster. */
function thermometerOf(config: Config, tree: BoardTree, tempC: () => number): Thermometer {
  const real = realThermometer(config);
  let reads = 0;
  return {
    ...real,
    speed: SPEED,
    read(dtS, busy) {
      reads += 1;
      // A sensor that never moves would be taken for a broken one.
      tree.write(tempC() + (reads % 3) * 0.5, 0, Math.min(1, busy + 0.05));
      return real.read(dtS, busy);
    },
  };
}

/** Stand-ins for the camera programs; `pictures()` is how many single ones were taken. */
function installCamera(test: Test, folder: string) {
  for (const kind of ['vid', 'still']) {
    symlinkSync(
      resolve(`test/fixtures/fake-rpicam-${kind}.mjs`),
      join(folder, 'bin', `rpicam-${kind}`),
    );
  }
  const [lock, log] = [join(folder, 'lock'), join(folder, 'stills')];
  const before = { ...process.env };
  process.env.PATH = [join(folder, 'bin'), before.PATH].join(delimiter);
  process.env.FAKE_CAMERA = JSON.stringify({ lock });
  process.env.FAKE_STILL = JSON.stringify({ lock, log });
  test.teardown(() => {
    process.env = before;
  });
  return () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0);
}

t.test('a board too hot for the floor is looked after with stills until it is cool', async (t) => {
  const folder = lastingFolder(t, { bin: {} });
  await installRandomModel(folder);
  const tree = createBoardTree(folder);
  tree.write(60, 0, 0.1);
  const pictures = installCamera(t, folder);
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  t.teardown(() => broker.close());
  const listener = await mqtt.connectAsync(broker.url);
  t.teardown(() => listener.endAsync());
  const statuses: string[] = [];
  listener.on('message', (_topic, payload) => statuses.push(payload.toString()));
  await listener.subscribeAsync('mobilenetd/board/front/status', { qos: 1 });
  const file = join(folder, 'config.yaml');
  writeFileSync(
    file,
    [
      'node: board',
      `state_dir: ${folder}`,
      'model: { task: classify, name: random_v1 }',
      `governor: { sysfs_root: ${tree.sysfs}, proc_root: ${tree.proc}, limit: ${LIMIT_C} }`,
      `mqtt: { url: "${broker.url}" }`,
      'cameras: { front: { source: libcamera, capture: auto, still_interval: 1 } }',
    ].join('\n'),
  );
  const { config } = loadConfig({ files: [file], env: {} });
  let tempC = 60;
  const lines: string[] = [];
  const log = () => lines.join('');
  const results: Result[] = [];
  const signals = new Signals(logTo(lines));
  signals.on('labelled', ({ result }) => results.push(result));
  const daemon = new App({
    config,
    env: { ...process.env, MOBILENETD_STATE: folder },
    log: logTo(lines),
    thermometer: thermometerOf(config, tree, () => tempC),
    signals,
  });
  await daemon.start();
  t.teardown(() => daemon.stop(5000));
  t.ok(await eventually(() => /governor: limit 80/.test(log())), log());
  t.ok(await eventually(() => results.length > 5), log());
  t.equal(pictures(), 0, 'while it is cool it streams');

  tempC = LIMIT_C + 3;
  t.ok(await eventually(() => pictures() >= 1), `too hot: a single picture. ${log()}`);
  const first = results.length;
  t.ok(
    await eventually(() => pictures() >= 4 && results.length >= first + 3),
    `and one after the other, each looked at, however hot it is. ${log()}`,
  );

  tempC = LIMIT_C - 20;
  const streaming = () =>
    results.slice(-10).every((r, i, all) => {
      const before = all[i - 1];
      return before === undefined || r.capturedAt - before.capturedAt < 500;
    });
  t.ok(await eventually(() => results.length > first + 20 && streaming()), `cool again. ${log()}`);
  const taken = pictures();
  const seen = results.length;
  t.ok(await eventually(() => results.length > seen + 10), log());
  t.equal(pictures(), taken, 'the stream has the camera to itself');
  t.notOk(statuses.slice(statuses.indexOf('online')).includes('offline'), statuses.join());
  t.notMatch(log(), /the camera failed/);
});
