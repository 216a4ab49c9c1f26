import { Resolver } from 'node:dns/promises';
import type { Address, ResolveSrv, SrvRecord } from './client-options.js';

/** A name server that does not answer must not cost more than a broker that does not. */
const RESOLVE_MS = 1500;
/** More brokers than this are not tried in one round. */
const MAX_RECORDS = 64;
/** Services of SRV records by scheme (the names that IANA has for MQTT). */
const SERVICES: Readonly<Record<string, { readonly service: string; readonly scheme: string }>> = {
  'mqtt+srv:': { service: '_mqtt._tcp', scheme: 'mqtt:' },
  'mqtts+srv:': { service: '_secure-mqtt._tcp', scheme: 'mqtts:' },
};
/** What a name server answers when there are none, for now or for good. */
const NONE = new Set<unknown>(['ENOTFOUND', 'ENODATA']);

/** There are no records: not a matter of a name server that is away. */
export class NoRecords extends Error {
  readonly code = 'ENODATA';
}

/** Asks name servers, within a bound of time; `servers` (`address:port`) default to the machine's. */
export function createSrvResolver(servers?: readonly string[]): ResolveSrv {
  return (name) => {
    // A new one each time: the machine's name servers may have changed.
    const resolver = new Resolver({ timeout: RESOLVE_MS, tries: 1 });
    if (servers !== undefined) resolver.setServers([...servers]);
    return resolver.resolveSrv(name);
  };
}

/** Whether an address stands for the brokers of SRV records. */
export function isNamed({ url }: Address): boolean {
  return url.slice(0, url.indexOf(':') + 1) in SERVICES;
}

/**
 * The brokers that an address stands for, in the order in which they are to be tried. Rejects with
 * {@link NoRecords} when there are none, and with what the resolver says when it cannot be asked.
 */
export async function expand(
  address: Address,
  resolve: ResolveSrv,
  random: () => number,
): Promise<readonly Address[]> {
  const { protocol, hostname } = new URL(address.url);
  const named = SERVICES[protocol];
  if (named === undefined) return [address];
  const name = `${named.service}.${hostname}`;
  const records = await resolve(name).catch((error) => {
    if (NONE.has(error?.code)) return [];
    throw error;
  });
  // A record for the root says that there is no such service (RFC 2782).
  const usable = records.filter(({ name }) => name !== '' && name !== '.').slice(0, MAX_RECORDS);
  if (usable.length === 0) throw new NoRecords(`there are no SRV records ${name}`);
  return ordered(usable, random).map((record) => {
    const host = record.name.replace(/\.$/, '');
    const url = `${named.scheme}//${host}:${record.port}`;
    // Whoever can change an answer of the name server must not choose whose certificate is right: a
    // broker elsewhere has to have the name that was asked for (RFC 6125, 6.4).
    const own = host === hostname || host.endsWith(`.${hostname}`);
    return { ...address, url, redacted: url, ...(!own && { serverName: hostname }) };
  });
}

/** By priority; of the same priority, one of a larger weight comes first more often (RFC 2782). */
function ordered(records: readonly SrvRecord[], random: () => number): readonly SrvRecord[] {
  return records
    .map((record) => ({ ...record, rank: random() ** (1 / Math.max(record.weight, 0.01)) }))
    .sort((a, b) => a.priority - b.priority || b.rank - a.rank);
}
