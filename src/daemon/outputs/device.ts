import type { Config } from '../../config/config.js';
import { chooseDevice, type DeviceIds } from '../../mqtt/home-assistant/device-id.js';
import type { BoardNames } from '../../mqtt/publish/former-topics.js';
import { machineIdentity } from '../../platform.js';
import type { Store } from '../../store/store.js';

/** Setting that remembers under which names this board was last found; databases have it under this key. */
const NAMES = 'mqtt/whereabouts';
/** Setting that remembers under which id Home Assistant knows this board. */
const DEVICE = 'mqtt/device';

/** What is remembered of earlier runs, by key. */
interface Remembered {
  readonly settings: { get(key: string): string | null };
}

/** Under which id Home Assistant is to know this board. */
export function deviceOf(config: Config, store: Remembered): DeviceIds {
  return chooseDevice({
    configured: config.homeassistant.device_id,
    remembered: store.settings.get(DEVICE),
    formerTopic: formerNames(store)?.discovery ?? null,
    machine: machineIdentity(config.state_dir),
    node: config.node,
    root: `${config.mqtt.base}/${config.node}`,
  });
}

export function rememberDevice({ settings }: Pick<Store, 'settings'>, id: string): void {
  if (settings.get(DEVICE) !== id) settings.set(DEVICE, id);
}

/** Under which names this board was last found; null when nobody knows. */
export function formerNames({ settings }: Remembered): BoardNames | null {
  const text = settings.get(NAMES);
  if (text === null) return null;
  try {
    const { root, discovery }: Partial<BoardNames> = JSON.parse(text);
    return typeof root === 'string' && typeof discovery === 'string' ? { root, discovery } : null;
  } catch {
    return null;
  }
}

export function rememberNames({ settings }: Pick<Store, 'settings'>, names: BoardNames): void {
  settings.set(NAMES, JSON.stringify(names));
}
