import { join } from 'node:path';
import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { Recorder } from '#mobilenetd/daemon/line/recorder.js';
import { Signals } from '#mobilenetd/daemon/signals.js';
import type { Result } from '#mobilenetd/inference/result.js';
import { SILENT } from '#mobilenetd/log.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { createPresence } from '#mobilenetd/presence/presence.js';
import { openStore } from '#mobilenetd/store/store.js';
import { lastingFolder } from '../../lasting-folder.js';
import { createTime, result, START } from '../../store/sample-store.js';

const CLOCKS = {
  'in 1970': 60_000,
  'a day behind': START - 86_400_000,
  'ten years ahead': START + 3650 * 86_400_000,
};

const PICTURE = {
  ...{ format: 'rgb24', width: 8, height: 8, unmoved: false },
  bytes: new Uint8Array(8 * 8 * 3),
};

for (const [name, wrong] of Object.entries(CLOCKS)) {
  t.test(
    `what is present when a clock that is ${name} is set is told anew, with its true start`,
    async (t) => {
      const time = createTime();
      time.set(wrong);
      const store = openStore({
        file: join(lastingFolder(t), 'mobilenetd.db'),
        commitInterval: 2,
        detectionInterval: 1,
        retention: { days: 30, maxBytes: 1e9 },
        outbox: { maxAge: 3600, maxRows: 1000 },
        clock: time.clock,
      });
      t.teardown(() => store.close());
      const told: PresenceEvent[] = [];
      const signals = new Signals(SILENT);
      signals.on('presence', ({ events }) => told.push(...events));
      const recorder = new Recorder({
        store,
        signals,
        messagesOf: (events) =>
          events.map((event) => ({
            topic: 't',
            payload: JSON.stringify(event),
            qos: 1,
            retain: false,
          })),
      });
      const presence = createPresence('front', {
        ...{ enter: 0.6, stay: 0.4, offDelay: 5, minFrames: 2, labels: {}, groups: {} },
        createId: () => 'e1',
      });
      const camera = { name: 'front', presence, filter: (given: Result) => given };
      store.onClockSet((ms) => recorder.moveTimes([camera], ms));
      const look = (labels: [string, number][]) => {
        const at = { ...result(time.clock.wall(), labels), capturedAt: time.clock.now() };
        recorder.record(camera, at, { ...PICTURE, capturedAt: at.capturedAt } as Frame);
        time.advance(500);
      };
      for (let n = 0; n < 4; n += 1) look([['person', 0.9]]);
      t.match(told, [{ type: 'new', start: wrong + 500 }]);
      time.set(START + 2000);
      look([['person', 0.9]]);
      const began = START + 500;
      t.match(told.slice(1), [{ id: 'e1', type: 'update', start: began, end: null }]);
      for (let n = 0; n < 16; n += 1) look([]);
      t.match(told.at(-1), { id: 'e1', type: 'end', start: began });
      const end = told.at(-1)?.end ?? 0;
      t.ok(end >= began && end <= START + 3000, `it lasted ${end - began} ms`);
      t.match([...store.events({ limit: 10 })], [{ id: 'e1', start: began, end }]);
      const sent = store.outbox
        .next(10)
        .map(({ payload }) => JSON.parse(Buffer.from(payload).toString()));
      t.match(sent.slice(1), [{ start: began }, { start: began, end }], 'messages as well');
    },
  );
}
