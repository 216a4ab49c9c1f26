import { setTimeout as delay } from 'node:timers/promises';

/** Far longer than a busy machine takes for anything that is waited for: only a failure reaches it, ms. */
export const PATIENCE_MS = 120_000;
/** Between two looks, ms: longer each time, for to look is work as well where a daemon is asked. */
const [FIRST_LOOK_MS, LAST_LOOK_MS, GROWTH] = [25, 400, 1.3];

/** Looks whether something holds until it does; false when it has not for two minutes. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<boolean> {
  const end = performance.now() + PATIENCE_MS;
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * GROWTH, LAST_LOOK_MS)) {
    if (await holds()) return true;
    if (performance.now() > end) return false;
    await delay(wait);
  }
}
