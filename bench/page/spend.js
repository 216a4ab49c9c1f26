import { setTimeout as delay } from 'node:timers/promises';

/** A daemon's first seconds have work of their own. */
export const SETTLE_MS = 8000;

/** What daemons spend in the same seconds, and with how much memory they end. */
export async function spend(daemons, seconds) {
  const before = daemons.map((daemon) => daemon.usage());
  const begun = performance.now();
  await delay(seconds * 1000);
  const wall = (performance.now() - begun) / 1000;
  return daemons.map((daemon, index) => {
    const after = daemon.usage();
    const rate = (of) => (of(after) - of(before[index])) / wall;
    return {
      cpu: rate(({ cpuMs }) => cpuMs),
      inference: rate(({ inferenceMs }) => inferenceMs),
      others: rate(({ othersMs }) => othersMs),
      bytes: rate(({ writtenBytes }) => writtenBytes),
      rss: after.rssMb,
    };
  });
}
