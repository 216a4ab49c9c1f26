import t from 'tap';
import type { CapturedFrame, Source } from '#mobilenetd/camera/source.js';
import { superviseSource } from '#mobilenetd/camera/supervisor.js';
import { codedError } from '#mobilenetd/errors.js';
import { createFakeClock, settle } from '../fake-clock.js';

const FRAME: CapturedFrame = {
  width: 1,
  height: 1,
  format: 'rgb24',
  range: 'full',
  bytes: new Uint8Array(3),
};

/** One line of the log. */
interface Failure {
  readonly code: string;
  readonly message: string;
  /** Failures that were left out before it. */
  readonly repeated?: number;
}

/** A log that keeps the supervisor's warnings. */
function logInto(failures: Failure[]) {
  return {
    info() {},
    error() {},
    warn: (fields: object, message: string) =>
      failures.push({ ...(fields as Pick<Failure, 'code'>), message }),
  };
}

/** A source driven by the test. */
interface Puppet {
  readonly source: Source;
  readonly startedAt: number;
  deliver(): void;
  end(error: Error): void;
  aborted(): boolean;
}

function stage(
  overrides: { stallTimeout?: number | null; obedient?: boolean; random?: number } = {},
) {
  const clock = createFakeClock();
  const puppets: Puppet[] = [];
  const statuses: string[] = [];
  const failures: Failure[] = [];
  const ending = new AbortController();
  let frames = 0;
  let refuse: Error | null = null;

  const createSource = (): Source => {
    let end = (_error: Error): void => {};
    let deliver = (): void => {};
    let signalOf: AbortSignal | null = null;
    const source: Source = {
      run: (signal, onFrame) =>
        new Promise((resolve) => {
          signalOf = signal;
          end = resolve;
          deliver = () => onFrame(FRAME);
          if (overrides.obedient === false) return;
          signal.addEventListener('abort', () => resolve(codedError('MND_CAMERA_STOPPED')));
        }),
    };
    puppets.push({
      source,
      startedAt: clock.now(),
      deliver: () => deliver(),
      end: (error) => end(error),
      aborted: () => signalOf?.aborted ?? false,
    });
    return source;
  };

  const done = superviseSource(
    {
      name: 'front',
      createSource,
      stallTimeout: overrides.stallTimeout === undefined ? 10 : overrides.stallTimeout,
      onFrame: () => {
        if (refuse !== null) throw refuse;
        frames += 1;
      },
      onStatus: (status, reason) => statuses.push(`${status}: ${reason ?? ''}`),
      log: logInto(failures),
      clock,
      random: () => overrides.random ?? 1,
    },
    ending.signal,
  );
  const current = (): Puppet => {
    const last = puppets.at(-1);
    if (last === undefined) throw new Error('no source was made');
    return last;
  };
  return {
    clock,
    puppets,
    statuses,
    failures,
    current,
    done,
    stop: () => ending.abort(),
    frames: () => frames,
    refuseFrames: (error: Error | null) => {
      refuse = error;
    },
  };
}

const broken = (found = 'x') => codedError('MND_CAMERA_FAILED', { found });

t.test('it is online with the first frame and offline with a reason after a failure', async (t) => {
  const { statuses, current, clock, stop, done } = stage();
  await settle();
  t.same(statuses, []);
  current().deliver();
  current().deliver();
  t.same(statuses, ['online: ']);
  current().end(broken('no cable'));
  await settle();
  t.match(statuses[1], /^offline: .*no cable/);
  await clock.advance(1000);
  current().deliver();
  t.equal(statuses[2], 'online: ');
  stop();
  await done;
  t.equal(statuses.at(-1), 'offline: stopped');
  t.equal(clock.pending(), 0, 'no timer is left');
});

