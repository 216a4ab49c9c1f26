import { spawn } from 'node:child_process';

/** What the service manager is told about a daemon that runs. */
export interface Report {
  /** One line for `systemctl status`. */
  readonly status?: string;
  /** The daemon makes progress: the watchdog starts anew. */
  readonly alive?: boolean;
  /** Seconds that a start or a stop may still take, past the limits of the unit. */
  readonly extendS?: number;
}

/** What the service manager can be told (sd_notify(3)). Each resolves with whether it was told. */
export interface Notifier {
  /** Start-up has finished. */
  ready(): Promise<boolean>;
  /** Whether it has been told that. */
  isReady(): boolean;
  reloading(): Promise<boolean>;
  stopping(): Promise<boolean>;
  report(report: Report): Promise<boolean>;
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
 * and needs no compiled module. Silent (and false) when NOTIFY_SOCKET is not set. A failure is
 * reported once until it works again, and never thrown: a daemon must not die because its manager
 * did not listen.
 */
export function createNotifier(options: NotifyOptions): Notifier {
  const { env, run = runProgram, onError = () => {} } = options;
  const now = options.nowMicroseconds ?? (() => process.hrtime.bigint() / 1000n);
  let failing = false;
  let ready = false;

  async function send(...assignments: string[]): Promise<boolean> {
    if (!env.NOTIFY_SOCKET || assignments.length === 0) return false;
    try {
      const status = await run('systemd-notify', [`--pid=${process.pid}`, ...assignments], env);
      if (status !== 0) throw new Error(`systemd-notify ended with status ${status}`);
      failing = false;
      return true;
    } catch (error) {
      if (!failing) onError(error instanceof Error ? error : new Error(String(error)));
      failing = true;
      return false;
    }
  }

  return {
    async ready() {
      const sent = await send('READY=1');
      ready ||= sent;
      return sent;
    },
    isReady: () => ready,
    reloading: () => send('RELOADING=1', `MONOTONIC_USEC=${now()}`),
    stopping: () => send('STOPPING=1'),
    report({ status, alive = false, extendS }) {
      const assignments: string[] = [];
      if (alive) assignments.push('WATCHDOG=1');
      if (extendS !== undefined) assignments.push(`EXTEND_TIMEOUT_USEC=${extendS * 1e6}`);
      if (status !== undefined) assignments.push(`STATUS=${status.replaceAll('\n', ' ')}`);
      return send(...assignments);
    },
  };
}

/**
 * Milliseconds within which the service manager wants to hear that the daemon is alive; null when it
 * does not watch this process (sd_watchdog_enabled(3)).
 */
export function watchdogMs(env: NodeJS.ProcessEnv, pid = process.pid): number | null {
  const { WATCHDOG_USEC = '', WATCHDOG_PID } = env;
  if (!env.NOTIFY_SOCKET || !/^[1-9]\d*$/.test(WATCHDOG_USEC)) return null;
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return null;
  return Number(WATCHDOG_USEC) / 1000;
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
