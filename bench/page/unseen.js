import { setTimeout as delay } from 'node:timers/promises';
import { startDaemon } from './daemon.js';
import { SMALLEST } from './prepared.js';
import { SETTLE_MS, spend } from './spend.js';

/** Windows in which the same three daemons are held against each other. */
const WINDOWS = 3;

/**
 * What a page costs while nobody looks, ms and kB a second, one value a window. Three daemons run at the same
 * time, one with a page and two without: how far those two are apart is what the machine makes of nothing, and
 * the page's cost counts from halfway between them. They run the smallest rung, at the same frame rate: what the
 * network takes varies by some hundredths from one daemon to the other, which of a large one is more than the bar.
 */
export async function unseen(state, { rounds, seconds }) {
  const all = { cpu: [], apart: [], disk: [] };
  for (let round = 0; round < rounds; round += 1) {
    const daemons = await Promise.all(
      [null, '127.0.0.1:0', null].map((listen, index) =>
        startDaemon(state, `unseen${index}`, { listen, model: SMALLEST }),
      ),
    );
    await delay(SETTLE_MS);
    for (let window = 0; window < WINDOWS; window += 1) {
      const [first, page, second] = await spend(daemons, seconds);
      all.cpu.push(page.cpu - (first.cpu + second.cpu) / 2);
      all.apart.push(Math.abs(first.cpu - second.cpu));
      all.disk.push((page.bytes - (first.bytes + second.bytes) / 2) / 1000);
    }
    await Promise.all(daemons.map((daemon) => daemon.end()));
  }
  return all;
}
