import makeMdns, { type MulticastDNS } from 'multicast-dns';
import { type Clock, systemClock } from '../../time.js';

/** A service that somebody in this network announces. */
export interface Announced {
  /** As people see it, e.g. `Mosquitto on pi`. */
  readonly name: string;
  /** IPv4 address, or the host's name where no address was told. */
  readonly host: string;
  readonly port: number;
}

export interface Announcements {
  readonly services: readonly Announced[];
  /** The address of the asked host; null when nobody has that name. */
  readonly address: string | null;
}

export interface MdnsOptions {
  /** E.g. `_mqtt._tcp.local`. */
  readonly service: string;
  /** E.g. `homeassistant.local`. */
  readonly host: string;
  /** How long answers are waited for, ms. */
  readonly windowMs: number;
}

/** The question is asked so often, since a packet can be lost. */
const ASKS = 3;
/** As much of other people's answers as is kept. */
const MAX_RECORDS = 500;

/** What is known so far, by the names of the records. */
class Records {
  readonly pointers = new Set<string>();
  readonly services = new Map<string, { readonly target: string; readonly port: number }>();
  readonly addresses = new Map<string, string>();

  take(answer: { name: string; type: string; data?: unknown }, service: string): void {
    if (this.services.size + this.addresses.size + this.pointers.size > MAX_RECORDS) return;
    const name = answer.name.toLowerCase();
    const { data } = answer;
    if (answer.type === 'PTR' && name === service && typeof data === 'string') {
      this.pointers.add(data);
    } else if (answer.type === 'A' && typeof data === 'string') {
      this.addresses.set(name, data);
    } else if (answer.type === 'SRV' && isTarget(data)) {
      this.services.set(name, data);
    }
  }

  announced(): Announced[] {
    return [...this.pointers].flatMap((pointer) => {
      const known = this.services.get(pointer.toLowerCase());
      if (known === undefined) return [];
      const host = this.addresses.get(known.target.toLowerCase()) ?? known.target;
      return [{ name: pointer.replace(/\._[^.]+\._tcp\.local$/i, ''), host, port: known.port }];
    });
  }
}

function isTarget(data: unknown): data is { target: string; port: number } {
  if (typeof data !== 'object' || data === null) return false;
  const { target, port } = data as { target?: unknown; port?: unknown };
  return typeof target === 'string' && Number.isInteger(port) && Number(port) > 0;
}

/**
 * Asks the local network (multicast DNS, RFC 6762) for a service and for a host. Never rejects: where
 * multicast does not work, nothing is found.
 */
export function askNetwork(
  options: MdnsOptions,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<Announcements> {
  const { service, host, windowMs } = options;
  const records = new Records();
  return new Promise((resolve) => {
    let mdns: MulticastDNS | null = null;
    const cancels: (() => void)[] = [];
    const end = () => {
      for (const cancel of cancels) cancel();
      signal.removeEventListener('abort', end);
      try {
        mdns?.destroy();
      } catch {
        // A resolver that never got a socket cannot be closed.
      }
      mdns = null;
      resolve({
        services: records.announced(),
        address: records.addresses.get(host.toLowerCase()) ?? null,
      });
    };
    const ask = () => {
      const unknown = [...records.pointers].filter(
        (name) => !records.services.has(name.toLowerCase()),
      );
      const targets = [...records.services.values()].filter(
        ({ target }) => !records.addresses.has(target.toLowerCase()),
      );
      mdns?.query([
        { name: service, type: 'PTR' },
        { name: host, type: 'A' },
        ...unknown.map((name) => ({ name, type: 'SRV' as const })),
        ...targets.map(({ target }) => ({ name: target, type: 'A' as const })),
      ]);
    };
    if (signal.aborted) return end();
    signal.addEventListener('abort', end);
    try {
      mdns = makeMdns();
    } catch {
      return end();
    }
    mdns.on('error', end);
    mdns.on('warning', () => {});
    mdns.on('response', ({ answers, additionals }) => {
      for (const answer of [...answers, ...additionals]) records.take(answer, service);
    });
    for (let index = 0; index < ASKS; index += 1) {
      cancels.push(clock.setTimer(ask, (index * windowMs) / (ASKS + 1)));
    }
    cancels.push(clock.setTimer(end, windowMs));
  });
}
