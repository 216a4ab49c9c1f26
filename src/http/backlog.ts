import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Bytes of answers that slow readers may let wait, all together. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Requests that one connection may send before it has taken the answers: browsers send one. */
const MAX_PIPELINED = 4;

/** Answers under way, and what of them has not been taken yet: slow readers are dropped. */
export class Backlog {
  readonly #open = new Map<ServerResponse, Socket>();
  readonly #pipelined = new WeakMap<Socket, number>();

  /** False: the connection was dropped, and the request is not to be looked at. */
  add(response: ServerResponse, socket: Socket): boolean {
    const count = (this.#pipelined.get(socket) ?? 0) + 1;
    if (count > MAX_PIPELINED) {
      socket.destroy();
      return false;
    }
    this.#pipelined.set(socket, count);
    this.#open.set(response, socket);
    response.once('close', () => {
      this.#open.delete(response);
      this.#pipelined.set(socket, (this.#pipelined.get(socket) ?? 1) - 1);
    });
    this.#dropSlowest();
    return true;
  }

  /** Drops those who let most wait, until it is not too much any more. */
  #dropSlowest(): void {
    const waiting = [...this.#open].map(([response, socket]) => ({
      socket,
      bytes: response.writableLength,
    }));
    let sum = waiting.reduce((total, { bytes }) => total + bytes, 0);
    if (sum <= MAX_BYTES) return;
    waiting.sort((a, b) => b.bytes - a.bytes);
    for (const { socket, bytes } of waiting) {
      if (sum <= MAX_BYTES / 2) return;
      socket.destroy();
      sum -= bytes;
    }
  }
}
