/** A discovery message is not read further; a thousand entities take less. */
const MAX_DISCOVERY_BYTES = 1024 * 1024;

/** Where a board says that it has the same device id as another; not a topic of Home Assistant. */
export function claimTopic(prefix: string, device: string): string {
  return `${prefix}/device/${device}/claim`;
}

/** Keys and platforms of a discovery message; none of one that is damaged. */
export function readDiscovery(payload: Buffer): [key: string, platform: string][] {
  const components = parsed(payload)?.components;
  if (typeof components !== 'object' || components === null) return [];
  return Object.entries(components).flatMap(([key, component]): [string, string][] => {
    const platform: unknown = component?.platform;
    return typeof platform === 'string' ? [[key, platform]] : [];
  });
}

/** The board (`<base>/<node>`) whose availability the message names; null where it names none. */
export function rootIn(payload: Buffer): string | null {
  const availability = parsed(payload)?.availability;
  const [first] = Array.isArray(availability) ? availability : [];
  const topic: unknown = first?.topic;
  return typeof topic === 'string' && topic.endsWith('/state') ? topic.slice(0, -6) : null;
}

/** What there is to say of two boards with one device id, in every place in which it is said. */
export function describeRival(rival: string, root: string): string {
  return `${rival} has the same device id in Home Assistant as this board (${root})`;
}

/** And what to do about it. */
export const RIVAL_NEXT = 'set homeassistant.device_id on one of them';

function parsed(payload: Buffer): Readonly<Record<string, unknown>> | null {
  if (payload.length > MAX_DISCOVERY_BYTES) return null;
  try {
    const value: unknown = JSON.parse(payload.toString());
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}
