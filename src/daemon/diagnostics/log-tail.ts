const MAX_LINES = 500;
/** Characters that are kept of a line. */
const MAX_LENGTH = 2000;
/** Colours of a terminal (ECMA-48, 8.3.117). */
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** The newest lines of the log, as they were written, without colours. */
export class LogTail {
  readonly #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(line.slice(0, MAX_LENGTH).replace(COLOURS, '').trimEnd());
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }

  /** The newest this many, the oldest of them first. */
  last(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }
}
