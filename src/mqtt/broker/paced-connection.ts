import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Turns } from './turns.js';

/** Bytes that are handed on at a time: some hundred of the smallest packets. */
const PIECE_BYTES = 2048;

export interface PacedOptions {
  readonly socket: Socket;
  readonly turns: Turns;
  /** Looks at everything that arrives; false ends the connection. */
  readonly fits: (piece: Buffer) => boolean;
}

/**
 * A connection of a client whose bytes are handed on a small piece at a time, whenever it is its turn: a
 * chunk of a socket (64 KiB) may hold thirty thousand packets, which the broker would answer in one go.
 */
export class PacedConnection extends Duplex {
  readonly socket: Socket;
  readonly #turns: Turns;
  readonly #fits: (piece: Buffer) => boolean;
  #ended = false;
  #wanted = false;

  constructor({ socket, turns, fits }: PacedOptions) {
    super({ allowHalfOpen: false, readableHighWaterMark: PIECE_BYTES });
    this.socket = socket;
    this.#turns = turns;
    this.#fits = fits;
    socket.on('readable', () => this.#hand());
    socket.once('end', () => {
      this.#ended = true;
      this.#hand();
    });
    socket.on('error', (error) => this.destroy(error));
    socket.once('close', () => this.destroy());
  }

  override _read(): void {
    this.#wanted = true;
    this.#hand();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.socket.write(chunk, done);
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.socket.cork();
    const last = chunks.length - 1;
    // Not in one piece: that would be a copy of everything for each who hears it.
    for (const [at, { chunk }] of chunks.entries()) {
      if (at === last) this.socket.write(chunk, done);
      else this.socket.write(chunk);
    }
    this.socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#turns.forget(this);
    this.socket.destroy();
    done(error);
  }

  /** Hands on what there is, when it is wanted. */
  #hand(): void {
    if (!this.#wanted || this.destroyed) return;
    if (this.socket.readableLength === 0) {
      if (this.#ended) this.push(null);
      return;
    }
    this.#wanted = false;
    void this.#turns.next(this).then(() => this.#piece());
  }

  #piece(): void {
    if (this.destroyed) return;
    const bytes = Math.min(PIECE_BYTES, this.socket.readableLength);
    const piece: Buffer | null = bytes === 0 ? null : this.socket.read(bytes);
    if (piece === null) {
      this.#wanted = true;
      this.#hand();
    } else if (this.#fits(piece)) this.push(piece);
    else this.destroy();
  }
}
