import {
  type Address,
  addressOf,
  type ConnectionOptions,
  type ResolveSrv,
} from './client-options.js';
import { createSrvResolver, expand, isNamed, NoRecords } from './srv.js';

/** An attempt to connect may take so long; less where another broker waits for its turn. */
const ALONE_MS = 10_000;
const ONE_OF_MANY_MS = 4000;
/** The brokers that may be used, in the order in which they are tried; the one that works is kept. */
export class BrokerAddresses {
  readonly #configured: readonly Address[];
  readonly #resolveSrv: ResolveSrv;
  readonly #random: () => number;
  /** The configured ones with SRV records in their place; null until the next round looks them up. */
  #round: readonly Address[] | null;
  #at = 0;
  /** What the name servers said last, by the address that it stands for. */
  readonly #last = new Map<string, readonly Address[]>();

  /** Throws MND_CONFIG_INVALID for what is no address. */
  constructor(
    options: Pick<ConnectionOptions, 'url' | 'username' | 'password' | 'random' | 'resolveSrv'>,
  ) {
    const urls = typeof options.url === 'string' ? [options.url] : options.url;
    this.#configured = urls.map((url) => addressOf(url, options));
    this.#resolveSrv = options.resolveSrv ?? createSrvResolver();
    this.#random = options.random ?? Math.random;
    this.#round = this.#named() ? null : this.#configured;
  }

  /** Whether a user name goes along. */
  get withUser(): boolean {
    return this.#configured.some(({ username }) => username !== null);
  }

  /** For messages, before any was tried. */
  get redacted(): string {
    const at = this.#round?.[this.#at] ?? this.#configured[this.#at] ?? this.#configured[0];
    return at?.redacted ?? '';
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
    return this.#configured.some(isNamed);
  }

  async #lookUp(): Promise<Address> {
    const found: Address[] = [];
    let failure: unknown = null;
    for (const address of this.#configured) {
      try {
        const brokers = await expand(address, this.#resolveSrv, this.#random);
        this.#last.set(address.url, brokers);
        found.push(...brokers);
      } catch (error) {
        failure = error;
        if (error instanceof NoRecords) this.#last.delete(address.url);
        // A name server that is away is no reason to be without a broker.
        else found.push(...(this.#last.get(address.url) ?? []));
      }
    }
    const [first] = found;
    if (first === undefined) throw failure ?? new Error('no broker is named');
    this.#round = found;
    this.#at = 0;
    return first;
  }
}
