import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Finding, findings } from './finding.js';
import { type CheckInput, canUse, readText } from './surroundings.js';

const { ok, info, warn, fail } = findings('permissions');

/** Sources that open devices of the group video. */
const DEVICE_SOURCES = new Set(['libcamera', 'still', 'v4l2']);

/** Groups and devices; those of the user who asks, which the service's may not be. */
export async function checkPermissions({ around, config }: CheckInput): Promise<Finding[]> {
  const user = around.uid === 0 ? 'root' : `uid ${around.uid}`;
  if (around.uid === 0) {
    return [
      info('user', 'root', {
        means: 'root may do everything; the service runs as a user of its own',
        next: 'sudo -u mobilenetd mobilenetd doctor shows what that user may do',
      }),
      ...(await secretFile(config, around.uid)),
    ];
  }
  const cameras = Object.values(config?.cameras ?? {}).filter(({ enabled }) => enabled);
  const needsVideo = cameras.some(({ source }) => DEVICE_SOURCES.has(source));
  const member = await groupsOf(around.etc, around.groups);
  const all: Finding[] = [info('user', `${user}, groups ${member.join(', ') || 'unknown'}`)];
  if (needsVideo) all.push(...(await videoFindings(member, around)));
  return [...all, ...(await secretFile(config, around.uid))];
}

async function videoFindings(
  member: readonly string[],
  around: CheckInput['around'],
): Promise<Finding[]> {
  const missing = ['video', 'render'].filter((group) => !member.includes(group));
  const heap = join(around.dev, 'dma_heap/linux,cma');
  const usable = await canUse(heap);
  if (!missing.includes('video')) {
    const found = missing.length === 0 ? 'video and render' : 'video';
    return [ok('groups', found)];
  }
  const make = usable ? warn : fail;
  return [
    make('groups', 'not in the group video', {
      means: '/dev/video*, /dev/media* and /dev/dma_heap belong to it on Raspberry Pi OS',
      next: 'sudo usermod -aG video,render USER, then log in anew; the service has both already',
    }),
  ];
}

async function groupsOf(etc: string, ids: readonly number[]): Promise<readonly string[]> {
  const text = await readText(etc, 'group');
  return text.split('\n').flatMap((line) => {
    const [name = '', , id] = line.split(':');
    return id !== undefined && ids.includes(Number(id)) ? [name] : [];
  });
}

/** A password that everybody on the board can read is none. */
async function secretFile(config: CheckInput['config'], uid: number): Promise<Finding[]> {
  const file = config?.mqtt.password_file ?? null;
  if (file === null) return [];
  const found = await stat(file).catch(() => null);
  if (found === null || (found.mode & 0o007) === 0) return [];
  const owner = uid === 0 ? 'root:mobilenetd' : 'its owner';
  return [
    warn('password file', `${file} can be read by everybody on this machine`, {
      next: `sudo chmod o-rwx ${file}, and give it to ${owner}`,
    }),
  ];
}
