import type { CameraStatus } from '../../camera/supervisor.js';
import type { Config } from '../../config/config.js';
import type { CameraUnit } from './camera-unit.js';

export interface FleetOptions {
  /** Throws when a camera cannot be what the configuration says; changes nothing. */
  readonly check: (name: string, config: Config) => void;
  /** Gives a camera that runs on what has changed around it. */
  readonly configure: (unit: CameraUnit, config: Config) => void;
  /** Builds a camera; nothing of it runs yet. */
  readonly build: (name: string, config: Config) => CameraUnit;
  /** The cameras there are from now on, before any of them runs. */
  readonly onChange: (units: readonly CameraUnit[], config: Config) => void;
  /** A camera is being stopped, for good or to be built anew; no frame of it counts any more. */
  readonly onStopped: (unit: CameraUnit) => void;
}

/** All cameras of the daemon. */
export interface Fleet {
  /**
   * Makes the cameras what the configuration says: those whose part of it has not changed run on.
   * When a new one cannot be built nothing is changed and the error is thrown.
   */
  apply(config: Config): Promise<void>;
  units(): readonly CameraUnit[];
  get(camera: string): CameraUnit | undefined;
  stop(): Promise<void>;
}

interface Member {
  readonly unit: CameraUnit;
  /** What it was built from, to see what changed. */
  readonly signature: string;
}

/** Statuses as a broker knows them: an ended source delivers as little as a broken one. */
export function publicStatus(status: CameraStatus): 'online' | 'offline' | 'disabled' {
  return status === 'ended' ? 'offline' : status;
}

export function createFleet(options: FleetOptions): Fleet {
  let members = new Map<string, Member>();

  function plan(config: Config): Map<string, Member> {
    const next = new Map<string, Member>();
    for (const [name, camera] of Object.entries(config.cameras)) {
      if (!camera.enabled) continue;
      options.check(name, config);
      const signature = JSON.stringify(camera);
      const running = members.get(name);
      const kept = running?.signature === signature ? running : undefined;
      next.set(name, kept ?? { unit: options.build(name, config), signature });
    }
    return next;
  }

  /** What a camera shows ends at once, however long its source takes to stop. */
  async function retire(unit: CameraUnit): Promise<void> {
    options.onStopped(unit);
    await unit.stop();
  }

  return {
    async apply(config) {
      const next = plan(config);
      const old = [...members.values()].filter(({ unit }) => next.get(unit.name)?.unit !== unit);
      const kept = [...members.values()].filter(({ unit }) => next.get(unit.name)?.unit === unit);
      members = next;
      for (const { unit } of kept) options.configure(unit, config);
      await Promise.all(old.map(({ unit }) => retire(unit)));
      options.onChange(
        [...next.values()].map(({ unit }) => unit),
        config,
      );
      for (const { unit } of next.values()) unit.start();
    },
    units: () => [...members.values()].map(({ unit }) => unit),
    get: (camera) => members.get(camera)?.unit,
    async stop() {
      const old = [...members.values()];
      members = new Map();
      await Promise.all(old.map(({ unit }) => retire(unit)));
    },
  };
}
