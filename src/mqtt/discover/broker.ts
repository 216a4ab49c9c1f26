import { isLoopback, parseAddress } from '../../address.js';
import type { BrokerProbe } from '../connection/probe.js';
import { type Announcements, askNetwork, type MdnsOptions } from './mdns.js';

/** A broker that was found in this network. */
export interface FoundBroker {
  readonly url: string;
  /** How it was found, for people. */
  readonly by: string;
  /** It answers, but lets nobody in without a (right) name and password. */
  readonly wantsLogin: boolean;
}

export interface FindBrokerOptions {
  readonly username: string | null;
  readonly password: string | null;
  readonly clientId: string;
  /** Must be granted. */
  readonly subscribe: string;
  readonly probe: BrokerProbe;
  /** Default: multicast DNS. */
  readonly ask?: (options: MdnsOptions, signal: AbortSignal) => Promise<Announcements>;
}

const SERVICE = '_mqtt._tcp.local';
const HOME_ASSISTANT = 'homeassistant.local';
const PORT = 1883;
const WINDOW_MS = 1500;
const PROBE_MS = 3000;
const NOBODY = { username: null, password: null };
/** A network may announce anything. */
const MAX_TRIED = 5;

/**
 * Looks for a broker: one that is announced as `_mqtt._tcp`, else Home Assistant's. The first that lets
 * us in is taken; else the first that asks for a login; null when there is neither. Anybody in a network can
 * announce a broker, so the login is tried at this machine's own only.
 */
export async function findBroker(
  options: FindBrokerOptions,
  signal: AbortSignal,
): Promise<FoundBroker | null> {
  const { ask = askNetwork, probe, username, password, clientId, subscribe } = options;
  const known = await ask({ service: SERVICE, host: HOME_ASSISTANT, windowMs: WINDOW_MS }, signal);
  const candidates = known.services.map(({ name, host, port }) => ({
    url: addressOf(host, port),
    by: `announced as “${name}”`,
  }));
  // Without multicast the system's own resolver may know the name.
  candidates.push({ url: addressOf(known.address ?? HOME_ASSISTANT, PORT), by: HOME_ASSISTANT });
  let locked: FoundBroker | null = null;
  for (const { url, by } of candidates.slice(0, MAX_TRIED)) {
    if (signal.aborted) break;
    const login = isOnThisMachine(url) ? { username, password } : NOBODY;
    const result = await probe({ ...login, clientId, url, subscribe, timeout: PROBE_MS });
    if (result.ok) return { url, by, wantsLogin: false };
    if (result.fault === 'credentials') locked ??= { url, by, wantsLogin: true };
  }
  return locked;
}

/** Whether a broker's address is one that only this machine reaches. */
export function isOnThisMachine(url: string): boolean {
  return isLoopback(parseAddress(url)?.hostname ?? '');
}

function addressOf(host: string, port: number): string {
  return `mqtt://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
