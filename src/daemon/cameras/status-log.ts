import type { CameraStatus } from '../../camera/supervisor.js';
import { createRepeatingLog, type Log } from '../../log.js';
import type { Clock } from '../../time.js';

/**
 * Logs a camera's status: one that comes and goes gets a line a minute for each status, with a count.
 * That a source failed is told by its failures, which say more; here it is for `debug`.
 */
export function createStatusLog(
  log: Pick<Log, 'debug' | 'info' | 'warn' | 'error'>,
  clock: Pick<Clock, 'now'>,
): (status: CameraStatus, reason: string | null) => void {
  const repeating = createRepeatingLog(log, { clock });
  return (status, reason) => {
    const message = `camera ${status}${reason === null ? '' : `: ${reason}`}`;
    const isFailure = status === 'offline' && reason !== 'stopped';
    if (isFailure) log.debug({ status }, message);
    else repeating.info(status, message, { status });
  };
}
