import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import t from 'tap';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/embedded.js';
import { openStore } from '#mobilenetd/store/store.js';
import { simulatedBoard } from '#mobilenetd/thermal/simulate/simulated-board.js';

const mirror = process.env.MOBILENETD_MODELS_MIRROR ?? '../shared/models';
const FLOOR = 'mobilenet_v1_0.25_128_quant';
const TOP = 'mobilenet_v1_0.75_192_quant';
const MIDDLE = 'mobilenet_v1_0.5_160_quant';
const NAMES = [TOP, MIDDLE, FLOOR];
const PICTURE = join(
  process.env.MOBILENETD_TEST_IMAGES ?? '../shared/images',
  'n01806143_peacock.JPEG',
);
const missing = [join(mirror, `${FLOOR}.tflite`), PICTURE].find((file) => !existsSync(file));

t.setTimeout(110_000);

interface Decision {
  readonly model: string;
  readonly mix: { readonly low: string; readonly high: string; readonly fraction: number };
  readonly fps: number;
  readonly reason: string;
}

/** Simulated seconds a second: the plant is this much faster than a real one. */
const SPEED = 8;
const STEP_MS = 250;
/** Busy fraction of the simulated board at 10 frames a second, by network. */
const LOAD: Readonly<Record<string, number>> = { [TOP]: 0.9, [MIDDLE]: 0.45, [FLOOR]: 0.15 };

function loadOf(decision: Decision | undefined): number {
  if (decision === undefined) return LOAD[TOP] ?? 1;
  const { low, high, fraction } = decision.mix;
  const mixed = (LOAD[high] ?? 0) * fraction + (LOAD[low] ?? 0) * (1 - fraction);
  return 0.05 + (mixed * decision.fps) / 10;
}

t.test(
  'a board that gets hot gets a smaller network, and no frame is lost',
  { skip: missing === undefined ? false : `there is no ${missing}` },
  async (t) => {
    t.setTimeout(100_000);
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
    const decisions: Decision[] = [];
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
        'presence: { enter: 0.5, stay: 0.3 }',
        'store: { detection_interval: 0.1 }',
        `governor: { sysfs_root: ${sysfs}, floor_size: 128 }`,
        `mqtt: { url: "${broker.url}" }`,
        `cameras: { front: { source: files, path: ${resolve(PICTURE)}, loop: true, fps: 10 } }`,
      ].join('\n'),
    );
    const daemon = spawn(process.execPath, ['dist/cli/main.js', 'run', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, HOME: folder, MOBILENETD_STATE: folder },
    });
    t.teardown(() => daemon.kill('SIGKILL'));
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
    const around = { board: 'pi4-case', speed: SPEED, ambientC: 48 };
    const board = simulatedBoard(around);
    const ungoverned = simulatedBoard(around);
    for (let step = 0; step < 35_000 / STEP_MS; step += 1) {
      const { tempC } = board.step(STEP_MS / 1000, loadOf(decisions.at(-1)));
      ungoverned.step(STEP_MS / 1000, loadOf(undefined));
      heat(tempC);
      await delay(STEP_MS);
    }
    const cooler = ungoverned.dieC - board.dieC;
    t.ok(cooler > 3, `the board ends ${cooler.toFixed(1)} °C cooler than without a governor`);
    t.match(decisions.at(-1)?.reason, /°C|sensor/, 'the reason is in words');
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
    const later = rows.slice(-100).filter(({ model }) => model !== TOP).length;
    t.ok(later >= 10, `the last ones a smaller one, ${later} of 100`);
    const gaps = rows.slice(1).map((row, index) => row.time - (rows[index]?.time ?? 0));
    t.ok(Math.max(...gaps) < 1500, `labels never paused for long: ${Math.max(...gaps)} ms`);
    const stays = [...store.events({ limit: 100 })].filter(({ label }) => label === 'peacock');
    t.equal(stays.length, 1, 'the label of the picture held all the time');
    const noted = store.governorLog(0, 1000);
    t.ok(noted.length >= 2, 'the decisions are in the database');
    t.equal(noted[0]?.high, TOP);
    t.not(noted.at(-1)?.low, TOP);
    t.ok(
      noted.every((entry, index) => entry.time > (noted[index - 1]?.time ?? 0)),
      'in order',
    );
  },
);
