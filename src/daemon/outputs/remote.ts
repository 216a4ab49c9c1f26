import type { Config } from '../../config/config.js';
import type { Variant } from '../../models/variant.js';
import { listenForCommands } from '../../mqtt/commands/commands.js';
import { createAnnouncer } from '../../mqtt/home-assistant/announcer.js';
import { type DiscoveryOptions, discoveryTopic } from '../../mqtt/home-assistant/home-assistant.js';
import { watchedLabels } from '../../mqtt/home-assistant/watched-labels.js';
import { leaveFormerName, type Whereabouts } from '../../mqtt/publish/former-name.js';
import { VERSION } from '../../package-root.js';
import type { CameraUnit } from '../cameras/camera-unit.js';
import type { Log } from '../diagnostics/log.js';
import { shortName } from '../line/labels.js';
import { type ControlsOptions, createControls, limitsOf, type Range } from './controls.js';
import type { Messaging } from './messaging.js';
import { createVersionReader } from './version-file.js';

export interface RemoteOptions extends Omit<ControlsOptions, 'show' | 'pinnable' | 'limits'> {
  readonly log: Log;
  readonly messaging: Messaging;
  readonly variants: readonly Variant[];
  /** What this board is, e.g. `Raspberry Pi 5 Model B Rev 1.0`; null when it does not say. */
  readonly board: string | null;
}

/** What others can see and do of this board over MQTT: commands, and Home Assistant's entities. */
export interface Remote {
  /** The cameras have changed. */
  refresh(config: Config): void;
  /** Takes the entities away from Home Assistant. */
  withdraw(): void;
  close(): Promise<void>;
}

const VERSION_MS = 60_000;
/** Setting that remembers under which names this board was last found. */
const WHEREABOUTS = 'mqtt/whereabouts';

export function startRemote(options: RemoteOptions): Remote {
  const { config, fleet, messaging, variants } = options;
  const log = options.log.child({ part: 'mqtt' });
  const { connection, publisher, topics } = messaging;
  const limits = limitsOf(config);
  const pinnable = variants.map(({ name }) => name);
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
    variants: () => pinnable,
    limit: limits,
    log,
  });
  const controls = createControls({
    ...options,
    pinnable,
    limits,
    show: (state) => commands.show(state),
  });
  const announcer = createAnnouncer({
    connection,
    publisher,
    prefix: config.homeassistant.prefix,
    node: config.node,
    log,
  });

  const leaving = leaveFormerName({
    connection,
    now: {
      root: topics.root,
      discovery: discoveryTopic(config.homeassistant.prefix, config.node),
    },
    recall: () => whereaboutsIn(options.store.settings.get(WHEREABOUTS)),
    remember: (found) => void options.store.settings.set(WHEREABOUTS, JSON.stringify(found)),
    log,
  });

  const stopVersions = publishVersions(options);
  let shown = config;

  function refresh(current: Config): void {
    shown = current;
    controls.restore();
    const entities = entitiesOf(current, options, limits);
    announcer.announce(current.homeassistant.enabled ? entities : null);
  }

  function tellOfGovernor(): void {
    // What an earlier run had set says nothing where nobody governs.
    if (options.governor.limitC() === null) publisher.retained.clear(topics.limitState);
    refresh(shown);
  }

  controls.restore();
  // Not announced before it is known whether there is a target: an entity that is left out is forgotten.
  void options.governor.known.then(tellOfGovernor);
  void options.governor.started.then(tellOfGovernor);
  return {
    refresh,
    withdraw: () => announcer.withdraw(),
    async close() {
      stopVersions();
      leaving.close();
      announcer.close();
      await commands.close();
    },
  };
}

function whereaboutsIn(text: string | null): Whereabouts | null {
  if (text === null) return null;
  try {
    const { root, discovery }: Partial<Whereabouts> = JSON.parse(text);
    return typeof root === 'string' && typeof discovery === 'string' ? { root, discovery } : null;
  } catch {
    return null;
  }
}

/** Says which version there is, now and whenever the version file changes. */
function publishVersions({ config, messaging, log }: RemoteOptions): () => void {
  const { publisher, topics } = messaging;
  const file = config.homeassistant.version_file;
  if (file === null) {
    publisher.retained.clear(topics.update);
    return () => {};
  }
  const read = createVersionReader(file, log);
  const say = () => publisher.setUpdate(read());
  say();
  const timer = setInterval(say, VERSION_MS);
  return () => clearInterval(timer);
}

function entitiesOf(config: Config, options: RemoteOptions, limits: Range): DiscoveryOptions {
  const { fleet, messaging, variants, governor } = options;
  const { configuration_url: page } = config.homeassistant;
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
    variants,
    limit: governor.limitC() === null ? null : limits,
    update: config.homeassistant.version_file !== null,
    ...(page !== null && { configurationUrl: page }),
    ...(options.board !== null && { board: options.board }),
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
