import type { Config } from '../../config/config.js';
import { codedError } from '../../errors.js';
import type { CommandActions, ControlState } from '../../mqtt/commands/commands.js';
import type { Store } from '../../store/store.js';
import { LEAST_TARGET_C } from '../../thermal/limit.js';
import type { Fleet } from '../cameras/fleet.js';
import type { GovernorPart } from '../governor/governor.js';
import type { Flow } from '../line/flow.js';
import type { Snapshots } from './snapshots.js';

/** A closed range. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

const LIMITS_C = { min: 45, max: 85 };

/** Limits that commands may set: sensible ones, that of the configuration, and room for its margin. */
export function limitsOf({ governor: { limit, margin } }: Config): Range {
  const { min, max } = LIMITS_C;
  const least = Math.max(min, Math.ceil(LEAST_TARGET_C + margin));
  if (limit === 'auto') return { min: least, max };
  return { min: Math.min(least, limit), max: Math.max(max, limit) };
}

export interface ControlsOptions {
  readonly config: Config;
  readonly store: Store;
  readonly fleet: Fleet;
  readonly flow: Flow;
  readonly governor: GovernorPart;
  readonly snapshots: Snapshots;
  /** Names of the variants that can be pinned. */
  readonly pinnable: readonly string[];
  /** Limits the governor may be given, °C. */
  readonly limits: Range;
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
  const { config, store, fleet, flow, governor, pinnable, limits } = options;
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
      // What was set under another configuration may not fit this one.
      const pin = settings.get('pin');
      if (pin !== null && ['auto', ...pinnable].includes(pin)) governor.setPin(pin);
      const limit = settings.get('limit');
      const celsius = Number(limit ?? Number.NaN);
      if (limit === 'auto') governor.setLimit(limit);
      else if (celsius >= limits.min && celsius <= limits.max) governor.setLimit(celsius);
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
      await governor.known;
      if (governor.limitC() === null) {
        throw codedError('MND_MQTT_PAYLOAD', {
          expected: 'a board with a governor',
          found: 'none',
        });
      }
      governor.setLimit(limit);
      options.show(state());
      keep('limit', limit === config.governor.limit ? null : String(limit));
    },
    async snapshot(camera) {
      const units = camera === null ? fleet.units() : [unitOf(camera)];
      const taken = await Promise.allSettled(units.map((unit) => options.snapshots.take(unit)));
      // Of all cameras some may be away.
      if (taken.some(({ status }) => status === 'fulfilled')) return;
      for (const outcome of taken) if (outcome.status === 'rejected') throw outcome.reason;
    },
    reload: () => options.reload(),
    async restart() {
      options.restart();
    },
    health: async () => options.health(),
  };
}
