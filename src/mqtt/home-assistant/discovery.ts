import { addBoard } from './board-entities.js';
import { addCamera } from './camera-entities.js';
import { type Component, type DiscoveryOptions, EntityCollector, slug } from './entity.js';

export type { Component, DiscoveryOptions, EntityCamera, EntityVariant } from './entity.js';

/** Home Assistant's device message (schemas.py of its mqtt integration, DEVICE_DISCOVERY_SCHEMA). */
export interface DiscoveryPayload {
  readonly device: Readonly<Record<string, unknown>>;
  readonly origin: Readonly<Record<string, unknown>>;
  readonly components: Readonly<Record<string, Component>>;
  readonly availability: readonly { readonly topic: string }[];
  readonly availability_mode: 'all';
  readonly qos: 1;
}

/** The id of a device: what `homeassistant.device_id`, the machine or an earlier run says. */
export function deviceId(name: string): string {
  return `mobilenetd_${slug(name)}`;
}

/** Where the device message goes: `<prefix>/device/<id>/config`. */
export function discoveryTopic(prefix: string, device: string): string {
  return `${prefix}/device/${device}/config`;
}

/** The id in such a topic; null in another one. */
export function deviceIn(topic: string): string | null {
  return /\/device\/([A-Za-z0-9_-]+)\/config$/.exec(topic)?.[1] ?? null;
}

/**
 * The message that makes Home Assistant show this board: one device, all of its entities. `device` is
 * its id, which stays the same over renames.
 */
export function discoveryPayload(options: DiscoveryOptions, device: string): DiscoveryPayload {
  const { node, topics, version } = options;
  const entities = new EntityCollector(device, node);
  addBoard(entities, options);
  for (const camera of options.cameras) {
    addCamera(entities, topics, camera, options.labelTitles ?? {});
  }
  return {
    device: {
      identifiers: [device],
      name: options.title ?? node,
      manufacturer: 'mobilenetd',
      model: options.board ?? 'Camera board',
      sw_version: version,
      ...(options.configurationUrl && { configuration_url: options.configurationUrl }),
    },
    origin: { name: 'mobilenetd', sw_version: version },
    availability: [{ topic: topics.state }],
    availability_mode: 'all',
    qos: 1,
    components: entities.components,
  };
}
