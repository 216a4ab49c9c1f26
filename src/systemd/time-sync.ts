import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const TIMEOUT_MS = 3000;
/** Every program that keeps the kernel's clock lets it say whether it is right; systemd passes it on. */
export const ASK_CLOCK = ['timedatectl', 'show', '-p', 'NTPSynchronized', '--value'] as const;

/** The file that systemd-timesyncd leaves once it has set the clock, below `/run`. */
export function synchronisedFile(runRoot: string): string {
  return join(runRoot, 'systemd/timesync/synchronized');
}

/** Whether a time server has set this machine's clock. */
export class TimeSync {
  readonly #file: string;
  readonly #ask: (done: (answer: string) => void) => void;
  #synchronised = false;
  #asking = false;

  constructor(runRoot = '/run', ask: (done: (answer: string) => void) => void = askTimedatectl) {
    this.#file = synchronisedFile(runRoot);
    this.#ask = ask;
  }

  /**
   * What is known now. Where systemd-timesyncd is not the one who knows, another program is asked,
   * and the next call has its answer.
   */
  isSynchronised(): boolean {
    if (existsSync(this.#file)) return true;
    if (!this.#asking) {
      this.#asking = true;
      this.#ask((answer) => {
        this.#asking = false;
        this.#synchronised = answer.trim() === 'yes';
      });
    }
    return this.#synchronised;
  }
}

function askTimedatectl(done: (answer: string) => void): void {
  const [program, ...args] = ASK_CLOCK;
  const child = execFile(program, args, { timeout: TIMEOUT_MS }, (error, stdout) => {
    done(error === null ? stdout : '');
  });
  child.unref();
}
