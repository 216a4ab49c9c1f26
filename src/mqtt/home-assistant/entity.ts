import type { Topics } from '../topics.js';

/** A camera and those of its labels that become entities. */
export interface EntityCamera {
  /** As in topics. */
  readonly name: string;
  /** For people; null: the name. */
  readonly title?: string | null;
  readonly labels: readonly string[];
  readonly zones?: readonly EntityZone[];
}

/** A zone of a camera, and those of its labels that become entities. */
export interface EntityZone {
  readonly name: string;
  /** For people; null: the name. */
  readonly title: string | null;
  readonly labels: readonly string[];
}

/** A rung: what runs, and what the select offers. */
export interface EntityVariant {
  readonly name: string;
  readonly alpha: number | null;
  readonly size: number;
}

export interface DiscoveryOptions {
  readonly topics: Topics;
  readonly node: string;
  /** What people call this board; null: the node. */
  readonly title?: string | null;
  readonly version: string;
  readonly cameras: readonly EntityCamera[];
  /** What people call labels and groups, where that is not their name. */
  readonly labelTitles?: Readonly<Record<string, string>>;
  /** The variants that can be pinned. */
  readonly variants: readonly EntityVariant[];
  /** Range of the target temperature, °C; null without a governor. */
  readonly limit: { readonly min: number; readonly max: number } | null;
  /** What this board is, e.g. `Raspberry Pi 5`. */
  readonly board?: string;
  /** Address of a web page about this board, http or https. */
  readonly configurationUrl?: string;
  /** Rules that tell Home Assistant. */
  readonly notify?: readonly string[];
  /** Whether `<base>/update` is published. */
  readonly update?: boolean;
}

/** An entity; the keys are those of its MQTT platform in Home Assistant. */
export type Component = Readonly<Record<string, unknown>> & { readonly platform: string };

/** What an entity is called. */
export interface EntityName {
  /** Names in topics: they make its key, and with it the unique id, which never changes. */
  readonly key: readonly string[];
  /** For people; default: the key's words. */
  readonly title?: string;
}

/** Collects the entities of one device. */
export class EntityCollector {
  readonly components: Record<string, Component> = {};
  readonly #device: string;
  readonly #node: string;

  /** @param device id of the device; @param node its name in topics */
  constructor(device: string, node: string) {
    this.#device = device;
    this.#node = node;
  }

  /** Keys are unique even where names that differ have the same slug. */
  add(platform: string, name: EntityName, keys: Readonly<Record<string, unknown>>): void {
    const plain = name.key.map(slug).join('_');
    let key = `${platform}_${plain}`;
    for (let n = 2; Object.hasOwn(this.components, key); n++) key = `${platform}_${plain}_${n}`;
    this.components[key] = {
      platform,
      unique_id: `${this.#device}_${key}`,
      default_entity_id: `${platform}.${slug(this.#node)}_${key.slice(platform.length + 1)}`,
      name: name.title ?? name.key.join(' ').replaceAll('_', ' '),
      ...keys,
    };
  }
}

export const DIAGNOSTIC = { entity_category: 'diagnostic' } as const;
export const CONFIG = { entity_category: 'config' } as const;
export const MEASURED = { state_class: 'measurement', ...DIAGNOSTIC } as const;

/** Lower-case ASCII letters, digits and `_`, as in entity ids; hexadecimal where nothing is left. */
export function slug(text: string): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return plain === '' ? `x${Buffer.from(text).toString('hex').slice(0, 32)}` : plain;
}
