import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf, unreadable } from '../../config/read/bytes.js';
import { codedError, messageOf } from '../../errors.js';
import { makeFolder } from '../../make-folder.js';

/** Read by the owner, who writes it, and by the group of its folder: the service's. */
const CONFIG_MODE = 0o640;
const FOLDER_MODE = 0o750;
const SECRET_MODE = 0o600;

/** Text of a configuration file; null where there is none. @throws MND_CONFIG_UNREADABLE */
export function readTarget(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(file, reasonOf(cause), cause);
  }
}

/** Before anything is asked. @throws MND_OUTPUT_FAILED where the file could not be written in the end */
export function requireWritable(file: string): void {
  let folder = dirname(file);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw codedError('MND_OUTPUT_FAILED', {
      subject: file,
      found: 'this user may not write it',
      next: 'sudo mobilenetd setup, or name a file of your own: mobilenetd setup --config FILE',
      cause,
    });
  }
}

export interface Writing {
  readonly file: string;
  readonly text: string;
  /** Text by path. */
  readonly secrets: ReadonlyMap<string, string>;
}

/**
 * Writes secrets, then the configuration, each whole or not at all; what was there stays beside it.
 * Returns where; null where there was nothing. @throws MND_OUTPUT_FAILED
 */
export function writeConfiguration({ file: named, text, secrets }: Writing): string | null {
  // A link leads to the file that somebody keeps elsewhere.
  const file = existsSync(named) ? realpathSync(named) : named;
  try {
    makeFolder(dirname(file), FOLDER_MODE);
    const service = serviceOf(dirname(file));
    for (const [path, secret] of secrets) {
      writeWhole(path, secret, { mode: SECRET_MODE, uid: service?.uid, gid: service?.gid });
    }
    const old = statSync(file, { throwIfNoEntry: false });
    if (old === undefined) {
      writeWhole(file, text, { mode: CONFIG_MODE, gid: service?.gid });
      return null;
    }
    const backup = freeName(`${file}.bak`);
    copyFileSync(file, backup, constants.COPYFILE_EXCL);
    chmodSync(backup, old.mode & 0o777);
    giveTo(backup, old);
    writeWhole(file, text, { mode: old.mode & 0o777, uid: old.uid, gid: old.gid });
    return backup;
  } catch (cause) {
    throw codedError('MND_OUTPUT_FAILED', { subject: file, found: messageOf(cause), cause });
  }
}

interface Rights {
  readonly mode: number;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

function writeWhole(file: string, text: string, rights: Rights): void {
  const part = `${file}.${process.pid}.part`;
  try {
    writeFileSync(part, text, { mode: rights.mode, flag: 'wx' });
    chmodSync(part, rights.mode);
    giveTo(part, rights);
    renameSync(part, file);
  } finally {
    rmSync(part, { force: true });
  }
}

/** Only root can give files away. */
function giveTo(file: string, { uid, gid }: Pick<Rights, 'uid' | 'gid'>): void {
  if (process.getuid?.() !== 0 || (uid === undefined && gid === undefined)) return;
  const { uid: ownUid, gid: ownGid } = statSync(file);
  chownSync(file, uid ?? ownUid, gid ?? ownGid);
}

/** The one user whose group has the folder: the package gives /etc/mobilenetd to that of the service. */
function serviceOf(folder: string): { readonly uid: number; readonly gid: number } | null {
  const { gid } = statSync(folder);
  if (gid === 0 || process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([, , , group]) => group !== undefined && Number(group) === gid);
  const [[, , uid] = []] = users;
  return users.length === 1 && uid !== undefined ? { uid: Number(uid), gid } : null;
}

/** `config.yaml.bak`, or `config.yaml.bak.2` and so on: no copy is lost. */
function freeName(name: string): string {
  let free = name;
  for (let number = 2; existsSync(free); number += 1) free = `${name}.${number}`;
  return free;
}