t.test('the pauses double from 1 s to 60 s', async (t) => {
  const { puppets, current, clock, stop, done } = stage({ stallTimeout: null });
  for (let attempt = 0; attempt < 9; attempt += 1) {
    await settle();
    current().end(broken());
    await settle();
    await clock.advance(60_000);
  }
  // Each attempt fails at once after it began, so the distance to the next is the pause, and what
  // was left of the minute the test waited.
  const starts = puppets.map(({ startedAt }) => startedAt);
  const pauses = starts.slice(1).map((start, index) => start - index * 60_000);
  t.same(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  stop();
  await done;
});

t.test('the pauses are jittered between half and all', async (t) => {
  const { puppets, current, clock, stop, done } = stage({ random: 0 });
  await settle();
  current().end(broken());
  await settle();
  await clock.advance(499);
  t.equal(puppets.length, 1);
  await clock.advance(1);
  t.equal(puppets.length, 2);
  stop();
  await done;
});

t.test('a minute of frames starts the pauses over, less does not', async (t) => {
  for (const [seconds, pause] of [
    [59, 2000],
    [61, 1000],
  ] as const) {
    const { puppets, current, clock, stop, done } = stage();
    await settle();
    current().end(broken());
    await clock.advance(1000);
    for (let second = 0; second <= seconds; second += 1) {
      current().deliver();
      await clock.advance(1000);
    }
    const failedAt = clock.now();
    current().end(broken());
    await clock.advance(10_000);
    t.equal((puppets[2]?.startedAt ?? 0) - failedAt, pause);
    stop();
    await done;
  }
});

t.test('a source without frames is stopped after the stall timeout', async (t) => {
  const { puppets, statuses, failures, clock, stop, done } = stage({ stallTimeout: 5 });
  await clock.advance(4999);
  t.equal(puppets[0]?.aborted(), false);
  await clock.advance(1);
  t.equal(puppets[0]?.aborted(), true);
  t.match(failures, [{ code: 'MND_CAMERA_STALLED', message: /camera front/ }]);
  t.match(statuses, [/^offline: .*every 5 s/]);
  await clock.advance(1000);
  t.equal(puppets.length, 2, 'and started again');
  stop();
  await done;
});

t.test('the stall deadline moves with every frame', async (t) => {
  const { puppets, current, clock, stop, done } = stage({ stallTimeout: 5 });
  for (let frame = 0; frame < 20; frame += 1) {
    await clock.advance(4000);
    current().deliver();
  }
  t.equal(puppets.length, 1);
  await clock.advance(4999);
  t.equal(current().aborted(), false);
  await clock.advance(1);
  t.equal(puppets[0]?.aborted(), true);
  stop();
  await done;
});

t.test('without a stall timeout it is online soon, and waits for ever', async (t) => {
  const { puppets, statuses, clock, stop, done } = stage({ stallTimeout: null });
  await clock.advance(1999);
  t.same(statuses, []);
  await clock.advance(86_400_000);
  t.same(statuses, ['online: ']);
  t.equal(puppets.length, 1);
  t.equal(puppets[0]?.aborted(), false);
  stop();
  await done;
});

t.test(
  'a source that does not stop is left behind, and its late frames are not taken',
  async (t) => {
    const { puppets, failures, frames, clock, stop, done } = stage({
      stallTimeout: 5,
      obedient: false,
    });
    await clock.advance(5000 + 15_000);
    t.match(failures, [{ code: 'MND_CAMERA_STALLED' }]);
    await clock.advance(1000);
    t.equal(puppets.length, 2);
    puppets[0]?.deliver();
    t.equal(frames(), 0);
    puppets[1]?.deliver();
    t.equal(frames(), 1);
    stop();
    await clock.advance(15_000);
    await done;
    t.equal(clock.pending(), 0);
  },
);

t.test('a frame that is refused restarts the source', async (t) => {
  const { puppets, failures, statuses, current, refuseFrames, clock, stop, done } = stage();
  await settle();
  refuseFrames(codedError('MND_FRAME_INVALID', { found: 'half a frame' }));
  current().deliver();
  await settle();
  t.equal(puppets[0]?.aborted(), true);
  t.match(failures, [{ code: 'MND_FRAME_INVALID' }]);
  t.match(statuses, [/^offline: .*half a frame/], 'it was never online');
  refuseFrames(null);
  await clock.advance(1000);
  current().deliver();
  t.equal(statuses.at(-1), 'online: ');
  stop();
  await done;
});

t.test('a finite source ends and is not restarted', async (t) => {
  const { puppets, statuses, failures, current, clock, done } = stage();
  await settle();
  current().deliver();
  current().end(codedError('MND_CAMERA_ENDED', { subject: 'party.mp4' }));
  await done;
  await clock.advance(120_000);
  t.equal(puppets.length, 1);
  t.match(statuses, ['online: ', /^ended: party.mp4/]);
  t.same(failures, []);
  t.equal(clock.pending(), 0);
});

t.test('a repeating failure is reported once a minute, with a count', async (t) => {
  const { failures, current, clock, stop, done, puppets } = stage();
  let ended = 0;
  const until = clock.now() + 600_000;
  while (clock.now() < until) {
    await settle();
    if (puppets.length > ended) {
      current().end(broken(`attempt ${puppets.length}`));
      ended = puppets.length;
    }
    await clock.advance(500);
  }
  t.ok(failures.length <= 10, `${failures.length} reports in ten minutes`);
  t.equal(failures[0]?.repeated, undefined);
  t.ok((failures[1]?.repeated ?? 0) > 0);
  const counted = failures.reduce((sum, { repeated = 0 }) => sum + 1 + repeated, 0);
  t.ok(counted <= ended && counted >= ended - 2, 'no failure is lost but the ones not yet due');
  stop();
  await done;
});

t.test('another failure is reported at once', async (t) => {
  const { failures, current, clock, stop, done } = stage();
  await settle();
  current().end(broken());
  await clock.advance(1000);
  current().end(codedError('MND_CAMERA_MISSING'));
  await settle();
  t.match(failures, [{ code: 'MND_CAMERA_FAILED' }, { code: 'MND_CAMERA_MISSING' }]);
  stop();
  await done;
});

t.test('a source that cannot be made, or throws, is a failed attempt', async (t) => {
  const clock = createFakeClock();
  const ending = new AbortController();
  const failures: Failure[] = [];
  let made = 0;
  const done = superviseSource(
    {
      name: 'front',
      createSource: () => {
        made += 1;
        if (made === 1) throw broken('nothing there');
        return { run: () => Promise.reject(new TypeError('defect')) };
      },
      stallTimeout: 10,
      onFrame: () => {},
      onStatus: () => {},
      log: logInto(failures),
      clock,
      random: () => 1,
    },
    ending.signal,
  );
  await clock.advance(1000);
  t.match(failures, [{ message: /nothing there/ }, { message: /defect/ }]);
  ending.abort();
  await done;
});

t.test('stopping is immediate, also during a pause and before the start', async (t) => {
  const { current, clock, stop, done } = stage();
  await settle();
  current().end(broken());
  await settle();
  stop();
  await done;
  t.equal(clock.pending(), 0);

  const statuses: string[] = [];
  await superviseSource(
    {
      name: 'front',
      createSource: () => t.fail('was made') as never,
      stallTimeout: 10,
      onFrame: () => {},
      onStatus: (status) => statuses.push(status),
    },
    AbortSignal.abort(),
  );
  t.same(statuses, ['offline']);
});
