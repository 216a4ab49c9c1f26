import { setTimeout as delay } from 'node:timers/promises';

/** Far longer than a busy machine takes for anything that is waited for: only a failure reaches it, ms. */
export const PATIENCE_MS = 120_000;
const LOOK_MS = 25;

/** Looks whether something holds until it does; false when it has not for two minutes. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<boolean> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    if (await holds()) return true;
    if (performance.now() > end) return false;
    await delay(LOOK_MS);
  }
}
