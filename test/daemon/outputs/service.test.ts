import t from 'tap';
import type { Verdict } from '#mobilenetd/daemon/outputs/progress.js';
import { createServiceReports, startService } from '#mobilenetd/daemon/outputs/service.js';
import { statusLine } from '#mobilenetd/daemon/outputs/status-line.js';
import { Signals } from '#mobilenetd/daemon/signals.js';
import { SILENT } from '#mobilenetd/log.js';
import { createNotifier } from '#mobilenetd/systemd/notify.js';
import { createFakeClock } from '../../fake-clock.js';

const SOUND: Verdict = { sound: true, reason: 'frames are labelled', awaitsFrames: true };
const STUCK: Verdict = {
  sound: false,
  reason: 'a frame has been in the network for 31 s',
  awaitsFrames: true,
};

/** Reports whose messages are kept; time passes only when the clock is moved. */
function reportsOf(options: { watchdogMs: number | null; works?: () => boolean }) {
  const told: string[] = [];
  const verdicts: Verdict[] = [];
  const state = { verdict: SOUND, status: '1/300 · 9.8 fps' };
  const notifier = createNotifier({
    env: { NOTIFY_SOCKET: '@nobody' },
    run: async (_file, [, ...assignments]) => {
      if (options.works?.() === false) return 1;
      told.push(assignments.join(' '));
      return 0;
    },
  });
  const clock = createFakeClock();
  const reports = createServiceReports({
    clock,
    notifier,
    watchdogMs: options.watchdogMs,
    judge: () => state.verdict,
    status: () => state.status,
    onVerdict: (verdict) => verdicts.push(verdict),
  });
  return { reports, told, verdicts, state, clock };
}

t.test('the start is extended until a frame is labelled, then the watchdog is fed', async (t) => {
  const { reports, told } = reportsOf({ watchdogMs: 30_000 });
  t.teardown(() => reports.stop());
  await reports.report();
  t.notOk(reports.ready());
  reports.sayReady();
  await reports.report();
  t.ok(reports.ready());
  t.same(told, [
    'EXTEND_TIMEOUT_USEC=30000000 STATUS=1/300 · 9.8 fps',
    'READY=1',
    'WATCHDOG=1 STATUS=1/300 · 9.8 fps',
    'WATCHDOG=1 STATUS=1/300 · 9.8 fps',
  ]);
});

t.test('nothing feeds the watchdog, or extends the start, of a daemon that is stuck', async (t) => {
  const { reports, told, verdicts, state } = reportsOf({ watchdogMs: 30_000 });
  t.teardown(() => reports.stop());
  state.verdict = STUCK;
  await reports.report();
  await reports.report();
  t.same(told, [`STATUS=stuck: ${STUCK.reason}`]);
  reports.sayReady();
  await reports.report();
  t.same(told.slice(1), ['READY=1']);
  t.same(verdicts, [STUCK], 'it is told once');
  state.verdict = SOUND;
  await reports.report();
  t.same(told.slice(2), ['WATCHDOG=1 STATUS=1/300 · 9.8 fps']);
  t.same(verdicts, [STUCK, SOUND]);
});

t.test('READY is said again until it is heard', async (t) => {
  let works = false;
  const { reports, told } = reportsOf({ watchdogMs: null, works: () => works });
  t.teardown(() => reports.stop());
  reports.sayReady();
  await reports.report();
  t.notOk(reports.ready());
  works = true;
  await reports.report();
  t.ok(reports.ready());
  t.equal(told[0], 'READY=1');
});

t.test('where no camera is meant to deliver, READY waits for none', async (t) => {
  const { reports, told, state } = reportsOf({ watchdogMs: 30_000 });
  t.teardown(() => reports.stop());
  state.verdict = { sound: true, reason: 'front disabled', awaitsFrames: false };
  await reports.report();
  t.ok(reports.ready());
  t.equal(told[0], 'READY=1');
});

t.test('without a watchdog only what has changed is told', async (t) => {
  const { reports, told, state } = reportsOf({ watchdogMs: null });
  t.teardown(() => reports.stop());
  reports.sayReady();
  await reports.report();
  await reports.report();
  state.status = '1/300 · 9.9 fps';
  await reports.report();
  t.same(told, ['READY=1', 'STATUS=1/300 · 9.8 fps', 'STATUS=1/300 · 9.9 fps']);
});

t.test('the status line reads as documented', async (t) => {
  const facts = { alpha: 0.75, size: 192, fps: 9.83, temperature: 63.7, labels: ['person'] };
  t.equal(statusLine({ ...facts, away: [] }), '0.75/192 · 9.8 fps · 64 °C · person');
  t.equal(
    statusLine({ ...facts, alpha: null, temperature: null, labels: [], away: ['front offline'] }),
    '192 px · 9.8 fps · front offline',
  );
  const labels = ['a', 'b', 'a', 'c', 'd', 'e', 'f', 'g'];
  t.equal(
    statusLine({ ...facts, labels, away: [] }),
    '0.75/192 · 9.8 fps · 64 °C · a, b, c, d, e · and 2 more',
  );
});

t.test('it reports by itself, thrice as often as the watchdog wants it', async (t) => {
  const { reports, told, clock } = reportsOf({ watchdogMs: 6000 });
  reports.sayReady();
  await clock.advance(0);
  told.length = 0;
  await clock.advance(6000);
  t.same(told, Array(3).fill('WATCHDOG=1 STATUS=1/300 · 9.8 fps'));
  reports.stop();
  t.equal(clock.pending(), 0);
});

t.test(
  'a unit whose cameras deliver nothing counts as started after a quarter of a minute',
  async (t) => {
    const told: string[] = [];
    const clock = createFakeClock();
    const notifier = createNotifier({
      env: { NOTIFY_SOCKET: '@nobody' },
      run: async (_file, [, ...assignments]) => {
        told.push(assignments.join(' '));
        return 0;
      },
    });
    const stop = startService({
      clock,
      service: { notifier, watchdogMs: null, readyWithoutFrame: false },
      signals: new Signals(SILENT),
      daemon: { phase: () => 'starting', phaseSince: () => 0, doing: () => 'converting the model' },
      log: SILENT,
    } as unknown as Parameters<typeof startService>[0]);
    await clock.advance(14_999);
    t.notOk(notifier.isReady());
    await clock.advance(1);
    t.ok(notifier.isReady());
    await clock.advance(1_800_000);
    t.equal(told.at(-1), 'STATUS=stuck: starting', 'a start that does not get on for half an hour');
    await stop();
    t.equal(clock.pending(), 0);
  },
);
