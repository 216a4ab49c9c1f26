import t, { type Test } from 'tap';
import { openStore, type Store, type StoreOptions } from '#mobilenetd/store/store.js';
import { createTime, event, message, result, START, setup } from './sample-store.js';

const DAY = 86_400_000;
const ALL = { limit: 1e6 };

/** A database with a detection and an ended event for each of the last 28 days. */
function history(t: Test, more: Partial<StoreOptions> = {}) {
  const base = setup(t, more);
  const store = base.open();
  for (let day = 28; day >= 1; day -= 1) {
    const time = START - day * DAY;
    store.recordEvents([event({ id: `d${day}`, type: 'end', start: time, end: time + 1000 })], []);
    store.recordResult(result(time, [[`label ${day}`, 0.5]]), new Map());
  }
  store.flush();
  store.close();
  return base;
}

function kept(store: Store): number {
  return [...store.events(ALL)].length;
}

/** Opens the database as a machine whose clock says `days` from the last row. */
function startAt(base: ReturnType<typeof history>, days: number, more: Partial<StoreOptions> = {}) {
  const time = createTime(START + days * DAY);
  const store = openStore({ ...base.options, clock: time.clock, ...more });
  return { time, store };
}

const AHEAD = { 'ten years': 3650, 'ninety days': 90, 'a month and a bit': 31 };

for (const [name, days] of Object.entries(AHEAD)) {
  t.test(`a start with a clock ${name} ahead removes nothing, however often`, async (t) => {
    const base = history(t);
    for (let start = 0; start < 3; start += 1) {
      const { time, store } = startAt(base, days + start);
      // What is seen meanwhile carries the wrong time: it is no evidence for it.
      store.recordEvents(
        [event({ id: `s${start}`, type: 'end', start: time.clock.wall(), end: time.clock.wall() })],
        [],
      );
      time.advance(3 * 3_600_000);
      t.equal(kept(store), 28 + start + 1);
      store.close();
    }
    const said = base.log.lines.filter(({ message }) => message.includes('no time server has'));
    t.equal(said.length, 3, 'said once a start');
    const { time, store } = startAt(base, 1);
    time.advance(2 * DAY);
    t.ok(
      [...store.events(ALL)].every(({ start }) => start <= time.clock.wall()),
      'no future is left',
    );
    t.ok(kept(store) >= 28, 'and the history is there');
    store.close();
  });
}

t.test('a clock a little ahead removes a tenth a day at most, and says so', async (t) => {
  const base = history(t);
  const { time, store } = startAt(base, 20);
  time.advance(12 * 3_600_000);
  t.equal(kept(store), 26, 'a tenth of 28');
  t.ok(base.log.lines.some(({ message }) => /removed \d+ detections and \d+ events/.test(message)));
  store.close();
  const again = startAt(base, 20.6);
  again.time.advance(6 * 3_600_000);
  t.equal(kept(again.store), 26, 'a restart is no other day');
  again.time.advance(DAY);
  t.equal(kept(again.store), 28 - 19 - 1, 'after a day that it has run it is believed');
  again.store.close();
});

t.test(
  'what is kept beside the database ages by a clock that is believed, else by the certain time',
  (t) => {
    const base = history(t);
    const ahead = startAt(base, 3650);
    t.ok(ahead.store.certainTime(7) <= ahead.time.clock.wall() - 3600 * DAY, 'ten years ahead');
    const before = ahead.store.certainTime(7);
    ahead.time.advance(DAY / 2);
    t.equal(ahead.store.certainTime(7), before + DAY / 2, 'it grows while the daemon runs');
    ahead.store.close();
    const near = startAt(base, 1, { isSynchronised: () => true });
    t.equal(near.store.certainTime(7), near.time.clock.wall());
    near.store.close();
    const steady = startAt(base, 2);
    steady.time.advance(1.1 * DAY);
    t.equal(steady.store.certainTime(7), steady.time.clock.wall(), 'after a day without being set');
    steady.store.close();
    t.end();
  },
);

t.test('a clock that a time server has set is believed', async (t) => {
  const base = history(t);
  const near = startAt(base, 20, { isSynchronised: () => true });
  near.time.advance(60_000);
  t.equal(kept(near.store), 9, 'at once, when it is near as well');
  near.store.close();
  const far = startAt(base, 90, { isSynchronised: () => true });
  far.time.advance(60_000);
  t.equal(kept(far.store), 9, 'a tenth, when the board was away for long');
  far.time.advance(1.1 * DAY);
  t.equal(kept(far.store), 0, 'and all of it after a day');
  far.store.close();
});

