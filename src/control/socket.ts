import { isAbsolute, join } from 'node:path';

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

/** systemd.exec(5): several folders are separated by colons. */
function runtimeFolder(env: NodeJS.ProcessEnv): string | null {
  const [first = ''] = (env.RUNTIME_DIRECTORY ?? '').split(':');
  return isAbsolute(first) ? first : null;
}
