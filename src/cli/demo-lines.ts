import { systemClock } from '../time.js';

/**
 * The lines of the demo: one layout for events, decisions and what the log says, with the time of
 * saying it, which never runs backwards.
 */
export class DemoLines {
  readonly #stdout: NodeJS.WritableStream;
  readonly #stderr: NodeJS.WritableStream;
  readonly #now: () => number;
  #last = 0;
  #isDrawn = false;

  constructor(
    stdout: NodeJS.WritableStream,
    stderr: NodeJS.WritableStream,
    now: () => number = systemClock.wall,
  ) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#now = now;
  }

  /** `+` begins, `-` ends, `~` the governor. */
  say(mark: '+' | '-' | '~', text: string): void {
    this.clear();
    this.#stdout.write(`${this.#time()}  ${mark} ${text}\n`);
  }

  /** A line of the log, as JSON. */
  log(line: string): void {
    const { msg, err } = JSON.parse(line) as { msg?: unknown; err?: { stack?: unknown } };
    const stack = typeof err?.stack === 'string' ? `\n${err.stack}` : '';
    this.clear();
    this.#stderr.write(`${this.#time()}  ! ${String(msg ?? '')}${stack}\n`);
  }

  /** What takes its time at the start: on a terminal one line that changes. */
  progress(text: string): void {
    const isTerminal = 'isTTY' in this.#stderr && this.#stderr.isTTY === true;
    this.#stderr.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
    this.#isDrawn = isTerminal;
  }

  plain(text = ''): void {
    this.clear();
    this.#stdout.write(`${text}\n`);
  }

  /** Takes the line of progress away, so that what comes next begins a line of its own. */
  clear(): void {
    if (this.#isDrawn) this.#stderr.write('\r\u001b[K');
    this.#isDrawn = false;
  }

  #time(): string {
    // A clock that is set back while the demo runs must not confuse who reads it.
    this.#last = Math.max(this.#last, this.#now());
    return new Date(this.#last).toTimeString().slice(0, 8);
  }
}
