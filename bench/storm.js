// Lets cameras of real processes fail at random under the daemon's own parts (supervisor, slots,
// pipeline, presence, database, broker) with a clock that runs faster, and looks at what comes out.
// The network is a judge that knows what a whole frame looks like.
// Usage: npm run bench:storm [-- --seconds 120 --speed 5 --cameras 16]
// Prints one JSON line; ends with 1 when a bar is missed.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '../dist/config/load.js';
import { connectCameras } from '../dist/daemon/cameras/connect.js';
import { createLog } from '../dist/daemon/diagnostics/log.js';
import { Line } from '../dist/daemon/line/line.js';
import { Recorder } from '../dist/daemon/line/recorder.js';
import { Messaging } from '../dist/daemon/messaging.js';
import { messagingOptionsOf } from '../dist/daemon/options/broker.js';
import { databaseFileOf, storeTuningOf } from '../dist/daemon/options/store.js';
import { startLabelStates } from '../dist/daemon/outputs/label-states.js';
import { Signals } from '../dist/daemon/signals.js';
import { openStore } from '../dist/store/store.js';
import { systemClock } from '../dist/time.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    speed: { type: 'string', default: '5' },
    cameras: { type: 'string', default: '16' },
  },
});
const [seconds, speed, count] = [values.seconds, values.speed, values.cameras].map(Number);
const [WIDTH, HEIGHT] = [128, 96];
const FAULTS_BAR = 200;
/** RSS may settle by so much after the first third, MB (10⁶ bytes). */
const GROWTH_BAR_MB = 12;

const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-storm-'));
const journal = join(folder, 'faults');
const program = join(folder, 'rpicam-vid');
const camera = resolve(import.meta.dirname ?? 'bench', 'storm-camera.js');
writeFileSync(
  program,
  `#!/bin/sh\nSTORM_LOG='${journal}' exec '${process.execPath}' '${camera}' "$@"\n`,
);
chmodSync(program, 0o755);

const cameras = Object.fromEntries(
  Array.from({ length: count }, (_, index) => [
    `camera${index}`,
    {
      source: 'libcamera',
      size: [WIDTH, HEIGHT],
      fps: 20,
      stall_timeout: 30,
    },
  ]),
);
const { config } = loadConfig({
  systemFile: '/nowhere',
  env: {},
  flags: { node: 'storm', cameras, state_dir: folder, 'mqtt.embedded.listen': '127.0.0.1:0' },
});
const log = createLog({ ...config.log, level: 'error', destination: process.stderr });
const store = openStore({ file: databaseFileOf(config), ...storeTuningOf(config), log });
const messaging = await Messaging.open(messagingOptionsOf(config), {
  outbox: store.outbox,
  pictureTimeOf: () => null,
  log,
});

let whole = 0;
let broken = 0;
/** Luma is one number, Cb 100, Cr 200: what the stand-in writes. */
function isWhole({ width, height, bytes }) {
  const luma = width * height;
  return (
    width === WIDTH &&
    height === HEIGHT &&
    bytes.subarray(0, luma).every((byte) => byte === bytes[0] && byte < 200) &&
    bytes.subarray(luma, luma * 1.25).every((byte) => byte === 100) &&
    bytes.subarray(luma * 1.25).every((byte) => byte === 200)
  );
}
const engine = {
  async infer(frame) {
    if (isWhole(frame)) whole += 1;
    else broken += 1;
    const { camera: name, sequence, capturedAt, time } = frame;
    const timings = { decode: 0, preprocess: 0, inference: 1, postprocess: 0 };
    const seen = { label: 'cup', score: whole % 40 < 20 ? 0.9 : 0.1, box: [0, 0, 9, 9] };
    const model = { model: 'judge', alpha: 1, size: 128 };
    return { camera: name, sequence, capturedAt, time, ...model, timings, labels: [seen] };
  },
};
const variant = { name: 'judge', task: 'detect', labels: ['', 'cup'] };
const clock = {
  now: () => performance.now() * speed,
  wall: () => Date.now(),
  setTimer(run, ms) {
    const timer = setTimeout(run, ms / speed);
    return () => clearTimeout(timer);
  },
};
const sources = { clock, path: folder };
const signals = new Signals(log);
startLabelStates({ signals, messaging });
const recorder = new Recorder({
  store,
  messagesOf: (events) => messaging.publisher.eventMessages(events),
  signals,
});
const line = new Line({ clock: systemClock, engine, recorder, topK: config.model.top, log });
const all = connectCameras({ line, signals, log, sources });
await all.apply(config, variant);
line.scheduler.start();
messaging.publisher.start();

const faults = () =>
  existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n').length : 0;
const begun = performance.now();
const rssMb = () => process.memoryUsage.rss() / 1e6;
await delay((seconds * 1000) / 3);
const early = rssMb();
await delay((seconds * 2000) / 3);
// Programs start slowly on a busy machine: the storm lasts until there were enough faults.
for (let more = 0; more < seconds && faults() < FAULTS_BAR; more += 1) await delay(1000);
const late = rssMb();
const provoked = faults();
const stormed = performance.now() - begun;
// Every camera comes back: each delivers in the time of one longest pause, stall and start.
const before = all.list().map((each) => each.slot.stats().delivered);
await delay(75_000 / speed);
const silent = all
  .list()
  .filter((each, index) => each.slot.stats().delivered === before[index])
  .map(({ name }) => name);
await all.stop();
await line.scheduler.stop();
await messaging.close();
store.close();
rmSync(folder, { recursive: true, force: true });

const result = {
  accelerated_minutes: Math.round((stormed * speed) / 60_000),
  faults: provoked,
  whole,
  broken,
  silent,
  rss_early_mb: Math.round(early),
  rss_late_mb: Math.round(late),
  pass: provoked >= FAULTS_BAR && broken === 0 && late - early < GROWTH_BAR_MB,
};
console.log(JSON.stringify(result));
process.exit(result.pass ? 0 : 1);
