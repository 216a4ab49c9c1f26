import { Resolver } from 'node:dns/promises';
import {
  type Address,
  addressOf,
  type ConnectionOptions,
  type ResolveSrv,
} from './client-options.js';

/** An attempt to connect may take so long; less where another broker waits for its turn. */
const ALONE_MS = 10_000;
const ONE_OF_MANY_MS = 4000;
/** A name server that does not answer must not cost more than a broker that does not. */
const RESOLVE_MS = 1500;
/** Services of SRV records by scheme (the names that IANA has for MQTT). */
const SRV: Readonly<Record<string, { readonly service: string; readonly scheme: string }>> = {
  'mqtt+srv:': { service: '_mqtt._tcp', scheme: 'mqtt:' },
  'mqtts+srv:': { service: '_secure-mqtt._tcp', scheme: 'mqtts:' },
};

/** Asks the machine's name servers, within a bound of time. */
const resolveWithDns: ResolveSrv = (name) =>
  new Resolver({ timeout: RESOLVE_MS, tries: 1 }).resolveSrv(name);

/** The brokers that may be used, in the order in which they are tried; the one that works is kept. */
export class BrokerAddresses {
  readonly #configured: readonly Address[];
  readonly #resolveSrv: ResolveSrv;
  readonly #random: () => number;
  /** The configured ones with SRV records in their place; null until the next round looks them up. */
  #round: readonly Address[] | null;
  #at = 0;

  /** Throws MND_CONFIG_INVALID for what is no address. */
  constructor(
    options: Pick<ConnectionOptions, 'url' | 'username' | 'password' | 'random' | 'resolveSrv'>,
  ) {
    const urls = typeof options.url === 'string' ? [options.url] : options.url;
    this.#configured = urls.map((url) => addressOf(url, options));
    this.#resolveSrv = options.resolveSrv ?? resolveWithDns;
    this.#random = options.random ?? Math.random;
    this.#round = this.#named() ? null : this.#configured;
  }

  /** Whether a user name goes along. */
  get withUser(): boolean {
    return this.#configured.some(({ username }) => username !== null);
  }

  /** For messages, before any was tried. */
  get shown(): string {
    const at = this.#round?.[this.#at] ?? this.#configured[this.#at] ?? this.#configured[0];
    return at?.shown ?? '';
  }

  /** Milliseconds that an attempt may take. */
  get timeoutMs(): number {
    const several = (this.#round ?? this.#configured).length > 1 || this.#named();
    return several ? ONE_OF_MANY_MS : ALONE_MS;
  }

  /** The broker whose turn it is; a promise while names are looked up, which may reject. */
  current(): Address | Promise<Address> {
    const known = this.#round?.[this.#at];
    return known ?? this.#lookUp();
  }

  /** Goes on to the next broker; true when all have had their turn. */
  advance(): boolean {
    const size = this.#round?.length ?? 0;
    this.#at += 1;
    if (this.#at < size) return false;
    this.#at = 0;
    // Records may have changed: a cluster's nodes come and go.
    if (this.#named()) this.#round = null;
    return true;
  }

  #named(): boolean {
    return this.#configured.some(({ url }) => schemeOf(url) in SRV);
  }

  async #lookUp(): Promise<Address> {
    const found: Address[] = [];
    let failure: unknown = null;
    for (const address of this.#configured) {
      try {
        found.push(...(await this.#expand(address)));
      } catch (error) {
        failure = error;
      }
    }
    const [first] = found;
    if (first === undefined) throw failure ?? new Error('no broker is named');
    this.#round = found;
    this.#at = 0;
    return first;
  }

  async #expand(address: Address): Promise<readonly Address[]> {
    const { protocol, hostname } = new URL(address.url);
    const srv = SRV[protocol];
    if (srv === undefined) return [address];
    const records = await this.#resolveSrv(`${srv.service}.${hostname}`);
    const ordered = records.map((record) => ({
      ...record,
      // Weighted chance (RFC 2782): of two weights the larger one comes first more often.
      rank: this.#random() ** (1 / Math.max(record.weight, 0.01)),
    }));
    ordered.sort((a, b) => a.priority - b.priority || b.rank - a.rank);
    return ordered.map(({ name, port }) => {
      const url = `${srv.scheme}//${name}:${port}`;
      return { ...address, url, shown: url };
    });
  }
}

function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':') + 1);
}
