import type { CameraStatus } from '../../camera/supervisor.js';
import type { Log } from '../../log.js';

/** The same status is logged at most once in so long. */
const INTERVAL_MS = 60_000;

/**
 * Logs a camera's status: one that comes and goes gets a line a minute for each status, with a count.
 * That a source failed is told by its failures, which say more; here it is for `debug`.
 */
export function createStatusLog(
  log: Pick<Log, 'info' | 'debug'>,
  now: () => number,
): (status: CameraStatus, reason: string | null) => void {
  const logged = new Map<CameraStatus, { at: number; skipped: number }>();
  return (status, reason) => {
    const message = `camera ${status}${reason === null ? '' : `: ${reason}`}`;
    const last = logged.get(status);
    const isFailure = status === 'offline' && reason !== 'stopped';
    if (isFailure || (last !== undefined && now() - last.at < INTERVAL_MS)) {
      if (last !== undefined) last.skipped += 1;
      log.debug({ status }, message);
      return;
    }
    const skipped = last?.skipped ?? 0;
    log.info(
      { status, ...(skipped > 0 && { repeated: skipped }) },
      skipped === 0 ? message : `${message} (${skipped}× since the last line)`,
    );
    logged.set(status, { at: now(), skipped: 0 });
  };
}
