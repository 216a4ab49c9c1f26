import t from 'tap';
import { type HealthSources, startHealth } from '#mobilenetd/daemon/outputs/health.js';
import { createFakeClock, START_MS } from '../../fake-clock.js';

/** A daemon without cameras; what it publishes is kept. */
function setUp(phase: 'starting' | 'running') {
  const clock = createFakeClock();
  const published: Record<string, unknown>[] = [];
  const disk = { writable: true };
  const context = {
    clock,
    store: {
      health: () => ({ ...disk, error: null, waiting: 0, dropped: { detections: 0, events: 0 } }),
      outbox: { depth: () => 0, dropped: () => 0 },
    },
    line: {
      meter: { read: () => ({ fps: 0, latencyMs: null, ageMs: null }) },
      scheduler: { stats: () => ({ failed: 0 }) },
      taught: { counts: () => ({ busyMs: 0 }) },
    },
    cameras: { list: () => [] },
    governor: { heat: () => null, state: () => null },
    daemon: { phase: () => phase, startedAt: () => -1000 },
    messaging: {
      publisher: {
        setHealth: (payload: Record<string, unknown>) => published.push(payload),
        delivery: () => ({}),
      },
    },
    eventPictures: { figures: () => null },
    notifications: { reports: () => [] },
    second: { network: null },
    taught: { tasks: () => [], labels: () => [], unusable: () => [], fault: () => null },
  } as unknown as HealthSources;
  return { clock, published, disk, stop: startHealth(context) };
}

t.test('the first figures come after five seconds, then once a minute', async (t) => {
  const { clock, published, stop } = setUp('starting');
  await clock.advance(4999);
  t.same(published, []);
  await clock.advance(1);
  t.match(published, [{ time: new Date(START_MS + 5000).toISOString(), uptime_s: 6 }]);
  await clock.advance(115_000);
  t.same(
    published.map(({ uptime_s }) => uptime_s),
    [6, 61, 121],
  );
  await stop();
  t.equal(clock.pending(), 0);
});

t.test('a daemon that runs already has figures at once', async (t) => {
  const { clock, published, stop } = setUp('running');
  t.match(published, [{ uptime_s: 1 }]);
  await clock.advance(5000);
  t.equal(published.length, 1);
  await stop();
});

t.test('a disk that fails, and one that works again, is told within five seconds', async (t) => {
  const { clock, published, disk, stop } = setUp('running');
  disk.writable = false;
  await clock.advance(5000);
  t.match(published.at(-1), { database_failing: true });
  await clock.advance(30_000);
  t.equal(published.length, 2, 'once');
  disk.writable = true;
  await clock.advance(5000);
  t.match(published.at(-1), { database_failing: false });
  t.equal(published.length, 3);
  await stop();
});
