import { askDaemon } from '../../control/client.js';
import type { RunProgram } from '../../doctor/surroundings.js';
import { codedError } from '../../errors.js';
import { type Clock, sleep } from '../../time.js';
import { statusOf } from './running.js';

const UNIT = 'mobilenetd.service';
const PROGRAM_MS = 120_000;
const POLL_MS = 500;
/** A model may have to be fetched and converted. */
const READY_MS = 600_000;
/** Nobody need stand before the camera. */
const LABEL_MS = 20_000;

export interface StartOptions {
  readonly run: RunProgram;
  readonly sockets: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** Who has to learn of a new file: the service, a daemon that somebody has started, or nobody. */
export type Runner = 'service' | 'daemon' | null;

/** @param isSystem whether the file is the one that the service reads */
export async function runnerOf(
  isSystem: boolean,
  file: string,
  options: StartOptions,
): Promise<Runner> {
  const { stdout, status } = await options.run('systemctl', ['cat', UNIT], PROGRAM_MS);
  if (status === 0 && (isSystem || stdout.includes(file))) return 'service';
  return (await statusOf(options.sockets)) === null ? null : 'daemon';
}

/** Puts a written file in force. @throws MND_SERVICE_FAILED, and what a reload throws */
export async function putInForce(
  runner: 'service' | 'daemon',
  options: StartOptions,
): Promise<void> {
  if (runner === 'daemon') {
    await askDaemon({ verb: 'reload' }, { sockets: options.sockets, timeout: PROGRAM_MS });
    return;
  }
  const { status, stderr } = await options.run('systemctl', ['restart', UNIT], PROGRAM_MS);
  if (status === 0) return;
  throw codedError('MND_SERVICE_FAILED', {
    subject: `systemctl restart ${UNIT}`,
    found: stderr.trim().split('\n').at(-1) ?? `status ${status}`,
    next: 'the configuration is written; journalctl -u mobilenetd -e says why it does not start',
  });
}

/** What the daemon sees first. */
export interface FirstLook {
  readonly ready: boolean;
  /** E.g. `front: person`; empty while nothing is there. */
  readonly seen: readonly string[];
}

/** Waits for the first label of the daemon, telling what it does meanwhile; Ctrl-C ends that. */
export async function awaitLabel({
  sockets,
  clock,
  signal,
  say,
}: StartOptions): Promise<FirstLook> {
  const began = clock.now();
  let [last, readyAt] = ['', Number.POSITIVE_INFINITY];
  for (;;) {
    signal.throwIfAborted();
    const status = await statusOf(sockets);
    const { running = null, doing = null, ready = false } = status ?? {};
    const seen = (running?.cameras ?? []).flatMap(({ name, present }) =>
      present.length === 0 ? [] : [`${name}: ${present.join(', ')}`],
    );
    if (seen.length > 0) return { ready: true, seen };
    const reasons = (running?.cameras ?? []).flatMap(({ name, reason }) =>
      reason === null ? [] : [`${name}: ${reason}`],
    );
    const text = doing ?? reasons.join('; ');
    if (text !== '' && text !== last) say(`  ${text}`);
    if (text !== '') last = text;
    if (ready) readyAt = Math.min(readyAt, clock.now());
    const now = clock.now();
    if (now - readyAt >= LABEL_MS || now - began >= READY_MS) return { ready, seen };
    await sleep(clock, POLL_MS, signal);
  }
}
