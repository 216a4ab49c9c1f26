import { closeSync, openSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';

const FILE = 'control.sock';
/** `sockaddr_un.sun_path` less its final NUL (unix(7)). */
export const MAX_PATH_BYTES = 107;

/** Where the daemon listens: what systemd gives the unit (RUNTIME_DIRECTORY), else the state folder. */
export function controlSocket(stateDir: string, env: NodeJS.ProcessEnv): string {
  return join(runtimeFolder(env) ?? stateDir, FILE);
}

/** Where a daemon may be listening, the most likely place first; `stateDir` null where not known. */
export function controlSockets(stateDir: string | null, env: NodeJS.ProcessEnv): readonly string[] {
  const folders = [runtimeFolder(env), stateDir, '/run/mobilenetd'];
  return [...new Set(folders.filter((folder) => folder !== null))].map((folder) =>
    join(folder, FILE),
  );
}

/** A socket under a name that the kernel takes, which holds until it is released. */
export interface SocketName {
  readonly name: string;
  release(): void;
}

/**
 * The name of a socket; where the path is too long for one, Linux has a shorter way to the same place,
 * through its open folder (proc(5), `/proc/self/fd`).
 *
 * @throws Error with code ENAMETOOLONG, and what opening the folder throws
 */
export function nameOfSocket(path: string): SocketName {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return { name: path, release: () => {} };
  const folder = process.platform === 'linux' ? openSync(dirname(path), 'r') : null;
  const name = folder === null ? path : `/proc/self/fd/${folder}/${basename(path)}`;
  const release = () => {
    if (folder !== null) closeSync(folder);
  };
  if (Buffer.byteLength(name) <= MAX_PATH_BYTES) return { name, release };
  release();
  throw Object.assign(new Error(`a path of more than ${MAX_PATH_BYTES} bytes`), {
    code: 'ENAMETOOLONG',
  });
}

/** systemd.exec(5): several folders are separated by colons. */
function runtimeFolder(env: NodeJS.ProcessEnv): string | null {
  const [first = ''] = (env.RUNTIME_DIRECTORY ?? '').split(':');
  return isAbsolute(first) ? first : null;
}
