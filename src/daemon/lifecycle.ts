import type { Clock } from '../time.js';

/** Something that runs, and how to stop it. */
export interface Stoppable {
  readonly name: string;
  readonly stop: () => void | Promise<void>;
}

/**
 * Stops everything, one after the other. A part that fails or takes longer than its share of the
 * deadline (ms) is reported and left behind, so that the rest is stopped in any case. Never rejects.
 */
export async function stopInTurn(
  parts: readonly Stoppable[],
  deadlineMs: number,
  onError: (name: string, error: unknown) => void,
  clock: Clock,
): Promise<void> {
  const until = clock.now() + deadlineMs;
  for (const [index, part] of parts.entries()) {
    // Those that are left keep at least half of what remains: one slow part cannot take it all.
    const remaining = Math.max(0, until - clock.now());
    const share = index === parts.length - 1 ? remaining : remaining / 2;
    try {
      await within(clock, share, part.stop());
    } catch (error) {
      onError(part.name, error);
    }
  }
}

async function within(clock: Clock, ms: number, work: void | Promise<void>): Promise<void> {
  let cancel = (): void => {};
  const expired = new Promise<never>((_resolve, reject) => {
    const expire = () => reject(new Error(`took longer than ${Math.round(ms)} ms`));
    cancel = clock.setTimer(expire, ms);
  });
  try {
    await Promise.race([work, expired]);
  } finally {
    cancel();
  }
}
