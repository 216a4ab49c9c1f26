import type { Config } from '../config/config.js';
import { codedError } from '../errors.js';
import type { CommandActions, ControlState } from '../mqtt/commands.js';
import type { Store } from '../store/store.js';
import type { Fleet } from './fleet.js';
import type { Flow } from './flow.js';
import type { GovernorPart } from './governor.js';
import type { Snapshots } from './snapshots.js';

export interface ControlsOptions {
  readonly config: Config;
  readonly store: Store;
  readonly fleet: Fleet;
  readonly flow: Flow;
  readonly governor: GovernorPart;
  readonly snapshots: Snapshots;
  readonly health: () => object;
  /** Reads the configuration again; resolves when it is in force, rejects when it is refused. */
  readonly reload: () => Promise<void>;
  readonly restart: () => void;
  /** Shows what is in force now. */
  readonly show: (state: ControlState) => void;
}

export interface Controls extends CommandActions {
  /** Brings back what commands set before the restart, and shows everything. */
  restore(): void;
  /** Everything as it is in force now. */
  state(): ControlState;
}

/**
 * What can be set from outside while the daemon runs. It is kept in the database and outlives a
 * restart; the `state` topics show what is in force.
 */
export function createControls(options: ControlsOptions): Controls {
  const { config, store, fleet, flow, governor } = options;
  const { settings } = store;

  function unitOf(camera: string) {
    const unit = fleet.get(camera);
    if (unit !== undefined) return unit;
    throw codedError('MND_MQTT_PAYLOAD', {
      expected: `a camera (${fleet
        .units()
        .map(({ name }) => name)
        .join(', ')})`,
      found: JSON.stringify(camera),
    });
  }

  function keep(key: string, value: string | null): void {
    if (!settings.set(key, value)) {
      throw codedError('MND_STORE_FAILED', {
        subject: key,
        next: 'it holds until the next restart',
      });
    }
  }

  function applyDetect(camera: string, on: boolean): void {
    const unit = unitOf(camera);
    unit.setEnabled(on);
    if (!on) flow.end(unit);
  }

  function state(): ControlState {
    const units = fleet.units();
    return {
      detect: Object.fromEntries(units.map((unit) => [unit.name, unit.enabled()])),
      threshold: Object.fromEntries(units.map((unit) => [unit.name, unit.threshold()])),
      pin: governor.pin(),
      ...(governor.limitC() !== null && { limit: governor.limitC() ?? 0 }),
    };
  }

  return {
    state,
    restore() {
      for (const unit of fleet.units()) {
        if (settings.get(`detect/${unit.name}`) === 'OFF') applyDetect(unit.name, false);
        const threshold = Number(settings.get(`threshold/${unit.name}`) ?? Number.NaN);
        if (threshold >= 0 && threshold <= 1) unit.setThreshold(threshold);
      }
      const pin = settings.get('pin');
      if (pin !== null) governor.setPin(pin);
      const limit = Number(settings.get('limit') ?? Number.NaN);
      if (Number.isFinite(limit)) governor.setLimit(limit);
      options.show(state());
    },
    async setDetect(camera, on) {
      applyDetect(camera, on);
      options.show(state());
      keep(`detect/${camera}`, on ? null : 'OFF');
    },
    async setThreshold(camera, threshold) {
      unitOf(camera).setThreshold(threshold);
      options.show(state());
      keep(`threshold/${camera}`, String(threshold));
    },
    async setPin(variant) {
      governor.setPin(variant);
      options.show(state());
      keep('pin', variant === config.governor.pin ? null : variant);
    },
    async setLimit(limit) {
      governor.setLimit(limit);
      options.show(state());
      keep('limit', limit === 'auto' ? null : String(limit));
    },
    async snapshot(camera) {
      const units = camera === null ? fleet.units() : [unitOf(camera)];
      await Promise.all(units.map((unit) => options.snapshots.take(unit)));
    },
    reload: () => options.reload(),
    async restart() {
      options.restart();
    },
    health: async () => options.health(),
  };
}
