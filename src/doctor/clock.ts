import { join } from 'node:path';
import { type Finding, findings } from './finding.js';
import { type CheckInput, canUse, type Surroundings } from './surroundings.js';

const { ok, info, warn, fail } = findings('clock');

/** No board of today lives before this program was written. */
const LEAST_YEAR = 2025;
const LAST_YEAR = 2100;
const TIMEOUT_MS = 3000;
const NTP_HELP =
  'sudo timedatectl set-ntp true, and let UDP port 123 through; timedatectl tells more';

/** Whether the clock can be right: events carry its time, and certificates are judged by it. */
export async function checkClock({ around }: CheckInput): Promise<Finding[]> {
  const now = new Date(around.now());
  const year = now.getUTCFullYear();
  if (year < LEAST_YEAR || year > LAST_YEAR) {
    return [
      fail('time', now.toISOString(), {
        means: 'events get this time, retention deletes by it, and no TLS certificate is valid',
        next: `the board has no battery-backed clock and has not reached a time server: ${NTP_HELP}`,
      }),
    ];
  }
  return [await synchronisation(around, now)];
}

async function synchronisation(around: Surroundings, now: Date): Promise<Finding> {
  const time = now.toISOString();
  const { status, stdout } = await around.runProgram(
    'timedatectl',
    ['show', '-p', 'NTPSynchronized', '--value'],
    TIMEOUT_MS,
  );
  // systemd-timesyncd leaves this file where timedatectl cannot ask the bus.
  const flagged = await canUse(join(around.run, 'systemd/timesync/synchronized'), 0);
  if (flagged || (status === 0 && stdout.trim() === 'yes')) {
    return ok('time', `${time}, synchronised`);
  }
  if (status !== 0) return info('time', `${time}; whether it is synchronised is not known`);
  return warn('time', `${time}, not synchronised`, {
    means: 'a board without a battery-backed clock starts with the time it was switched off at',
    next: NTP_HELP,
  });
}
