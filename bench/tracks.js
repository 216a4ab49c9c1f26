// What telling objects apart costs: `node bench/tracks.js [SECONDS [OTHER_DIST]]` after a build. Prints the time
// of a frame in presence with so many objects, beside that of another build of this program (OTHER_DIST, e.g. an
// earlier version's dist; the two take turns, medians), and then what presence and the database take together
// at 200 detections a second for SECONDS (default 60): share of a core, and bytes written a second. Each figure
// has its bar; ends with 1 when one is missed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const BARS = { frameMs: 0.1, corePercent: 3, writtenKb: 40 };
const seconds = Number(process.argv[2] ?? 60);
const other = process.argv[3];
const FRAMES = 3000;
const TURNS = 15;

const load = (dist, file) => import(pathToFileURL(resolve(dist, file)).href);
const { createPresence } = await load('dist', 'presence/presence.js');
const { openStore } = await load('dist', 'store/store.js');
const { eventPayload } = await load('dist', 'mqtt/publish/payloads.js');
const before = other === undefined ? null : await load(other, 'presence/presence.js');

const OPTIONS = {
  ...{ enter: 0.6, stay: 0.4, offDelay: 5, minFrames: 2, labels: {}, groups: {} },
};
let ids = 0;
const createId = () => `event-${String(++ids).padStart(30, '0')}`;
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const verdict = (value, bar) => (value <= bar ? 'ok' : `MISSED (bar ${bar})`);
let missed = false;
const judge = (text, value, bar) => {
  if (value > bar) missed = true;
  console.log(`${text}  ${verdict(value, bar)}`);
};

/** A frame with so many people who walk up and down. */
function resultOf(camera, frame, count, interval, boxes = true) {
  const at = frame * interval;
  const labels = Array.from({ length: count }, (_, n) => ({
    ...{ index: 1, label: boxes ? 'person' : `label ${n}`, score: 0.7 + 0.02 * ((frame + n) % 5) },
    box: boxes
      ? [(n % 10) * 60 + 8 * Math.sin(at / 900 + n), Math.floor(n / 10) * 60, 40, 50]
      : null,
  })).sort((a, b) => b.score - a.score);
  return {
    ...{ camera, sequence: frame, capturedAt: at, time: 1.7e12 + at, model: 'net', alpha: 1 },
    ...{ size: 300, labels, timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 } },
  };
}

/** Milliseconds a frame in one turn. */
function turn(make, results) {
  const presence = make('front', { ...OPTIONS, createId });
  const started = performance.now();
  for (const result of results) presence.update(result);
  return (performance.now() - started) / results.length;
}

for (const [count, boxes] of [
  [0, true],
  [1, true],
  [5, true],
  [20, true],
  [64, true],
  [5, false],
]) {
  const results = Array.from({ length: FRAMES }, (_, n) => resultOf('front', n, count, 100, boxes));
  const [mine, theirs] = [[], []];
  for (let n = 0; n < TURNS; n += 1) {
    mine.push(turn(createPresence, results));
    if (before !== null) theirs.push(turn(before.createPresence, results));
  }
  const what = `${String(count).padStart(2)} ${boxes ? 'objects' : 'labels '}`;
  const beside = before === null ? '' : `, before ${(1000 * median(theirs)).toFixed(1)} µs`;
  judge(
    `${what}: ${(1000 * median(mine)).toFixed(1)} µs a frame${beside}`,
    median(mine),
    BARS.frameMs,
  );
}

const CAMERAS = 4;
const OBJECTS = 5;
const INTERVAL = 100;
const folder = mkdtempSync(join(tmpdir(), 'tracks-'));
const store = openStore({
  file: join(folder, 'mobilenetd.db'),
  ...{ commitInterval: 2, detectionInterval: 1, retention: { days: 30, maxBytes: 1e9 } },
  outbox: { maxAge: 3600, maxRows: 10_000 },
});
const cameras = Array.from({ length: CAMERAS }, (_, n) => ({
  name: `camera-${n}`,
  presence: createPresence(`camera-${n}`, { ...OPTIONS, createId }),
}));
const written = () =>
  Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
const [cpu, bytes, started] = [process.cpuUsage(), written(), performance.now()];
for (let frame = 0; frame * INTERVAL < seconds * 1000; frame += 1) {
  for (const { name, presence } of cameras) {
    // Somebody comes or goes every ten seconds.
    const result = resultOf(name, frame, OBJECTS - (Math.floor(frame / 100) % 2), INTERVAL);
    const now = { ...result, time: Date.now() };
    const events = presence.update(now);
    store.recordEvents(
      events,
      events.map((event) => ({
        ...{ topic: 'mobilenetd/porch/front/events', payload: JSON.stringify(eventPayload(event)) },
        ...{ qos: 1, retain: false },
      })),
    );
    for (const { id } of store.outbox.next(100)) store.outbox.acknowledge(id);
    const present = new Map(presence.present().map(({ label, eventId }) => [label, eventId]));
    store.recordResult(now, present);
  }
  const wait = started + frame * INTERVAL - performance.now();
  if (wait > 0) await delay(wait);
}
store.flush();
const wall = performance.now() - started;
const { user, system } = process.cpuUsage(cpu);
const share = (user + system) / 10 / wall;
const kb = (written() - bytes) / wall;
judge(
  `200 detections a second for ${seconds} s: ${share.toFixed(2)} % of a core`,
  share,
  BARS.corePercent,
);
judge(`${kb.toFixed(1)} kB/s written`, kb, BARS.writtenKb);
store.close();
rmSync(folder, { recursive: true });
process.exitCode = missed ? 1 : 0;
