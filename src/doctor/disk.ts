import { existsSync, Stats } from 'node:fs';
import { mkdtemp, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config/config.js';
import { parseSize } from '../config/schema/formats.js';
import { crashFolder, crashReports } from '../daemon/diagnostics/crash.js';
import { messageOf } from '../errors.js';
import { roomForUpgrade } from '../store/migrations.js';
import { databaseFile } from '../store/path.js';
import { stepsBehind, verdictOn } from '../store/reading.js';
import { adviceOf, isPermission } from '../system-error.js';
import { type Finding, findings } from './finding.js';
import { type Mount, mountOf } from './mounts.js';
import { type CheckInput, readText, type Surroundings } from './surroundings.js';

const { ok, info, warn, fail } = findings('disk');

/** Below this SQLite's files and a model under conversion do not fit for certain, MB. */
const LEAST_FREE_MB = 50;
/** A full check of a larger database takes minutes on an SD card. */
const CHECKED_BYTES = 512 * 1024 * 1024;

const MAKE_ROOM = 'make room: sudo apt clean, sudo journalctl --vacuum-size=50M';
const NOT_MINE = {
  means: 'if the service runs as another user this may be right; then ask as that user',
  next: 'sudo -u mobilenetd mobilenetd doctor, or set state_dir (MOBILENETD_STATE) to a folder of your own',
};
/** What it means that nothing can be written, by the system's code. */
const UNWRITABLE: Readonly<Record<string, typeof NOT_MINE>> = {
  ENOSPC: { means: 'the disk is full', next: MAKE_ROOM },
  EDQUOT: { means: "this user's share of the disk is full", next: MAKE_ROOM },
  EIO: { means: 'the disk or the SD card is failing', next: 'dmesg tells more; replace it' },
};

/** The state folder and what it lies on, the database, and reports of crashes. */
export async function checkDisk({ around, config }: CheckInput): Promise<Finding[]> {
  if (config === null) return [];
  const mount = await mountOf(config.state_dir, around.proc);
  return [
    await writable(config.state_dir, mount),
    await space(config),
    ...(await medium(mount, around)),
    await database(config.state_dir),
    ...(await privacy(config.state_dir)),
    ...(await upgrade(config.state_dir)),
    crashes(config.state_dir),
  ];
}

async function writable(folder: string, mount: Mount | null): Promise<Finding> {
  if (mount?.readOnly) {
    return fail('state folder', `${folder} is on a read-only file system (${mount.source})`, {
      means:
        'Linux mounts a failing SD card read-only; or the overlay file system is on (raspi-config)',
      next: 'dmesg tells which; replace the card, or give state_dir another place',
    });
  }
  const existing = nearestExisting(folder);
  try {
    const probe = await mkdtemp(join(existing, '.mobilenetd-doctor-'));
    try {
      await writeFile(join(probe, 'probe'), 'written by mobilenetd doctor');
    } finally {
      await rm(probe, { recursive: true, force: true });
    }
  } catch (error) {
    const found = isPermission(error) ? 'no permission' : messageOf(error);
    const advice = adviceOf(error, UNWRITABLE) ?? NOT_MINE;
    return fail('state folder', `${folder} cannot be written: ${found}`, advice);
  }
  return ok(
    'state folder',
    existing === folder ? `${folder} can be written` : `${folder} can be made`,
  );
}

function nearestExisting(folder: string): string {
  let existing = folder;
  while (!existsSync(existing) && existing !== dirname(existing)) existing = dirname(existing);
  return existing;
}

async function space({ state_dir: folder, store }: Config): Promise<Finding> {
  const { bavail, bsize } = await statfs(nearestExisting(folder));
  const free = Math.round((bavail * bsize) / 1e6);
  const wanted = Math.round(parseSize(store.retention.max_size) / 1e6);
  const used = await sizeOf(databaseFile(folder));
  const found = `${free} MB free`;
  if (free < LEAST_FREE_MB) {
    return fail('space', found, {
      means: 'detections are dropped, and events wait in memory',
      next: MAKE_ROOM,
    });
  }
  if (free + used < wanted) {
    return warn('space', `${found}, and the database may grow to ${wanted} MB`, {
      next: 'lower store.retention.max_size, or make room',
    });
  }
  return ok('space', found);
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => null);
  return Math.round((found?.size ?? 0) / 1e6);
}

