// Frame rate of a running camera before, during and after forms are measured in the background:
//
//   npm run build && node bench/profiling.js [STATE_WITH_MODELS] [VARIANTS]
//
// A daemon with the drawn camera at 10 fps, whose installed models have no profile. One JSON line.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../dist/config/load.js';
import { App } from '../dist/daemon/app.js';
import { createLog } from '../dist/daemon/diagnostics/log.js';
import { Signals } from '../dist/daemon/signals.js';

const FPS = 10;
const BEFORE_S = 8;
const AFTER_S = 8;
const models = join(process.argv[2] ?? 'var', 'models');
const name = process.argv[3] ?? 'ssdlite_mobilenet_v2_coco';

const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-profiling-'));
const { config } = loadConfig({
  env: {},
  systemFile: join(folder, 'none'),
  flags: {
    state_dir: folder,
    models_dir: models,
    'model.task': name.startsWith('ssd') ? 'detect' : 'classify',
    'model.name': name,
    cameras: { demo: { source: 'demo', fps: FPS } },
    'mqtt.embedded.listen': '127.0.0.1:0',
    'governor.enabled': false,
  },
});
const frames = [];
const lines = [];
const log = createLog({
  level: 'info',
  format: 'json',
  destination: { write: (line) => lines.push({ at: performance.now(), line: String(line) }) },
});
const signals = new Signals(log);
signals.on('labelled', ({ result: { timings } }) =>
  frames.push({ at: performance.now(), ms: timings.inference }),
);
const app = new App({ config, env: {}, log, signals, profileAfterMs: BEFORE_S * 1000 });
await app.start();
const started = performance.now();
const measuredAt = () => lines.find(({ line }) => line.includes('measured on this board'))?.at;
while (measuredAt() === undefined) await new Promise((resolve) => setTimeout(resolve, 100));
const ended = measuredAt();
await new Promise((resolve) => setTimeout(resolve, AFTER_S * 1000));
const stoppedAt = performance.now();
await app.stop(5000);
await rm(folder, { recursive: true, force: true });

/** Frames a second, and the middle time of an inference, between two moments. */
function during(from, to) {
  const within = frames.filter(({ at }) => at >= from && at < to);
  const times = within.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    fps: Number(((within.length * 1000) / (to - from)).toFixed(2)),
    inferenceMs: Number((times[times.length >> 1] ?? Number.NaN).toFixed(2)),
  };
}

const begun = started + BEFORE_S * 1000;
process.stdout.write(
  `${JSON.stringify({
    figure: 'frame rate while forms are measured',
    model: name,
    seconds: Number(((ended - begun) / 1000).toFixed(1)),
    before: during(started + 2000, begun),
    during: during(begun, ended),
    after: during(ended + 1000, stoppedAt),
  })}\n`,
);
