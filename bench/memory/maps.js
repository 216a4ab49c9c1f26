// What a process holds of the machine's memory, from /proc (proc(5)).
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Bytes in memory: all, its own, and of files that are mapped; null when it has ended. */
export function memoryOf(pid) {
  const text = readIfThere(`/proc/${pid}/status`);
  if (text === null) return null;
  const bytes = (name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return {
    all: bytes('VmRSS'),
    own: bytes('RssAnon') + bytes('RssShmem'),
    files: bytes('RssFile'),
  };
}

/**
 * Resident bytes by mapping, the largest first: each file by its name, the heap of malloc, stacks, and
 * what has no name (V8's heaps, other arenas, buffers) by the size of its mappings.
 */
export function mappingsOf(pid) {
  const text = readIfThere(`/proc/${pid}/smaps`) ?? '';
  const sums = new Map();
  let name = '';
  for (const line of text.split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)$/.exec(line);
    if (head !== null) name = nameOf(head);
    const field = /^(Rss|Private_Clean|Private_Dirty):\s+(\d+) kB$/.exec(line);
    if (field === null) continue;
    const sum = sums.get(name) ?? { name, resident: 0, own: 0 };
    sums.set(name, sum);
    const bytes = Number(field[2]) * 1024;
    if (field[1] === 'Rss') sum.resident += bytes;
    if (field[1] === 'Private_Dirty') sum.own += bytes;
  }
  return [...sums.values()].sort((a, b) => b.resident - a.resident);
}

function nameOf([, from, to, rights, file]) {
  if (file !== '') return file.startsWith('[') ? file : basename(file);
  const bytes = Number(BigInt(`0x${to}`) - BigInt(`0x${from}`));
  if (rights.includes('x')) return 'code that V8 made';
  // V8's pages are 256 kB; arenas of malloc are reserved by 64 MB and begin at a multiple of that.
  if (bytes === 262_144) return 'pages of V8';
  return bytes > 262_144 ? 'without a name, large' : 'without a name, small';
}

/** Seconds of processor time that a process has used. */
export function processorOf(pid) {
  const stat = readIfThere(`/proc/${pid}/stat`) ?? '';
  // utime and stime (fields 14 and 15), in ticks of USER_HZ, the same on every Linux.
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

/** Processes that a process has started, by their names. */
export function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => (readIfThere(`/proc/${pid}/task/${task}/children`) ?? '').trim().split(' '))
    .filter(Boolean)
    .map((child) => ({
      pid: Number(child),
      name: (readIfThere(`/proc/${child}/comm`) ?? '').trim(),
      memory: memoryOf(child),
    }));
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The process has ended.
    return null;
  }
}
