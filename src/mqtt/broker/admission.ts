import type { Socket } from 'node:net';
import type { Clock } from '../../time.js';

/** Who has not sent CONNECT by then is disconnected, ms. */
export const CONNECT_MS = 5000;
/** Connections that have not sent CONNECT yet. */
const MAX_PENDING = 32;
const MAX_PENDING_EACH = 16;
/** Clients of one address beyond this machine. */
const MAX_EACH = 40;
/** Room that only clients of this machine may take. */
const LOCAL_RESERVE = 8;

export type Turned = 'full' | 'address';

/**
 * Who may come in. Connections that say nothing give way to newer ones and are closed after five
 * seconds, so that idle ones keep nobody out; one address beyond this machine cannot take all the room,
 * and some of it is for clients on this machine.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #maxClients: number;
  /** Connections without a CONNECT, the oldest first, and how to end their wait. */
  readonly #pending = new Map<Socket, () => void>();
  /** Addresses of those who were let in. */
  readonly #clients = new Map<Socket, string>();
  /** Connections that were closed before they said anything. */
  turnedAway = 0;

  constructor(clock: Clock, maxClients: number) {
    this.#clock = clock;
    this.#maxClients = maxClients;
  }

  /** A connection was made; it is closed if it says nothing. */
  arrived(socket: Socket): void {
    const address = addressOf(socket);
    const same = [...this.#pending.keys()].filter((other) => addressOf(other) === address);
    if (same.length >= MAX_PENDING_EACH) this.#turnAway(same[0]);
    const [oldest] = this.#pending.keys();
    if (this.#pending.size >= MAX_PENDING) this.#turnAway(oldest);
    const cancel = this.#clock.setTimer(() => this.#turnAway(socket), CONNECT_MS);
    this.#pending.set(socket, cancel);
    socket.once('close', () => {
      this.#pending.get(socket)?.();
      this.#pending.delete(socket);
      this.#clients.delete(socket);
    });
  }

  /** A connection has sent CONNECT: why it may not stay, or null. `own`: it is the daemon's. */
  admit(socket: Socket, own: boolean): Turned | null {
    this.#pending.get(socket)?.();
    this.#pending.delete(socket);
    const address = addressOf(socket);
    const local = isLoopback(address);
    if (!own) {
      const reserve = local ? 0 : Math.min(LOCAL_RESERVE, Math.floor(this.#maxClients / 4));
      if (this.#clients.size >= this.#maxClients - reserve) return 'full';
      const same = [...this.#clients.values()].filter((other) => other === address).length;
      if (!local && same >= MAX_EACH) return 'address';
      this.#clients.set(socket, address);
    }
    return null;
  }

  #turnAway(socket: Socket | undefined): void {
    if (socket === undefined) return;
    this.turnedAway += 1;
    this.#pending.get(socket)?.();
    this.#pending.delete(socket);
    socket.destroy();
  }
}

function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? '';
}

/** `127.0.0.0/8` and `::1`, also where IPv4 comes in as IPv6. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address === 'localhost' || /^(::ffff:)?127\./.test(address);
}
