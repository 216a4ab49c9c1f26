import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../time.js';

/** Busy fraction of the whole CPU since the last call, 0 to 1; null at first or when unreadable. */
export interface CpuMeter {
  /** Never rejects. */
  read(): Promise<number | null>;
}

interface Ticks {
  readonly busy: number;
  readonly total: number;
}

/** Reads `<procRoot>/stat`; proc(5): user nice system idle iowait irq softirq steal guest guest_nice. */
export function createCpuMeter(
  procRoot = '/proc',
  readText: (path: string) => Promise<string> = (path) => readFile(path, 'utf8'),
): CpuMeter {
  let last: Ticks | null = null;
  return {
    async read() {
      const now = await readText(join(procRoot, 'stat')).then(parseTicks, () => null);
      const before = last;
      last = now;
      if (now === null || before === null || now.total <= before.total) return null;
      const fraction = (now.busy - before.busy) / (now.total - before.total);
      return Math.min(1, Math.max(0, fraction));
    },
  };
}

/** The `cpu` line; null when the text has none. Guest time is part of user time already. */
export function parseTicks(text: string): Ticks | null {
  const match = /^cpu\s+(.+)$/m.exec(text);
  const fields = match?.[1]?.trim().split(/\s+/).slice(0, 8).map(Number) ?? [];
  if (fields.length < 4 || fields.some((value) => !Number.isFinite(value))) return null;
  const total = fields.reduce((sum, value) => sum + value, 0);
  const idle = (fields[3] ?? 0) + (fields[4] ?? 0);
  return { busy: total - idle, total };
}

/** What this process took of the whole CPU since the last call, 0 to 1; null at first. */
export function createOwnCpuMeter(
  cores: number,
  usage: () => { readonly user: number; readonly system: number } = () => process.cpuUsage(),
  nowMs: () => number = systemClock.now,
): { read(): number | null } {
  let last: { readonly atMs: number; readonly usedMs: number } | null = null;
  return {
    read() {
      const { user, system } = usage();
      const now = { atMs: nowMs(), usedMs: (user + system) / 1000 };
      const before = last;
      last = now;
      if (before === null || now.atMs <= before.atMs) return null;
      const share = (now.usedMs - before.usedMs) / (now.atMs - before.atMs) / Math.max(1, cores);
      return Math.min(1, Math.max(0, share));
    },
  };
}
