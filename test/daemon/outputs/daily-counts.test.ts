// A process of its own: it sets the time zone.
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DailyCounts } from '#mobilenetd/daemon/outputs/daily-counts.js';
import { type CameraView, Signals } from '#mobilenetd/daemon/signals.js';
import { SILENT } from '#mobilenetd/log.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { openStore } from '#mobilenetd/store/store.js';
import { createTime } from '../../store/sample-store.js';
import { WHOLE_PICTURE } from '../../whole-picture.js';

// Clocks go forward at 2:00 on 29 March 2026, and back at 3:00 on 25 October.
process.env.TZ = 'Europe/Berlin';

const FRONT: CameraView = {
  name: 'front',
  labels: ['person'],
  status: () => 'online',
  reason: () => null,
  zones: [],
  open: () => [],
  inZones: () => [],
};

function setUp(t: Test, start: string, folder = t.testdir()) {
  const time = createTime(Date.parse(start));
  const store = openStore({
    file: join(folder, 'mobilenetd.db'),
    ...{ commitInterval: 60, detectionInterval: 1, retention: { days: 30, maxBytes: 1e9 } },
    ...{ outbox: { maxAge: 3600, maxRows: 1000 }, clock: time.clock },
  });
  const signals = new Signals(SILENT);
  const shown = new Map<string, string>();
  const counts = new DailyCounts({
    ...{ signals, store, clock: time.clock },
    publisher: () => ({
      setLabel(camera, label, topic, payload) {
        shown.set(`${camera}/${label}/${topic}`, String(payload));
      },
    }),
  });
  signals.emit('cameras', { cameras: [FRONT], added: ['front'], removed: [], rebuilt: [] });
  let last = 0;
  const see = (label: string, camera = 'front', at = time.clock.wall()) => {
    last += 1;
    const event: PresenceEvent = {
      ...{ id: `${camera}-${label}-${at}-${last}`, type: 'new', camera, label, score: 0.9 },
      ...{ start: at, end: null, model: 'm', alpha: 1, size: 300, count: 1, box: null },
      ...WHOLE_PICTURE,
    };
    store.recordEvents([event], []);
    signals.emit('events', { events: [event], result: null, sightings: new Map() });
  };
  const close = () => {
    counts.stop();
    store.close();
  };
  const of = (label: string) => shown.get(`front/${label}/countToday`);
  return { time, shown, of, see, close, folder };
}

const HOUR = 3_600_000;

t.test('counts what began today, and goes back to 0 at local midnight', async (t) => {
  const { time, of, see, close } = setUp(t, '2026-06-01T20:00:00Z');
  t.equal(of('person'), '0', 'known before it is seen');
  see('person');
  see('person');
  see('cat');
  see('cat', 'gone');
  time.advance(1000);
  t.equal(of('person'), '2');
  t.equal(of('cat'), '1');
  time.advance(2 * HOUR - 2000);
  t.equal(of('person'), '2', 'a second before midnight in Berlin');
  time.advance(2000);
  t.equal(of('person'), '0');
  t.equal(of('cat'), '0');
  see('cat');
  time.advance(1000);
  t.equal(of('cat'), '1');
  close();
});

for (const [what, start, hours] of [
  ['23 hours', '2026-03-28T23:30:00Z', 23],
  ['25 hours', '2026-10-24T22:30:00Z', 25],
] as const) {
  t.test(`a day of ${what}`, async (t) => {
    const { time, of, see, close } = setUp(t, start);
    see('person');
    time.advance((hours - 1) * HOUR);
    see('person');
    time.advance(1000);
    t.equal(of('person'), '2', 'both are of this day');
    time.advance(HOUR);
    t.equal(of('person'), '0');
    close();
  });
}

t.test('a restart counts from the database, also over midnight', async (t) => {
  const first = setUp(t, '2026-06-01T20:00:00Z');
  first.see('person');
  first.close();
  const again = setUp(t, '2026-06-01T21:00:00Z', first.folder);
  t.equal(again.of('person'), '1');
  again.close();
  const nextDay = setUp(t, '2026-06-01T23:00:00Z', first.folder);
  t.equal(nextDay.of('person'), '0');
  nextDay.close();
});

t.test('a burst is counted once, and a clock that is set is followed', async (t) => {
  const { time, of, see, shown, close } = setUp(t, '2026-06-01T10:00:00Z');
  for (let each = 0; each < 500; each += 1) see('person');
  t.equal(of('person'), '0');
  time.advance(1000);
  t.equal(of('person'), '500');
  shown.clear();
  time.set(time.clock.wall() + 24 * HOUR);
  time.advance(60_000);
  t.ok(shown.has('front/person/countToday'), 'within a minute');
  close();
});
