import { spawn } from 'node:child_process';

/** What the service manager can be told (sd_notify(3)). */
export interface Notifier {
  /** Start-up has finished. */
  ready(): Promise<void>;
  reloading(): Promise<void>;
  stopping(): Promise<void>;
  /** One line for `systemctl status`. */
  status(text: string): Promise<void>;
  watchdog(): Promise<void>;
}

export interface NotifyOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Runs a program to its end; resolves with its exit status. */
  readonly run?: (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => Promise<number>;
  readonly onError?: (error: Error) => void;
  /** Monotonic clock in microseconds, for RELOADING=1. */
  readonly nowMicroseconds?: () => bigint;
}

/**
 * Speaks to the service manager through systemd-notify(1), which handles path and abstract sockets
 * and needs no compiled module. Silent when NOTIFY_SOCKET is not set. A failure is reported once
 * and never thrown: a daemon must not die because its manager did not listen.
 */
export function createNotifier(options: NotifyOptions): Notifier {
  const { env, run = runProgram, onError = () => {} } = options;
  const now = options.nowMicroseconds ?? (() => process.hrtime.bigint() / 1000n);
  let failed = false;

  async function send(...assignments: string[]): Promise<void> {
    if (!env.NOTIFY_SOCKET || failed) return;
    try {
      const status = await run('systemd-notify', [`--pid=${process.pid}`, ...assignments], env);
      if (status !== 0) throw new Error(`systemd-notify ended with status ${status}`);
    } catch (error) {
      failed = true;
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  return {
    ready: () => send('READY=1'),
    reloading: () => send('RELOADING=1', `MONOTONIC_USEC=${now()}`),
    stopping: () => send('STOPPING=1'),
    status: (text) => send(`STATUS=${text.replaceAll('\n', ' ')}`),
    watchdog: () => send('WATCHDOG=1'),
  };
}

function runProgram(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, stdio: 'ignore', timeout: 5000 });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
