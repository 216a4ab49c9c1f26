import { askDaemon } from '../../control/client.js';
import type { StatusReport } from '../../control/report.js';
import { isCodedError } from '../../errors.js';
import type { CommandContext } from '../command.js';
import { socketsOf } from '../sockets.js';

/** What the daemon of this state folder says of itself; null: none runs. */
export async function runningDaemon(context: CommandContext): Promise<StatusReport | null> {
  try {
    return (await askDaemon({ verb: 'status' }, socketsOf(context))) as StatusReport;
  } catch (error) {
    if (isAway(error)) return null;
    throw error;
  }
}

export function isAway(error: unknown): boolean {
  return isCodedError(error) && error.code === 'MND_CONTROL_UNAVAILABLE';
}
