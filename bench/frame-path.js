// What becomes of a frame after its inference, with pictures of events, zones and rules off:
// `node bench/frame-path.js OTHER_DIST [TURNS]` after a build. Presence, database and signals take frames of a
// camera, beside those of another build of this program (an earlier version's dist); the two take turns. Prints
// the middle of the processor's time for a frame, and of the turns' ratios; ends with 1 when this build
// takes more of it than its bar.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * What may be the noise of a busy machine, µs of processor more: no more is allowed. Where networks take
 * turns, pictures are compared once a second.
 */
const BARS_US = { alone: 0.5, ladder: 3 };
const [other = 'dist', turns = '41'] = process.argv.slice(2);
const FRAMES = 2000;
/** Frames after which everybody has come and rests: an event is written then, and is not what is measured. */
const SETTLED = 200;
const INTERVAL = 100;
const PRESENCE = { enter: 0.6, stay: 0.4, offDelay: 5, minFrames: 2, labels: {}, groups: {} };
const [WIDTH, HEIGHT] = [640, 480];
const bytes = new Uint8Array(WIDTH * HEIGHT * 3).fill(90);
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const folder = mkdtempSync(join(tmpdir(), 'frame-path-'));

/** The parts of a build that a frame passes. */
async function build(dist, name) {
  const load = (file) => import(pathToFileURL(resolve(dist, file)).href);
  const { createPresence } = await load('presence/presence.js');
  const { openStore } = await load('store/store.js');
  const { Recorder } = await load('daemon/line/recorder.js');
  const { keepLabels } = await load('daemon/line/labels.js');
  const { Signals } = await load('daemon/signals.js');
  const { eventPayload } = await load('mqtt/publish/payloads.js');
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const store = openStore({
    file: join(folder, name, 'mobilenetd.db'),
    ...{ commitInterval: 2, detectionInterval: 1, retention: { days: 30, maxBytes: 1e9 } },
    outbox: { maxAge: 3600, maxRows: 10_000 },
  });
  let ids = 0;
  return {
    store,
    /** Microseconds of processor of a frame. */
    turn(frames, isMixed) {
      const signals = new Signals(log);
      const messagesOf = (events) =>
        events.map((event) => ({
          ...{
            topic: 'mobilenetd/porch/front/events',
            payload: JSON.stringify(eventPayload(event)),
          },
          ...{ qos: 1, retain: false },
        }));
      const recorder = new Recorder({ store, messagesOf, signals });
      recorder.setMixed?.(isMixed);
      const createId = () => `${name}-${String(++ids).padStart(30, '0')}`;
      const camera = {
        name: 'front',
        presence: createPresence('front', { ...PRESENCE, createId }),
        filter: (result) => ({ ...result, labels: keepLabels(result.labels, null) }),
      };
      const pass = ({ result, frame }) => recorder.record(camera, result, frame);
      for (const each of frames.slice(0, SETTLED)) pass(each);
      const measured = frames.slice(SETTLED);
      const before = process.cpuUsage();
      for (const each of measured) pass(each);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / measured.length;
    },
  };
}

function framesOf(count, boxes) {
  return Array.from({ length: FRAMES }, (_, n) => {
    const at = n * INTERVAL;
    const moment = { camera: 'front', sequence: n + 1, capturedAt: at, time: 1.7e12 + at };
    const labels = Array.from({ length: count }, (_, k) => ({
      ...{ index: 1, label: boxes ? 'person' : `label ${k}, another`, score: 0.9 - 0.01 * k },
      box: boxes ? [(k % 10) * 60 + 8 * Math.sin(at / 900 + k), 10, 40, 50] : null,
    }));
    const timings = { decode: 0, preprocess: 1, inference: 10, postprocess: 1 };
    return {
      result: { ...moment, model: 'net', alpha: 1, size: 300, labels, timings },
      frame: { ...moment, width: WIDTH, height: HEIGHT, format: 'rgb24', range: 'full', bytes },
    };
  });
}

const [mine, theirs] = [await build('dist', 'mine'), await build(other, 'theirs')];
let missed = false;
for (const [count, boxes, isMixed] of [
  [0, true, false],
  [1, true, false],
  [5, true, false],
  [5, false, false],
  [5, true, true],
]) {
  const frames = framesOf(count, boxes);
  const [own, before, ratios] = [[], [], []];
  for (let n = 0; n < Number(turns); n += 1) {
    const order = n % 2 === 0 ? [mine, theirs] : [theirs, mine];
    const times = new Map(order.map((each) => [each, each.turn(frames, isMixed)]));
    // The first turns are V8's.
    if (n < Number(turns) / 5) continue;
    own.push(times.get(mine));
    before.push(times.get(theirs));
    ratios.push(times.get(mine) / times.get(theirs));
  }
  const ratio = median(ratios);
  const more = median(own.map((each, n) => each - before[n]));
  const bar = isMixed ? BARS_US.ladder : BARS_US.alone;
  if (more > bar) missed = true;
  const figures = `${median(own).toFixed(1)} µs a frame, before ${median(before).toFixed(1)} µs`;
  const verdict = more <= bar ? 'ok' : `MISSED (bar ${bar} µs more)`;
  const what = `${count} ${boxes ? 'objects' : 'labels'}${isMixed ? ', a ladder' : ''}`;
  console.log(`${what}: ${figures}, ratio ${ratio.toFixed(2)}  ${verdict}`);
}
mine.store.close();
theirs.store.close();
rmSync(folder, { recursive: true });
process.exitCode = missed ? 1 : 0;
