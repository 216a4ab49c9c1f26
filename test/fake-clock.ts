import type { Clock } from '#mobilenetd/time.js';

export interface FakeClock extends Clock {
  /** Moves time on, running every timer at its moment and letting promises settle in between. */
  advance(ms: number): Promise<void>;
  /**
   * Jumps from timer to timer until the promise is fulfilled; while no timer waits, real work (I/O)
   * is waited for. So time passes only where the code under test waits for it.
   */
  runUntil<T>(promise: Promise<T>): Promise<T>;
  /** Timers that wait. */
  pending(): number;
}

/** Wall time at the clock's zero. */
export const START_MS = Date.UTC(2026, 0, 1);

/** Lets everything run that only waits for promises or for I/O that is already there. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets everything run that waits for promises alone: faster, for code without I/O. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function createFakeClock({ io = true }: { readonly io?: boolean } = {}): FakeClock {
  const rest = io ? settle : settlePromises;
  let time = 0;
  let lastId = 0;
  const timers = new Map<number, { readonly at: number; readonly run: () => void }>();

  function nextTimer(
    until: number,
  ): [number, { readonly at: number; readonly run: () => void }] | null {
    const due = [...timers].filter(([, { at }]) => at <= until);
    due.sort(([idA, a], [idB, b]) => a.at - b.at || idA - idB);
    return due[0] ?? null;
  }

  return {
    now: () => time,
    wall: () => START_MS + time,
    setTimer(run, ms) {
      lastId += 1;
      const id = lastId;
      timers.set(id, { at: time + Math.max(0, ms), run });
      return () => timers.delete(id);
    },
    async advance(ms) {
      const until = time + ms;
      await rest();
      for (let next = nextTimer(until); next !== null; next = nextTimer(until)) {
        const [id, { at, run }] = next;
        timers.delete(id);
        time = Math.max(time, at);
        run();
        await rest();
      }
      time = until;
      await rest();
    },
    async runUntil(promise) {
      let done = false;
      const finish = () => {
        done = true;
      };
      promise.then(finish, finish);
      while (!done) {
        await rest();
        const next = nextTimer(Number.POSITIVE_INFINITY);
        if (done) break;
        if (next === null) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          continue;
        }
        timers.delete(next[0]);
        time = Math.max(time, next[1].at);
        next[1].run();
      }
      return promise;
    },
    pending: () => timers.size,
  };
}

/** A clock whose timers run at once; notes how long they should have waited, ms. */
export function recordingClock(waits: number[] = []): Clock {
  return {
    now: () => 0,
    wall: () => Date.now(),
    setTimer(run, ms) {
      waits.push(ms);
      setImmediate(run);
      return () => {};
    },
  };
}
