import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A control group with a limit of memory, as systemd makes one for MemoryMax. */
export interface MemoryGroup {
  /** Program and arguments that run a command line inside. */
  readonly wrap: readonly string[];
  /** The most that all processes inside had at once, page cache included, bytes. */
  peak(): number;
  /** Processes that the kernel killed for their memory. */
  kills(): number;
  remove(): Promise<void>;
}

const V1 = '/sys/fs/cgroup/memory';
const V2 = '/sys/fs/cgroup';

/** Why there can be none; null where there can. */
export function whyNoMemoryGroup(): string | null {
  const root = rootOf();
  if (root === null) return 'no control groups with a memory controller';
  try {
    accessSync(root, constants.W_OK);
    return null;
  } catch {
    return 'control groups cannot be made by this user';
  }
}

/** @param limit bytes */
export function makeMemoryGroup(name: string, limit: number): MemoryGroup {
  const root = rootOf();
  if (root === null) throw new Error('no control groups');
  const folder = join(root, `${name}-${process.pid}`);
  const isV1 = root === V1;
  if (!isV1) writeFileSync(join(root, 'cgroup.subtree_control'), '+memory');
  mkdirSync(folder);
  writeFileSync(join(folder, isV1 ? 'memory.limit_in_bytes' : 'memory.max'), String(limit));
  const number = (file: string, pattern = /(\d+)/): number =>
    Number(pattern.exec(readFileSync(join(folder, file), 'utf8'))?.[1] ?? Number.NaN);
  return {
    wrap: ['/bin/sh', '-c', `echo $$ > ${join(folder, 'cgroup.procs')} && exec "$@"`, 'sh'],
    peak: () => number(isV1 ? 'memory.max_usage_in_bytes' : 'memory.peak'),
    kills: () => number(isV1 ? 'memory.oom_control' : 'memory.events', /oom_kill (\d+)/),
    async remove() {
      // Processes that have ended leave it a moment later.
      for (let tries = 0; tries < 50; tries += 1) {
        try {
          rmdirSync(folder);
          return;
        } catch {
          await delay(100);
        }
      }
    },
  };
}

function rootOf(): string | null {
  if (existsSync(join(V1, 'memory.limit_in_bytes'))) return V1;
  const controllers = join(V2, 'cgroup.controllers');
  if (!existsSync(controllers)) return null;
  return /\bmemory\b/.test(readFileSync(controllers, 'utf8')) ? V2 : null;
}
