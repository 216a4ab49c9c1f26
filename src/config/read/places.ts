import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { PACKAGE_ROOT } from '../../package-root.js';

/**
 * Folder of the database and the models when none is configured: what systemd gives the unit
 * (STATE_DIRECTORY, systemd.exec(5)), else `var` in a checkout, else the user's state folder of the
 * XDG base directory specification.
 */
export function defaultStateDir(options: {
  readonly env: NodeJS.ProcessEnv;
  readonly packageRoot?: string | undefined;
  readonly cwd: string;
}): string {
  const { env, packageRoot = PACKAGE_ROOT } = options;
  const [fromSystemd = ''] = (env.STATE_DIRECTORY ?? '').split(':');
  if (isAbsolute(fromSystemd)) return fromSystemd;
  // The published package has no sources.
  if (existsSync(join(packageRoot, 'src'))) return join(packageRoot, 'var');
  const { XDG_STATE_HOME: state = '' } = env;
  const base = isAbsolute(state) ? state : join(env.HOME ?? homedir(), '.local', 'state');
  return join(base, 'mobilenetd');
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
