import type { NetworkInterfaceInfo } from 'node:os';
import { isLoopback } from '../../address.js';
import type { Config } from '../../config/config.js';

/** What of the machine an address is made from. */
export interface Surroundings {
  readonly hostname: string;
  readonly interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;
}

/** Listens at every address; no browser can go there. */
const EVERYWHERE = new Set(['0.0.0.0', '[::]', '[::0]']);

/**
 * The page's address as people elsewhere can open it: a name of `status.hosts`, else the host it listens
 * at, else an address of this machine in its network.
 *
 * @param url where the page listens
 */
export function addressForPeople(
  url: string,
  { hosts }: Pick<Config['status'], 'hosts'>,
  around: Surroundings,
): string {
  const address = new URL(url);
  if (isLoopback(address.hostname)) return url;
  const [host] = hosts;
  if (host !== undefined) address.hostname = host;
  else if (EVERYWHERE.has(address.hostname)) address.hostname = nameOf(around);
  return address.href;
}

/**
 * Where the link of a device in Home Assistant leads when nobody says: to the page, if people can open it
 * from another machine by themselves; null: they cannot.
 */
export function linkToPage(
  { listen, users, tls, base_path: path, hosts }: Config['status'],
  around: Surroundings,
): string | null {
  if (listen === null || Object.keys(users).length === 0) return null;
  const scheme = tls.cert_file === null ? 'http' : 'https';
  const url = `${scheme}://${listen}${path}`;
  if (!URL.canParse(url) || isLoopback(new URL(url).hostname)) return null;
  return addressForPeople(url, { hosts }, around);
}

function nameOf({ hostname, interfaces }: Surroundings): string {
  const all = Object.values(interfaces).flatMap((each) => each ?? []);
  const own = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  return own?.address ?? hostname;
}
