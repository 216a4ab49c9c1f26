import { readdirSync, readFileSync } from 'node:fs';

/** CPU milliseconds of each thread of this process by its id; empty where there is no Linux /proc. */
export function threadCpu(): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  try {
    for (const thread of readdirSync('/proc/self/task')) {
      // proc_pid_schedstat: the first number is the time on the CPU, nanoseconds.
      const [ns] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ');
      found.set(Number(thread), Number(ns) / 1e6);
    }
  } catch {
    // Another system, or a thread that has just ended.
  }
  return found;
}

/** CPU milliseconds since `before` of the busiest thread but the main one; null if not known. */
export function busiestSince(before: ReadonlyMap<number, number>): number | null {
  const spent = [...threadCpu()]
    .filter(([thread]) => thread !== process.pid)
    .map(([thread, ms]) => ms - (before.get(thread) ?? 0));
  return spent.length === 0 ? null : Math.max(...spent);
}
