import { createHmac } from 'node:crypto';
import { deviceId, deviceIn } from './discovery.js';

export interface DeviceSources {
  /** `homeassistant.device_id`; null: none is configured. */
  readonly configured: string | null;
  /** What was chosen before; null when nobody knows. */
  readonly remembered: string | null;
  /** Topic of the discovery message of an earlier run; null when nobody knows. */
  readonly formerTopic: string | null;
  /** What tells this daemon from all others: the machine and its state folder. */
  readonly machine: string;
  readonly node: string;
  /** `<base>/<node>`. */
  readonly root: string;
}

/** Under which ids Home Assistant knows a board. */
export interface DeviceIds {
  readonly id: string;
  /** Taken where another board has `id`. */
  readonly spare: string;
  /** What versions that made the id of the node's name used; null when it is not to be adopted. */
  readonly legacy: string | null;
}

/** Letters of an id; a million boards share none (48 bits). */
const ID_LENGTH = 12;

/**
 * Chooses the id of the device: the configured one; else what it was before, so that nothing that Home
 * Assistant knows is lost; else one of the machine. It outlives a change of the board's name. The
 * machine's own id is not shown (machine-id(5)): only a keyed hash of it.
 */
export function chooseDevice(sources: DeviceSources): DeviceIds {
  const { configured, remembered, formerTopic, machine, node, root } = sources;
  const spare = `mobilenetd_${hash(`${machine}\n${root}`)}`;
  if (configured !== null) return { id: deviceId(configured), spare, legacy: null };
  const former = formerTopic === null ? null : deviceIn(formerTopic);
  const known = remembered ?? former;
  if (known !== null) return { id: known, spare, legacy: null };
  return { id: `mobilenetd_${hash(machine)}`, spare, legacy: deviceId(node) };
}

function hash(text: string): string {
  return createHmac('sha256', 'mobilenetd device').update(text).digest('hex').slice(0, ID_LENGTH);
}
