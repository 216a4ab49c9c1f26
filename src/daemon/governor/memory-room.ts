import { dirname, join } from 'node:path';
import { readSmallText } from '../../small-file.js';

/** How a version of control groups names what it knows of a group's memory. */
interface Version {
  /** The line of /proc/self/cgroup that has the group. */
  readonly line: RegExp;
  readonly root: string;
  readonly limit: string;
  readonly usage: string;
  /** The line of memory.stat with the pages of files that can be given up at once. */
  readonly files: RegExp;
}

/** Of the kernel's documents: admin-guide/cgroup-v2 and cgroup-v1/memory. */
const VERSIONS: readonly Version[] = [
  {
    line: /^\d+:(?:[\w,=]+,)?memory(?:,[\w,=]+)?:(\/.*)$/m,
    root: '/sys/fs/cgroup/memory',
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    files: /^total_inactive_file (\d+)$/m,
  },
  {
    line: /^0::(\/.*)$/m,
    root: '/sys/fs/cgroup',
    limit: 'memory.max',
    usage: 'memory.current',
    files: /^inactive_file (\d+)$/m,
  },
];

const LONGEST_FILE = 64 * 1024;

/**
 * Bytes that this process and its children may still take before the kernel kills one of them: the least
 * of what the machine has and what the limits of its control groups leave (MemoryMax= of the unit, or
 * of the container). Null where nothing says so.
 *
 * @param read text of a file of the kernel; throws where there is none
 */
export function memoryRoom(
  read: (file: string) => string = (file) => readSmallText(file, LONGEST_FILE),
): number | null {
  const text = (file: string): string => {
    try {
      return read(file);
    } catch {
      return '';
    }
  };
  const available = numberIn(text('/proc/meminfo'), /^MemAvailable:\s+(\d+) kB$/m);
  const groups = text('/proc/self/cgroup');
  const rooms = VERSIONS.flatMap((version) => roomsOf(version, groups, text));
  const known = [...rooms, ...(available === null ? [] : [available * 1024])];
  return known.length === 0 ? null : Math.max(0, Math.min(...known));
}

/** What the group of this process and each one above it leave. */
function roomsOf(version: Version, groups: string, text: (file: string) => string): number[] {
  const found = version.line.exec(groups)?.[1];
  if (found === undefined) return [];
  const rooms: number[] = [];
  for (let path = found; ; path = dirname(path)) {
    const folder = join(version.root, path);
    const limit = numberIn(text(join(folder, version.limit)), /^(\d+)$/m);
    const usage = numberIn(text(join(folder, version.usage)), /^(\d+)$/m);
    if (limit !== null && usage !== null) {
      const files = numberIn(text(join(folder, 'memory.stat')), version.files) ?? 0;
      rooms.push(limit - usage + files);
    }
    if (path === '/' || path === '.') return rooms;
  }
}

function numberIn(text: string, pattern: RegExp): number | null {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}
