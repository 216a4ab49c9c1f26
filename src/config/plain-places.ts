import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { LoadConfigOptions } from './load.js';
import { readBounded } from './read/bytes.js';
import { defaultStateDir, OVERLAYS, SYSTEM_FILE } from './read/places.js';

/** More than this is looked at as every configuration is. */
const MAX_BYTES = 100_000;
/** What is a path for YAML, for the environment and for us, as it stands there. */
const PLAIN_PATH = /^\/[\w./-]+$/;
/** A line that says the state folder, with nothing in it, or continuing it, that YAML would read in another way. */
const STATE_LINE = /^state_dir: +(\/[\w./-]+)[ \t]*$(?!\s*^[ \t]+\S)/gm;
/** The keys of places, and what can stand for their letters: escapes, tags, and text of other encodings. */
const TELLING = /state_dir|socket|[\\!]|[^\t\n\r -~\u00a0-\ud7ff\ue000-\ufefe]/;

/**
 * The state folder of a configuration that says nothing of the control socket, and of the state folder no more
 * than its plain path, as most do. Telling that takes no parser and no schema, which would be most of the time
 * of a command that only asks the running daemon. Null where it cannot be told so: the configuration must be read.
 */
export function plainStateDir(options: LoadConfigOptions): string | null {
  const { env, files = [], systemFile = SYSTEM_FILE, cwd = process.cwd() } = options;
  const { MOBILENETD_STATE: fromEnv = '' } = env;
  if (env.MOBILENETD_STATE_DIR || env.MOBILENETD_CONTROL_SOCKET) return null;
  if (fromEnv !== '' && !PLAIN_PATH.test(fromEnv)) return null;
  let found: string | null = null;
  for (const file of files.length > 0 ? files : [systemFile]) {
    const path = resolve(cwd, file);
    const said = isEmptyFolder(join(dirname(path), OVERLAYS)) ? stateDirIn(path) : undefined;
    const isMissing = said === null && files.length > 0;
    if (said === undefined || isMissing) return null;
    found = said || found;
  }
  if (fromEnv !== '') return fromEnv;
  return found ?? defaultStateDir({ ...options, systemFile, cwd });
}

/** What a file says: a path, or nothing (''); null: there is no file; undefined: that cannot be told. */
function stateDirIn(path: string): string | null | undefined {
  let text: string;
  try {
    text = readBounded(path, MAX_BYTES + 1).toString('utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : undefined;
  }
  if (text.length > MAX_BYTES) return undefined;
  const said = text.replace(/^[ \t]*#.*$/gm, '');
  const lines = [...said.matchAll(STATE_LINE)];
  const [line, ...more] = lines;
  if (more.length > 0 || TELLING.test(said.replace(STATE_LINE, ''))) return undefined;
  return line?.[1] ?? '';
}

function isEmptyFolder(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT';
  }
}
