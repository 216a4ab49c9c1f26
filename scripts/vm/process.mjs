// Child processes of a script that must leave nothing behind when it is interrupted.
import { spawn } from 'node:child_process';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
}

/** Aborted by the first SIGINT, SIGTERM or SIGHUP that this script gets. */
const interruption = interrupted.signal;

/**
 * Runs a command to its end, in a process group of its own. An interruption, or the limit, ends the
 * whole group: SIGTERM first, SIGKILL after 10 s. Should this process be killed, the kernel kills the
 * command.
 *
 * @param options those of spawn(), and limitMs, onStart(child)
 * @returns once it has ended with 0; throws otherwise
 */
export async function runToEnd(file, args, { limitMs, onStart, ...options } = {}) {
  interruption.throwIfAborted();
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', file, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    ...options,
    detached: true,
  });
  onStart?.(child);
  const timers = [];
  let reason = null;
  const end = (why) => {
    reason ??= why;
    signalGroup(child.pid, 'SIGTERM');
    timers.push(setTimeout(() => signalGroup(child.pid, 'SIGKILL'), 10_000));
  };
  const onInterruption = () => end(interruption.reason.message);
  interruption.addEventListener('abort', onInterruption, { once: true });
  if (limitMs !== undefined) {
    timers.push(setTimeout(() => end(`not done after ${limitMs / 60_000} minutes`), limitMs));
  }
  try {
    const [status, signal] = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...ended) => resolve(ended));
    });
    if (reason !== null) throw new Error(`${file}: ${reason}`);
    if (status !== 0) throw new Error(`${file}: ended with ${status ?? signal}`);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    interruption.removeEventListener('abort', onInterruption);
    // Whatever it has left running.
    signalGroup(child.pid, 'SIGKILL');
  }
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // They have all ended.
  }
}
