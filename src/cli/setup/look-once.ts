import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../package-root.js';

const SECONDS = '10';

/** What a short look through the configured cameras saw. */
export interface OnceSeen {
  readonly status: number | null;
  /** Label → how many events; empty where nothing was there. */
  readonly seen: Readonly<Record<string, number>>;
  /** Why there was none. */
  readonly stderr: string;
}

/** Runs `mobilenetd once` with a file in a process of its own, until something was seen. */
export async function lookOnce(
  file: string,
  env: NodeJS.ProcessEnv,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<OnceSeen> {
  const main = join(PACKAGE_ROOT, 'dist/cli/main.js');
  const args = [main, '--config', file, 'once', '--for', SECONDS, '--enough', '1', '--json'];
  // In a group of its own: Ctrl-C is told to it once, by us.
  const child = spawn(process.execPath, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const stop = () => child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
    for (const line of String(chunk).trimEnd().split('\n')) say(`  ${line}`);
  });
  const [status] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  return { status, seen: seenIn(stdout), stderr };
}

function seenIn(stdout: string): Readonly<Record<string, number>> {
  for (const line of stdout.split('\n').reverse()) {
    if (line === '') continue;
    const { done, seen } = JSON.parse(line) as { done?: boolean; seen?: Record<string, number> };
    if (done === true) return seen ?? {};
  }
  return {};
}
