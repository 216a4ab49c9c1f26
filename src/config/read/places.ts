import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { PACKAGE_ROOT } from '../../package-root.js';

/** What the state folder is told by, where none is configured. */
export interface StatePlaces {
  readonly env: NodeJS.ProcessEnv;
  readonly packageRoot?: string | undefined;
  readonly cwd: string;
  /** Configuration files that were named. */
  readonly files?: readonly string[];
  /** The configuration of the system's service. */
  readonly systemFile: string;
  /** Where that service keeps its state; default `/var/lib/mobilenetd`. */
  readonly systemState?: string | undefined;
}

export const SYSTEM_FILE = '/etc/mobilenetd/config.yaml';
/** Folder beside a configuration file with more of them. */
export const OVERLAYS = 'conf.d';
/** StateDirectory= of the unit. */
const SYSTEM_STATE = '/var/lib/mobilenetd';

/**
 * Folder of the database and the models when none is configured: what systemd gives the unit
 * (STATE_DIRECTORY, systemd.exec(5)), else `var` in a checkout, else that of the system's service where
 * there is one and its configuration is read (a command asks about the daemon that runs), else the user's
 * state folder of the XDG base directory specification.
 */
export function defaultStateDir(options: StatePlaces): string {
  const { env, packageRoot = PACKAGE_ROOT, systemState = SYSTEM_STATE } = options;
  const [fromSystemd = ''] = (env.STATE_DIRECTORY ?? '').split(':');
  if (isAbsolute(fromSystemd)) return fromSystemd;
  // The published package has no sources.
  if (existsSync(join(packageRoot, 'src'))) return join(packageRoot, 'var');
  if (readsSystemFile(options) && existsSync(systemState)) return systemState;
  const { XDG_STATE_HOME: state = '' } = env;
  const base = isAbsolute(state) ? state : join(env.HOME ?? homedir(), '.local', 'state');
  return join(base, 'mobilenetd');
}

function readsSystemFile({ files = [], systemFile, cwd }: StatePlaces): boolean {
  return files.length === 0 || files.some((file) => resolve(cwd, file) === resolve(systemFile));
}

/** The host name up to its first dot, made topic-safe. */
export function defaultNode(hostname: string): string {
  const [first = ''] = hostname.split('.');
  const safe = first
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^[_-]+/, '')
    .slice(0, 64);
  return safe === '' ? 'mobilenetd' : safe;
}
