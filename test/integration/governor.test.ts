import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import t from 'tap';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/embedded.js';
import { openStore } from '#mobilenetd/store/store.js';

const mirror = process.env.MOBILENETD_MODELS_MIRROR ?? '../shared/models';
const NAMES = [
  'mobilenet_v1_0.75_192_quant',
  'mobilenet_v1_0.5_160_quant',
  'mobilenet_v1_0.25_128_quant',
];
const FLOOR = 'mobilenet_v1_0.25_128_quant';
const TOP = 'mobilenet_v1_0.75_192_quant';

t.test(
  'a board that gets hot gets a smaller network, and no frame is lost',
  { skip: existsSync(join(mirror, `${FLOOR}.tflite`)) ? false : 'no models in the mirror' },
  async (t) => {
    const folder = t.testdir();
    await openShelf({ dir: join(folder, 'models'), mirror, env: {} }).pull(NAMES);
    const sysfs = join(folder, 'sys');
    const zone = join(sysfs, 'class/thermal/thermal_zone0');
    mkdirSync(zone, { recursive: true });
    writeFileSync(join(zone, 'type'), 'cpu-thermal\n');
    const heat = (celsius: number) =>
      writeFileSync(join(zone, 'temp'), `${Math.round(celsius * 1000)}\n`);
    heat(55);
    const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
    t.teardown(() => broker.close());
    const decisions: { model: string; mode: string; reason: string; temperature: number }[] = [];
    const listener = await mqtt.connectAsync(broker.url);
    t.teardown(() => listener.endAsync());
    listener.on('message', (_topic, payload) => decisions.push(JSON.parse(payload.toString())));
    await listener.subscribeAsync('mobilenetd/board/governor', { qos: 1 });
    const file = join(folder, 'config.yaml');
    writeFileSync(
      file,
      [
        'node: board',
        'model: { task: classify, top: 1 }',
        'presence: { enter: 0.02, stay: 0.01 }',
        'store: { detection_interval: 0.1 }',
        `governor: { sysfs_root: ${sysfs}, floor_size: 128 }`,
        `mqtt: { url: "${broker.url}" }`,
        'cameras: { front: { source: demo, fps: 10 } }',
      ].join('\n'),
    );
    const daemon = spawn(process.execPath, ['dist/cli/main.js', 'run', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, HOME: folder, MOBILENETD_STATE: folder },
    });
    let log = '';
    daemon.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    const exited = once(daemon, 'exit');
    const until = async (fits: () => boolean) => {
      for (let tries = 0; tries < 300 && !fits(); tries += 1) await delay(50);
      return fits();
    };
    t.ok(await until(() => decisions.at(-1)?.model === TOP), `cool: the best one. ${log}`);
    for (let celsius = 60; celsius <= 84; celsius += 3) {
      heat(celsius);
      await delay(700);
    }
    const isFloor = () => decisions.at(-1)?.model === FLOOR;
    t.ok(await until(isFloor), `hot: the smallest one. ${JSON.stringify(decisions.at(-1))}`);
    t.match(decisions.at(-1)?.reason, /0\.25\/128/, 'the reason names the network');
    await delay(1500);
    daemon.kill('SIGTERM');
    const [code] = await exited;
    t.equal(code, 0, log);

    const store = openStore({
      file: join(folder, 'mobilenetd.db'),
      commitInterval: 2,
      detectionInterval: 1,
      retention: { days: 30, maxBytes: 1e9 },
      outbox: { maxAge: 3600, maxRows: 1000 },
    });
    t.teardown(() => store.close());
    const rows = [...store.detections({ limit: 10_000 })];
    t.equal(rows[0]?.model, TOP, 'the first rows name the large network');
    t.equal(rows.at(-1)?.model, FLOOR, 'the last ones the small network');
    const gaps = rows.slice(1).map((row, index) => row.time - (rows[index]?.time ?? 0));
    t.ok(Math.max(...gaps) < 1500, `labels never paused for long: ${Math.max(...gaps)} ms`);
    const noted = store.governorLog(0, 1000);
    t.ok(noted.length >= 2, 'the decisions are in the database');
    t.equal(noted[0]?.high, TOP);
    t.equal(noted.at(-1)?.low, FLOOR);
    t.ok(
      noted.every((entry, index) => entry.time > (noted[index - 1]?.time ?? 0)),
      'in order',
    );
  },
);
