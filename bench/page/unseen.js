import { setTimeout as delay } from 'node:timers/promises';
import { startDaemon } from './daemon.js';
import { SMALLEST } from './prepared.js';
import { SETTLE_MS, spend } from './spend.js';

/** Windows in which the same three daemons are held against each other. */
const WINDOWS = 3;

/**
 * What a page costs while nobody looks, ms and kB a second, one value a window. Three daemons run at the same
 * time, one with a page and two without: how far those two are apart is what the machine makes of nothing, and
 * the page's cost counts from halfway between them. `cpu` is of all threads but the one that runs the network:
 * nothing of a page runs there, and what it takes varies from daemon to daemon by more than the bar (`whole`).
 */
export async function unseen(state, { rounds, seconds }) {
  const all = { cpu: [], whole: [], apart: [], disk: [] };
  for (let round = 0; round < rounds; round += 1) {
    const daemons = await Promise.all(
      [null, '127.0.0.1:0', null].map((listen, index) =>
        startDaemon(state, `unseen${index}`, { listen, model: SMALLEST }),
      ),
    );
    await delay(SETTLE_MS);
    for (let window = 0; window < WINDOWS; window += 1) {
      const [first, page, second] = await spend(daemons, seconds);
      all.cpu.push(page.others - (first.others + second.others) / 2);
      all.whole.push(page.cpu - (first.cpu + second.cpu) / 2);
      all.apart.push(Math.abs(first.others - second.others));
      all.disk.push((page.bytes - (first.bytes + second.bytes) / 2) / 1000);
    }
    await Promise.all(daemons.map((daemon) => daemon.end()));
  }
  return all;
}
