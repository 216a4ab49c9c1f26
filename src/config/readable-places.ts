import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { LoadConfigOptions } from './load.js';
import { readBounded } from './read/bytes.js';
import { MAX_FILE_BYTES } from './read/file.js';
import { defaultStateDir, SYSTEM_FILE } from './read/places.js';

/** Where a daemon of a configuration keeps its things. */
export interface ReadablePlaces {
  readonly stateDir: string;
  /** `control.socket`; null where it is in its usual place. */
  readonly socket: string | null;
}

/**
 * The places of a configuration that has mistakes elsewhere, as far as they can be read: a running
 * daemon is found by them while its file is being edited.
 */
export function readablePlaces(options: LoadConfigOptions): ReadablePlaces {
  const { env, files = [], systemFile = SYSTEM_FILE, cwd = process.cwd() } = options;
  const found = { stateDir: null as string | null, socket: null as string | null };
  for (const file of files.length > 0 ? files : [systemFile]) {
    const path = resolve(cwd, file);
    const text = textOf(path);
    const at = (value: string | null) => (value === null ? null : absolute(value, dirname(path)));
    found.stateDir = at(valueIn(text, ['state_dir'])) ?? found.stateDir;
    found.socket = at(valueIn(text, ['control', 'socket'])) ?? found.socket;
  }
  const state = env.MOBILENETD_STATE_DIR || env.MOBILENETD_STATE;
  const socket = env.MOBILENETD_CONTROL_SOCKET;
  if (state) found.stateDir = absolute(state, cwd);
  if (socket) found.socket = absolute(socket, cwd);
  const stateDir = found.stateDir ?? defaultStateDir({ ...options, systemFile, cwd });
  return { ...found, stateDir };
}

function textOf(file: string): string {
  try {
    return readBounded(file, MAX_FILE_BYTES).toString('utf8');
  } catch {
    return '';
  }
}

/** A text at a path; what is broken elsewhere does not matter. */
function valueIn(text: string, path: readonly string[]): string | null {
  const document = parseDocument(text, { strict: false, uniqueKeys: false, logLevel: 'silent' });
  const value: unknown = document.getIn(path);
  if (typeof value === 'string') return value;
  // Behind a quote that is not closed nothing is a key any more.
  const [section, ...rest] = path;
  if (section === undefined || rest.length > 0) return null;
  return new RegExp(`^${section}:[ \\t]*["']?([^"'#\\n]+)`, 'm').exec(text)?.[1]?.trim() ?? null;
}

function absolute(path: string, folder: string): string {
  return resolve(folder, path.replace(/^~(?=\/)/, homedir()));
}
