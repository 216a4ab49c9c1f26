import type { ServerResponse } from 'node:http';

/** Bytes of answers that slow readers may let wait, all together. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Answers under way, and what of them has not been taken yet. */
export class Backlog {
  readonly #open = new Set<ServerResponse>();

  add(response: ServerResponse): void {
    this.#open.add(response);
    response.on('close', () => this.#open.delete(response));
  }

  /** Whether more is waiting in memory than may be. */
  get isFull(): boolean {
    let bytes = 0;
    for (const response of this.#open) bytes += response.writableLength;
    return bytes > MAX_BYTES;
  }
}
