// A busy month in minutes: `node bench/month.js [DAYS [SECONDS]]` after a build. The real database, shelf of pictures and
// retention on a clock that runs as fast as the disk: four cameras, each with an event every so many SECONDS (600;
// 80 at least) that lasts 20 s, a detection a second of it, its messages, and a picture of 24 kB. The bounds are small, so that the
// month fills them many times over. Prints the largest sizes there were and what was written; ends with 1 when a
// size was above its bound, a row of an event that is over is left without bound, or a picture has no event.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventPayload } from '../dist/mqtt/publish/payloads.js';
import { PictureShelf } from '../dist/store/picture-shelf.js';
import { openStore } from '../dist/store/store.js';

const DAYS = Number(process.argv[2] ?? 30);
const BOUNDS = { database: 12e6, pictures: 30e6, days: 30, pictureDays: 7 };
const CAMERAS = ['front', 'back', 'yard', 'door'];
const EVENT_EVERY_S = Number(process.argv[3] ?? 600);
const EVENT_S = 20;
/** Rounds between two sweeps of the pictures: the daemon's ten minutes at the least. */
const LOOK_EVERY = Math.max(8, Math.floor(600 / EVENT_EVERY_S));
const PICTURE = Buffer.alloc(24_000, 7);
PICTURE.set([0xff, 0xd8]);

/** A clock whose timers run when it is moved. */
function createClock(start) {
  let time = start;
  let next = 0;
  const timers = new Map();
  return {
    wall: () => time,
    now: () => time - start,
    setTimer(callback, delay) {
      const id = ++next;
      timers.set(id, { at: time + delay, callback });
      return () => void timers.delete(id);
    },
    advance(ms) {
      const end = time + ms;
      for (;;) {
        let due = null;
        for (const [id, { at }] of timers) {
          if (at <= end && (due === null || at < timers.get(due).at)) due = id;
        }
        if (due === null) break;
        const { at, callback } = timers.get(due);
        timers.delete(due);
        time = Math.max(time, at);
        callback();
      }
      time = end;
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), 'month-'));
const clock = createClock(Date.UTC(2026, 4, 1));
const store = openStore({
  file: join(folder, 'mobilenetd.db'),
  ...{ commitInterval: 10, detectionInterval: 1, clock, isSynchronised: () => true },
  retention: { days: BOUNDS.days, maxBytes: BOUNDS.database },
  outbox: { maxAge: 3600, maxRows: 10_000 },
});
const shelf = new PictureShelf(folder, {
  ...{ days: BOUNDS.pictureDays, maxBytes: BOUNDS.pictures },
});
const gone = [];
store.onRemoved((ids) => gone.push(...ids));
const seen = { model: 'net', alpha: 1, size: 300 };
const [none, box] = [
  { object: null, zones: [], loitering: [], stationary: false },
  [10, 20, 80, 90],
];
const most = { database: 0, pictures: 0 };
const made = { events: 0, detections: 0, pictures: 0 };

function record(event) {
  const message = {
    ...{ topic: `mobilenetd/porch/${event.camera}/events`, qos: 1, retain: false },
    payload: JSON.stringify(eventPayload(event)),
  };
  store.recordEvents([event], [message]);
  for (const { id } of store.outbox.next(100)) store.outbox.acknowledge(id);
}

const picturesFolder = join(folder, 'pictures');
const pictureBytes = () =>
  readdirSync(picturesFolder).reduce(
    (sum, name) => sum + statSync(join(picturesFolder, name)).size,
    0,
  );

async function oneRound(number) {
  for (const [at, camera] of CAMERAS.entries()) {
    const id = `${camera}-${String(number).padStart(30, '0')}`;
    const start = clock.wall();
    const event = {
      ...{
        id,
        type: 'new',
        camera,
        label: ['person', 'car', 'cat'][(number + at) % 3],
        score: 0.8,
      },
      ...{ start, end: null, ...seen, ...none, count: 1, box, subLabel: null, subScore: null },
    };
    await shelf.write(id, PICTURE, { ...event, time: start, width: 640, height: 480 });
    await utimes(shelf.fileOf(id), start / 1000, start / 1000);
    record(event);
    made.events += 1;
    made.pictures += 1;
    for (let second = 0; second < EVENT_S; second += 1) {
      clock.advance(1000);
      const result = {
        ...{ camera, sequence: second, capturedAt: clock.now(), time: clock.wall(), ...seen },
        labels: [{ index: 1, label: event.label, score: 0.8, box }],
        timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
      };
      store.recordResult(result, new Map([[event.label, id]]));
      made.detections += 1;
      most.database = Math.max(most.database, store.sizeBytes());
    }
    record({ ...event, type: 'end', end: clock.wall() });
  }
  clock.advance((EVENT_EVERY_S - EVENT_S * CAMERAS.length) * 1000);
  for (const id of gone.splice(0)) await shelf.remove(id);
}

const began = performance.now();
const rounds = Math.floor((DAYS * 86_400) / EVENT_EVERY_S);
for (let number = 0; number < rounds; number += 1) {
  await oneRound(number);
  // Just before they are looked at is when most are there.
  if (number % LOOK_EVERY !== LOOK_EVERY - 1) continue;
  most.pictures = Math.max(most.pictures, pictureBytes());
  await shelf.sweep((id) => store.hasEvent(id), store.certainTime(BOUNDS.pictureDays));
}
store.sweep();
const orphans = readdirSync(picturesFolder).filter(
  (name) => store.event(name.split('.')[0]) === null,
);
const open = store.openEvents().length;
store.close();
rmSync(folder, { recursive: true });

const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
let missed = orphans.length > 0 || open > 0;
console.log(
  `${DAYS} days in ${((performance.now() - began) / 1000).toFixed(0)} s: ${made.events} events, ${made.detections} detections, ${made.pictures} pictures (${mb(made.pictures * PICTURE.length)})`,
);
for (const what of ['database', 'pictures']) {
  const bar = BOUNDS[what];
  if (most[what] > bar) missed = true;
  console.log(
    `${what}: at most ${mb(most[what])}, configured ${mb(bar)}  ${most[what] <= bar ? 'ok' : 'MISSED'}`,
  );
}
console.log(`pictures without an event: ${orphans.length}, events left open: ${open}`);
process.exitCode = missed ? 1 : 0;
