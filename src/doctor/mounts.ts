import { realpath } from 'node:fs/promises';
import { readText } from './surroundings.js';

/** The file system a path is on (proc_pid_mountinfo(5)). */
export interface Mount {
  readonly point: string;
  readonly type: string;
  /** E.g. `/dev/mmcblk0p2`. */
  readonly source: string;
  readonly readOnly: boolean;
}

/** The mount that a path, which need not exist yet, lies on; null when it cannot be told. */
export async function mountOf(path: string, proc: string): Promise<Mount | null> {
  const text = await readText(proc, 'self/mountinfo');
  const real = await nearestReal(path);
  let best: Mount | null = null;
  for (const line of text.split('\n')) {
    const mount = parseMount(line);
    if (mount === null || !contains(mount.point, real)) continue;
    // Of two on the same point the later lies on top.
    if (best === null || mount.point.length >= best.point.length) best = mount;
  }
  return best;
}

async function nearestReal(path: string): Promise<string> {
  for (let part = path; part !== '/' && part !== ''; part = part.slice(0, part.lastIndexOf('/'))) {
    const real = await realpath(part).catch(() => null);
    if (real !== null) return real + path.slice(part.length);
  }
  return path;
}

/** `36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/root rw`, with octal escapes. */
function parseMount(line: string): Mount | null {
  const [left = '', right] = line.split(' - ');
  const [, , , , point, options = ''] = left.split(' ');
  const [type = '', source = '', superOptions = ''] = (right ?? '').split(' ');
  if (point === undefined || right === undefined) return null;
  const readOnly = [...options.split(','), ...superOptions.split(',')].includes('ro');
  return { point: unescapeOctal(point), type, source: unescapeOctal(source), readOnly };
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function contains(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
