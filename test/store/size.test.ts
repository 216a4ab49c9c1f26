import t from 'tap';
import type { Store } from '#mobilenetd/store/contract.js';
import { event, START, setup } from './sample-store.js';

/** The smallest bound that the configuration takes. */
const MAX_BYTES = 10_000_000;
/** Time in which each load would take several times as much. */
const SECONDS = 900;
const SEEN = { model: 'net', alpha: 1, size: 300 };
const TIMINGS = { decode: 0, preprocess: 1, inference: 10, postprocess: 1 };

/** What a loud camera brings in one second. */
const LOADS: Readonly<Record<string, (store: Store, second: number) => void>> = {
  'two hundred detections a second': (store, second) => {
    for (let n = 0; n < 200; n += 1) {
      const time = START + second * 1000 + n * 5;
      const labels = [{ index: 1, label: 'person', score: 0.8, box: [10, 20, 80, 90] as const }];
      const moment = { camera: `camera ${n}`, sequence: second, capturedAt: time, time };
      store.recordResult({ ...moment, ...SEEN, labels, timings: TIMINGS }, new Map());
    }
  },
  'a hundred events a second': (store, second) => {
    for (let n = 0; n < 4; n += 1) {
      const start = START + second * 1000 + n * 250;
      const ids = Array.from({ length: 25 }, (_, at) => `${second}-${n}-${at}`);
      store.recordEvents(
        ids.map((id) => event({ id, type: 'end', start, end: start + 5 })),
        [],
      );
    }
  },
  'events with many messages': (store, second) => {
    const payload = 'x'.repeat(2000);
    const message = { topic: 'mobilenetd/porch/front/events', payload, qos: 1, retain: false };
    const start = START + second * 1000;
    const events = Array.from({ length: 50 }, (_, n) =>
      event({ id: `${second}-${n}`, type: 'end', start, end: start + 5 }),
    );
    store.recordEvents(
      events,
      events.map(() => ({ ...message, qos: 1 as const })),
    );
    for (const { id } of store.outbox.next(100)) store.outbox.acknowledge(id);
  },
};

for (const [what, load] of Object.entries(LOADS)) {
  t.test(`${what}: the database never takes more than its bound`, (t) => {
    const { time, open } = setup(t, {
      retention: { days: 30, maxBytes: MAX_BYTES },
      detectionInterval: 0,
    });
    const store = open();
    let most = 0;
    for (let second = 0; second < SECONDS; second += 1) {
      load(store, second);
      // What each commit and each sweep of this second leaves.
      for (let step = 0; step < 20; step += 1) {
        time.advance(50);
        most = Math.max(most, store.sizeBytes());
      }
    }
    t.ok(most <= MAX_BYTES, `${most} bytes at most`);
    t.ok(most > MAX_BYTES / 2, 'it was filled');
    store.close();
    t.end();
  });
}
