import type { Config } from '../config/config.js';
import type { Variant } from '../models/variant.js';
import { createAnnouncer } from '../mqtt/announcer.js';
import { listenForCommands } from '../mqtt/commands.js';
import type { DiscoveryOptions } from '../mqtt/home-assistant.js';
import { watchedLabels } from '../mqtt/watched-labels.js';
import { VERSION } from '../package-root.js';
import type { CameraUnit } from './camera-unit.js';
import { type ControlsOptions, createControls } from './controls.js';
import { shortName } from './labels.js';
import type { Log } from './log.js';
import type { Messaging } from './messaging.js';

export interface RemoteOptions extends Omit<ControlsOptions, 'show'> {
  readonly log: Log;
  readonly messaging: Messaging;
  readonly variants: readonly Variant[];
}

/** What others can see and do of this board over MQTT: commands, and Home Assistant's entities. */
export interface Remote {
  /** The cameras have changed. */
  refresh(config: Config): void;
  /** Takes the entities away from Home Assistant. */
  withdraw(): void;
  close(): Promise<void>;
}

/** °C a limit may be set to. */
const LIMIT = { min: 45, max: 85 };

export function startRemote(options: RemoteOptions): Remote {
  const { config, fleet, messaging, variants } = options;
  const log = options.log.child({ part: 'mqtt' });
  const { connection, publisher, topics } = messaging;
  const commands = listenForCommands({
    connection,
    topics,
    retained: publisher.retained,
    actions: {
      setDetect: (camera, on) => controls.setDetect(camera, on),
      setThreshold: (camera, threshold) => controls.setThreshold(camera, threshold),
      setPin: (variant) => controls.setPin(variant),
      setLimit: (limit) => controls.setLimit(limit),
      snapshot: (camera) => controls.snapshot(camera),
      reload: () => controls.reload(),
      restart: () => controls.restart(),
      health: () => controls.health(),
    },
    cameras: () => fleet.units().map(({ name }) => name),
    variants: () => variants.map(({ name }) => name),
    limit: LIMIT,
    log,
  });
  const controls = createControls({ ...options, show: (state) => commands.show(state) });
  const announcer = createAnnouncer({
    connection,
    publisher,
    prefix: config.homeassistant.prefix,
    node: config.node,
    log,
  });

  let shown = config;

  function refresh(current: Config): void {
    shown = current;
    controls.restore();
    const entities = entitiesOf(current, options);
    announcer.announce(current.homeassistant.enabled ? entities : null);
  }

  refresh(config);
  // Only then is it known whether there is a governor, and which limit it keeps.
  void options.governor.started.then(() => refresh(shown));
  return {
    refresh,
    withdraw: () => announcer.announce(null),
    async close() {
      announcer.close();
      await commands.close();
    },
  };
}

function entitiesOf(config: Config, options: RemoteOptions): DiscoveryOptions {
  const { fleet, messaging, variants, governor } = options;
  const [first] = variants;
  const known = new Set((first?.labels ?? []).filter(Boolean).map(shortName));
  return {
    topics: messaging.topics,
    node: config.node,
    version: VERSION,
    cameras: fleet.units().map((unit) => ({
      name: unit.name,
      labels: labelsOf(config, unit, known),
    })),
    variants: variants.map(({ name }) => name),
    limit: governor.limitC() === null ? null : LIMIT,
  };
}

function labelsOf(config: Config, unit: CameraUnit, known: ReadonlySet<string>): string[] {
  const followed = config.cameras[unit.name]?.labels ?? 'all';
  const groups = Object.keys(config.presence.groups);
  return watchedLabels({
    wanted: config.homeassistant.labels,
    known: followed === 'all' ? known : followed,
    groups: followed === 'all' ? groups : groups.filter((group) => followed.includes(group)),
  });
}
