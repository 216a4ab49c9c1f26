import { hostname, networkInterfaces } from 'node:os';
import type { Config } from '../../config/config.js';
import { createAnnouncer } from '../../mqtt/home-assistant/announcer.js';
import type { DiscoveryOptions } from '../../mqtt/home-assistant/discovery.js';
import type { EntityZone } from '../../mqtt/home-assistant/entity.js';
import { watchedLabels } from '../../mqtt/home-assistant/watched-labels.js';
import { VERSION } from '../../package-root.js';
import { readBoardModel } from '../../platform.js';
import type { Context } from '../context.js';
import { possibleLabelsOf } from '../options/label-rules.js';
import { taughtLabelsOf } from '../options/taught-labels.js';
import { deviceOf, formerNames, rememberDevice } from './device.js';
import type { StopOutput } from './output.js';
import { linkToPage } from './page-address.js';

type Using = Pick<
  Context,
  | 'config'
  | 'messaging'
  | 'store'
  | 'cameras'
  | 'governor'
  | 'model'
  | 'overrides'
  | 'signals'
  | 'taught'
  | 'log'
>;

/** Keeps the entities that Home Assistant knows of this board true. */
export function startHomeAssistant(context: Using): StopOutput {
  const { messaging, governor, signals, log } = context;
  const { prefix } = context.config.homeassistant;
  const announcer = createAnnouncer({
    connection: messaging.connection,
    publisher: messaging.publisher,
    prefix,
    device: deviceOf(context.config, context.store),
    root: messaging.topics.root,
    formerRoot: formerNames(context.store)?.root ?? null,
    onDevice: (id) => rememberDevice(context.store, id),
    onRival(root) {
      messaging.deviceRival = root;
    },
    log: log.child({ part: 'mqtt' }),
  });
  const announce = () =>
    announcer.announce(context.config.homeassistant.enabled ? entitiesOf(context) : null);
  let isKnown = false;
  let isStopped = false;
  const stopListening = signals.on('cameras', () => isKnown && announce());
  // Not announced before it is known whether there is a target: an entity that is left out is forgotten.
  const whenKnown = () => {
    isKnown = true;
    if (!isStopped) announce();
  };
  void governor.known.then(whenKnown);
  void governor.started.then(whenKnown);
  return () => {
    isStopped = true;
    stopListening();
    // Entities of another prefix are taken away while there is a connection.
    if (context.config.homeassistant.prefix !== prefix) announcer.withdraw();
    announcer.close();
    messaging.deviceRival = null;
  };
}

function entitiesOf(context: Using): DiscoveryOptions {
  const { config, messaging, cameras, governor, model, overrides } = context;
  const { configuration_url: given, version_file: versionFile } = config.homeassistant;
  const around = { hostname: hostname(), interfaces: networkInterfaces() };
  const page = given ?? linkToPage(config.status, around);
  const { variants } = model;
  const board = readBoardModel(config.governor.proc_root);
  return {
    topics: messaging.topics,
    node: config.node,
    title: config.name,
    labelTitles: config.homeassistant.names,
    version: VERSION,
    cameras: cameras.list().map(({ name }) => ({
      name,
      title: config.cameras[name]?.name ?? null,
      ...entitiesOfCamera(context, name),
    })),
    variants,
    limit: governor.limitC() === null ? null : overrides.limits(),
    notify: Object.entries(config.notify)
      .filter(([, { enabled, to }]) => enabled && to.homeassistant.enabled)
      .map(([name]) => name),
    update: versionFile !== null,
    ...(page !== null && { configurationUrl: page }),
    ...(board !== null && { board }),
  };
}

function entitiesOfCamera({ config, model, taught }: Using, name: string) {
  const own = taughtLabelsOf(taught.labels(), name);
  const labels = labelsOf(config, name, possibleLabelsOf(config, model.variant, own), own);
  return { labels, zones: zonesOf(config, name, labels) };
}

/** Of the labels that are shown of the camera, those that count in each zone. */
function zonesOf(config: Config, camera: string, ofCamera: readonly string[]): EntityZone[] {
  return Object.entries(config.cameras[camera]?.zones ?? {}).map(([name, zone]) => ({
    name,
    title: zone.name,
    labels: ofCamera.filter((label) => zone.labels === 'all' || zone.labels.includes(label)),
  }));
}

/** What was taught is wanted, whatever else is. */
function labelsOf(
  config: Config,
  camera: string,
  possible: ReadonlySet<string>,
  taught: readonly string[],
): string[] {
  const followed = config.cameras[camera]?.labels ?? 'all';
  const known =
    followed === 'all' ? [...possible] : followed.filter((label) => possible.has(label));
  const watched = watchedLabels({
    wanted: config.homeassistant.labels,
    known: known.filter((label) => !taught.includes(label)),
    groups: Object.keys(config.presence.groups).filter((group) => known.includes(group)),
  });
  return [...new Set([...watched, ...taught])];
}