t.test('rows age by the time that the daemon has run, whatever the clock says', async (t) => {
  const base = history(t, { retention: { days: 2, maxBytes: 1e9 } });
  const { time, store } = startAt(base, 5000, { retention: { days: 2, maxBytes: 1e9 } });
  time.advance(60_000);
  const before = kept(store);
  t.ok(before >= 1);
  time.advance(2.1 * DAY);
  t.equal(kept(store), 0);
  store.close();
});

const STEPS = {
  'from 1970': -START + 60_000,
  'by an hour and a half': -5_400_000,
  'back from 2051': 25 * 365 * DAY,
};

for (const [name, wrong] of Object.entries(STEPS)) {
  t.test(`a clock that is set ${name} corrects what was recorded since the start`, async (t) => {
    const { time, log, open } = setup(t);
    time.set(START + wrong);
    const store = open();
    const now = () => time.clock.wall();
    const told: number[] = [];
    store.onClockSet((step) => told.push(step));
    store.recordEvents([event({ id: 'past', type: 'end', start: now(), end: now() + 500 })], []);
    store.recordEvents([event({ id: 'open', start: now() })], [message('early')]);
    for (let n = 0; n < 2500; n += 1) {
      store.recordResult(result(now() + n, [[`label ${n}`, 0.5]]), new Map());
    }
    store.flush();
    store.recordResult(result(now(), [['late', 0.5]]), new Map());
    time.advance(1000);
    time.set(START + 1000);
    t.equal(store.outbox.next(5).length, 1, 'its messages are neither old nor of the future');
    time.advance(3000);
    t.same(told, [-wrong]);
    t.match(
      [...store.events(ALL)],
      [
        { id: 'past', start: START, end: START + 500 },
        { id: 'open', start: START },
      ],
    );
    const times = [...store.detections(ALL)].map((row) => row.time);
    t.equal(times.length, 2501);
    t.ok(
      times.every((at) => at >= START && at < START + 3000),
      'detections as well',
    );
    store.recordEvents([event({ id: 'open', type: 'end', start: START, end: START + 2000 })], []);
    t.match([...store.events(ALL)].at(-1), { id: 'open', start: START, end: START + 2000 });
    t.equal(
      log.lines.filter(({ message }) => message.includes('the wall clock was set')).length,
      1,
    );
    store.close();
  });
}

t.test('what was written under a synchronised clock stays as it is', async (t) => {
  const { time, log, open } = setup(t, { isSynchronised: () => true });
  const store = open();
  store.recordEvents([event({ id: 'e', start: START })], []);
  time.set(START + 3_600_000);
  store.flush();
  time.advance(5000);
  store.outbox.next(1);
  t.match([...store.events(ALL)], [{ id: 'e', start: START }]);
  t.match(log.lines, [{ message: 'the wall clock was set' }]);
  store.close();
});

t.test('a machine that slept has not had its clock set', async (t) => {
  const time = createTime();
  let slept = 0;
  const { open } = setup(t, { clock: time.clock, uptime: () => time.clock.now() + slept });
  const store = open();
  store.recordEvents([event({ id: 'e', start: START })], []);
  slept = 8 * 3_600_000;
  time.set(START + slept);
  time.advance(5000);
  store.outbox.next(1);
  t.match([...store.events(ALL)], [{ id: 'e', start: START }]);
  store.close();
});

t.test(
  'rows of a future that cannot be are moved back together, once the clock is known',
  async (t) => {
    const base = setup(t);
    const first = base.open();
    const future = START + 9000 * DAY;
    first.recordEvents([event({ id: 'now', type: 'end', start: START, end: START + 1 })], []);
    first.recordEvents(
      [event({ id: 'a', type: 'end', start: future, end: future + 500 })],
      [message('m')],
    );
    first.recordEvents(
      [event({ id: 'b', type: 'end', start: future + 60_000, end: future + 61_000 })],
      [],
    );
    first.recordResult(result(future + 60_000, [['x', 0.5]]), new Map());
    first.close();
    const unknown = openStore(base.options);
    base.time.advance(60_000);
    t.equal(
      [...unknown.events(ALL)].at(-1)?.start,
      future + 60_000,
      'not on the word of this clock',
    );
    unknown.close();
    const known = openStore({ ...base.options, isSynchronised: () => true });
    base.time.advance(60_000);
    const now = base.time.clock.wall();
    const [, a, b] = [...known.events(ALL)];
    t.ok((b?.start ?? 0) <= now && (b?.start ?? 0) > now - 120_000);
    t.equal((b?.start ?? 0) - (a?.start ?? 0), 60_000, 'with the distances they had');
    t.equal((b?.end ?? 0) - (b?.start ?? 0), 1000);
    t.same(
      [...known.detections(ALL)].map(({ time }) => time),
      [b?.start],
    );
    t.ok(base.log.lines.some(({ message }) => message.includes('times in the future, up to 2051')));
    known.close();
  },
);