async function medium(mount: Mount | null, { sys }: Surroundings): Promise<Finding[]> {
  if (mount === null) return [];
  if (mount.type === 'tmpfs' || mount.type === 'overlay') {
    return [
      warn('medium', `the state folder is on ${mount.type}`, {
        means: 'what was seen may be lost when the board or the container is switched off',
        next: 'give state_dir a place on a disk, or mount a volume there',
      }),
    ];
  }
  const [device] = /mmcblk\d+/.exec(mount.source) ?? [];
  if (device === undefined) return [ok('medium', `${mount.source} (${mount.type})`)];
  const folder = `block/${device}/device`;
  const name = await readText(sys, folder, 'name');
  // Only eMMC tells of its wear (JEDEC JESD84-B51, EXT_CSD 267-269): steps of 10 %, 11 is the end.
  const life = await readText(sys, folder, 'life_time');
  const worst = Math.max(...life.split(/\s+/).map((step) => Number.parseInt(step, 16) || 0));
  if (worst >= 9) {
    return [
      warn('medium', `${device} ${name} has used ${worst * 10} % of its life`, {
        next: 'make a backup now (mobilenetd backup FILE), and replace it',
      }),
    ];
  }
  return [
    info('medium', `SD card or eMMC: ${device}${name === '' ? '' : ` ${name}`}`, {
      means:
        'cards wear out with writing; a longer store.commit_interval spares it, an SSD ends the matter',
    }),
  ];
}

async function database(folder: string): Promise<Finding> {
  const file = databaseFile(folder);
  const found = await stat(file).catch((error: unknown) => (isPermission(error) ? error : null));
  if (found === null) return info('database', 'none yet: no daemon has run here');
  if (!(found instanceof Stats))
    return info('database', 'not known: this user may not look for it');
  const size = `${(found.size / 1e6).toFixed(1)} MB`;
  if (found.size > CHECKED_BYTES) return info('database', `${size}: too large to be checked here`);
  const verdict = verdictOn(file);
  if (verdict === null) return ok('database', `${size}, whole`);
  return fail('database', `${file}: ${verdict}`, {
    means: 'the next start sets a damaged file aside and begins a new one',
    next: 'stop the daemon and copy the file away, if what is in it matters; the disk may be failing',
  });
}

/** What was seen is nobody else's; folders and files that were there before keep the mode they have. */
async function privacy(folder: string): Promise<Finding[]> {
  const file = databaseFile(folder);
  const [inFolder, inFile] = await Promise.all(
    [folder, file].map((path) => stat(path).catch(() => null)),
  );
  if (!inFolder || !inFile) return [];
  const open = (inFolder.mode & 0o005) !== 0 && (inFile.mode & 0o004) !== 0;
  if (!open) return [];
  return [
    warn('privacy', `${file} can be read by everybody on this machine`, {
      means: 'it holds what the cameras have seen, and when',
      next: `sudo chmod 700 ${folder}, or sudo chmod 600 ${file}*`,
    }),
  ];
}

/** Whether the next start has the room to bring an older database up to date. */
async function upgrade(folder: string): Promise<Finding[]> {
  const file = databaseFile(folder);
  const found = await stat(file).catch(() => null);
  if (found === null || stepsBehind(file) <= 0) return [];
  const { bavail, bsize } = await statfs(folder);
  const [needed, free] = [roomForUpgrade(found.size), bavail * bsize].map((bytes) =>
    Math.ceil(bytes / 1e6),
  );
  if ((free ?? 0) < (needed ?? 0)) {
    return [
      fail(
        'upgrade',
        `the database is of an older version; ${needed} MB are needed, ${free} MB free`,
        {
          means: 'the next start makes a copy first; without the room for it nothing is written',
          next: MAKE_ROOM,
        },
      ),
    ];
  }
  return [info('upgrade', 'the next start brings the database up to date, after a copy of it')];
}

function crashes(folder: string): Finding {
  const [latest, ...older] = crashReports(folder);
  if (latest === undefined) return ok('crashes', 'no reports');
  return warn('crashes', `${older.length + 1} reports, the latest ${latest.slice(0, 10)}`, {
    means: 'the daemon ended of a defect, and was started again if systemd runs it',
    next: `please report it with ${join(crashFolder(folder), latest)} (secrets are masked; read it first)`,
  });
}
