import type { Socket } from 'node:net';
import type { Clock } from '../../time.js';

/** Who has not sent CONNECT by then is disconnected, ms. */
export const CONNECT_MS = 5000;
/** Connections that have not sent CONNECT yet. */
const MAX_PENDING = 32;
const MAX_PENDING_EACH = 16;
/** When many come at once, who has said something is known only a moment later, ms. */
const TIDY_MS = 250;
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
  readonly #onTurnedAway: () => void;
  #tidying = false;

  /** @param onTurnedAway a connection was closed that had not sent CONNECT */
  constructor(clock: Clock, maxClients: number, onTurnedAway: () => void) {
    this.#clock = clock;
    this.#maxClients = maxClients;
    this.#onTurnedAway = onTurnedAway;
  }

  /** A connection was made; it is closed if it says nothing. */
  arrived(socket: Socket): void {
    const cancel = this.#clock.setTimer(() => this.#turnAway(socket), CONNECT_MS);
    this.#pending.set(socket, cancel);
    socket.once('close', () => {
      this.#pending.get(socket)?.();
      this.#pending.delete(socket);
      this.#clients.delete(socket);
    });
    if (this.#tidying) return;
    this.#tidying = true;
    this.#clock.setTimer(() => this.#tidy(), TIDY_MS);
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

  /** Closes what is too much: those first that have not said a word, of these the oldest. */
  #tidy(): void {
    this.#tidying = false;
    const all = [...this.#pending.keys()].sort(
      (a, b) => Number(a.bytesRead > 0) - Number(b.bytesRead > 0),
    );
    const left = new Map<string, number>();
    for (const socket of all) left.set(addressOf(socket), (left.get(addressOf(socket)) ?? 0) + 1);
    let total = all.length;
    for (const socket of all) {
      const same = left.get(addressOf(socket)) ?? 0;
      if (same <= MAX_PENDING_EACH && total <= MAX_PENDING) continue;
      left.set(addressOf(socket), same - 1);
      total -= 1;
      this.#turnAway(socket);
    }
  }

  #turnAway(socket: Socket): void {
    this.#onTurnedAway();
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
