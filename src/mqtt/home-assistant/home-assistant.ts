import { type CameraTopics, type Topics, topicSafe } from '../topics.js';

/** A camera and those of its labels that become entities. */
export interface EntityCamera {
  readonly name: string;
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
  readonly version: string;
  readonly cameras: readonly EntityCamera[];
  /** The variants that can be pinned. */
  readonly variants: readonly EntityVariant[];
  /** Range of the target temperature, °C; null without a governor. */
  readonly limit: { readonly min: number; readonly max: number } | null;
  /** What this board is, e.g. `Raspberry Pi 5`. */
  readonly board?: string;
  /** Address of a web page about this board, http or https. */
  readonly configurationUrl?: string;
  /** Whether `<base>/update` is published. */
  readonly update?: boolean;
}

/** An entity; the keys are those of its MQTT platform in Home Assistant. */
export type Component = Readonly<Record<string, unknown>> & { readonly platform: string };

/** Home Assistant's device message (schemas.py of its mqtt integration, DEVICE_DISCOVERY_SCHEMA). */
export interface DiscoveryPayload {
  readonly device: Readonly<Record<string, unknown>>;
  readonly origin: Readonly<Record<string, unknown>>;
  readonly components: Readonly<Record<string, Component>>;
  readonly availability: readonly object[];
  readonly availability_mode: 'all';
  readonly qos: 1;
}

/** Identifies the device over renames and restarts. */
export function deviceId(node: string): string {
  return `mobilenetd_${slug(node)}`;
}

/** Where the device message goes: `<prefix>/device/<id>/config`. */
export function discoveryTopic(prefix: string, node: string): string {
  return `${prefix}/device/${deviceId(node)}/config`;
}

/** The message that makes Home Assistant show this board: one device, all of its entities. */
export function discoveryPayload(options: DiscoveryOptions): DiscoveryPayload {
  const { node, topics, version } = options;
  const add = createCollector(node);
  addBoard(add, options);
  for (const camera of options.cameras) addCamera(add, topics, camera);
  return {
    device: {
      identifiers: [deviceId(node)],
      name: node,
      manufacturer: 'mobilenetd',
      model: options.board ?? 'Camera board',
      sw_version: version,
      ...(options.configurationUrl && { configuration_url: options.configurationUrl }),
    },
    origin: { name: 'mobilenetd', sw_version: version },
    availability: [{ topic: topics.state }],
    availability_mode: 'all',
    qos: 1,
    components: add.components,
  };
}

interface Collector {
  /** Adds an entity; `name` makes its entity id, e.g. `binary_sensor.<node>_<name>`. */
  (platform: string, name: readonly string[], keys: Readonly<Record<string, unknown>>): void;
  readonly components: Record<string, Component>;
}

/** Keys are unique even where names that differ have the same slug. */
function createCollector(node: string): Collector {
  const components: Record<string, Component> = {};
  const add = (
    platform: string,
    name: readonly string[],
    keys: Readonly<Record<string, unknown>>,
  ): void => {
    const plain = name.map(slug).join('_');
    let key = `${platform}_${plain}`;
    for (let n = 2; Object.hasOwn(components, key); n++) key = `${platform}_${plain}_${n}`;
    const entity = key.slice(platform.length + 1);
    components[key] = {
      platform,
      unique_id: `${deviceId(node)}_${key}`,
      default_entity_id: `${platform}.${slug(node)}_${entity}`,
      name: name.join(' ').replaceAll('_', ' '),
      ...keys,
    };
  };
  return Object.assign(add, { components });
}

const DIAGNOSTIC = { entity_category: 'diagnostic' } as const;
const CONFIG = { entity_category: 'config' } as const;
const MEASURED = { state_class: 'measurement', ...DIAGNOSTIC } as const;

function addBoard(add: Collector, options: DiscoveryOptions): void {
  const { topics, variants, limit } = options;
  const health = (key: string, keys: object) => ({
    state_topic: topics.health,
    value_template: `{{ value_json.${key} }}`,
    ...keys,
    ...MEASURED,
  });
  const governor = (key: string, keys: object) => ({
    ...health(key, keys),
    state_topic: topics.governor,
  });
  const celsius = { unit_of_measurement: '°C', suggested_display_precision: 1 };
  const heat = { device_class: 'temperature', ...celsius };
  const milliseconds = { device_class: 'duration', unit_of_measurement: 'ms' };
  add('sensor', ['temperature'], health('temperature', heat));
  add(
    'sensor',
    ['frame rate'],
    health('fps', { unit_of_measurement: 'fps', icon: 'mdi:speedometer' }),
  );
  add(
    'sensor',
    ['latency'],
    health('latency_ms', { ...milliseconds, suggested_display_precision: 0 }),
  );
  add(
    'sensor',
    ['memory'],
    health('rss_mb', { device_class: 'data_size', unit_of_measurement: 'MB' }),
  );
  add(
    'sensor',
    ['outbox'],
    health('outbox', { unit_of_measurement: 'messages', icon: 'mdi:tray-full' }),
  );
  const flag = (key: string, deviceClass: string) => ({
    state_topic: topics.health,
    value_template: `{{ 'None' if value_json.${key} is none else 'ON' if value_json.${key} else 'OFF' }}`,
    device_class: deviceClass,
    ...DIAGNOSTIC,
  });
  add('binary_sensor', ['throttled'], flag('throttled', 'heat'));
  add('binary_sensor', ['undervoltage'], flag('undervoltage', 'problem'));
  if (variants.length > 0) {
    const rungs = variants.map(({ alpha, size }) =>
      alpha === null ? `${size} px` : `${alpha}/${size}`,
    );
    // Width multiplier, if it has one, and input size; the governor's mix and reason are its attributes.
    add('sensor', ['rung'], {
      state_topic: topics.governor,
      value_template:
        "{{ 'None' if value_json.size is none else value_json.size ~ ' px' if value_json.alpha is none else value_json.alpha ~ '/' ~ value_json.size }}",
      json_attributes_topic: topics.governor,
      device_class: 'enum',
      options: [...new Set(rungs)],
      ...DIAGNOSTIC,
    });
    add('select', ['variant'], {
      command_topic: topics.pinSet,
      state_topic: topics.pinState,
      options: ['auto', ...variants.map(({ name }) => name)],
      ...CONFIG,
    });
  }
  if (limit !== null) {
    // A difference of temperatures: with the class `temperature` it would be converted to °F wrongly.
    add(
      'sensor',
      ['headroom'],
      governor('headroom', { ...celsius, icon: 'mdi:thermometer-chevron-up' }),
    );
    add(
      'sensor',
      ['budget'],
      // The share of each second that inference may take.
      governor('budget', {
        value_template: '{{ (value_json.budget * 100) | round(1) }}',
        unit_of_measurement: '%',
        icon: 'mdi:gauge',
      }),
    );
    add('number', ['target temperature'], {
      command_topic: topics.limitSet,
      state_topic: topics.limitState,
      device_class: 'temperature',
      unit_of_measurement: '°C',
      min: limit.min,
      max: limit.max,
      step: 0.5,
      mode: 'box',
      ...CONFIG,
    });
  }
  add('button', ['restart'], {
    command_topic: topics.request('restart'),
    payload_press: '{"transaction":"home-assistant"}',
    device_class: 'restart',
    ...CONFIG,
  });
  if (options.update) {
    add('update', ['update'], { state_topic: topics.update, title: 'mobilenetd', ...DIAGNOSTIC });
  }
}

/** Only `online` is: a camera that is disabled or offline has no states to believe. */
const CAMERA_AVAILABLE = "{{ 'online' if value == 'online' else 'offline' }}";

function addCamera(add: Collector, topics: Topics, { name, labels }: EntityCamera): void {
  const paths = topics.camera(name);
  // An entity's own list takes the place of the device's.
  const seeing = {
    availability: [
      { topic: topics.state },
      { topic: paths.status, value_template: CAMERA_AVAILABLE },
    ],
    availability_mode: 'all',
  };
  for (const label of labels) {
    add('binary_sensor', [name, topicSafe(label)], {
      state_topic: paths.presence(label),
      json_attributes_topic: paths.attributes(label),
      ...(label === 'person' && { device_class: 'occupancy' }),
      ...seeing,
    });
  }
  addSights(add, name, paths, seeing);
  addControls(add, name, paths, topics);
}

function addSights(add: Collector, name: string, paths: CameraTopics, seeing: object): void {
  add('sensor', [name, 'label'], { state_topic: paths.label, icon: 'mdi:eye', ...seeing });
  add('sensor', [name, 'score'], {
    state_topic: paths.labels,
    value_template:
      '{{ (value_json.labels[0].score * 100) | round(1) if value_json.labels else 0 }}',
    unit_of_measurement: '%',
    state_class: 'measurement',
    // It changes every second, which fills Home Assistant's database.
    enabled_by_default: false,
    ...seeing,
  });
  add('event', [name, 'detection'], {
    state_topic: paths.events,
    event_types: ['new', 'update', 'end'],
    value_template:
      "{{ {'event_type': value_json.type, 'id': value_json.id, 'label': value_json.label, " +
      "'score': value_json.score, 'start': value_json.start, 'end': value_json.end, " +
      "'count': value_json.count, 'box': value_json.box} | to_json }}",
    icon: 'mdi:cctv',
    ...seeing,
  });
  add('image', [name, 'last snapshot'], {
    image_topic: paths.snapshot,
    content_type: 'image/jpeg',
    ...seeing,
  });
}

function addControls(add: Collector, name: string, paths: CameraTopics, topics: Topics): void {
  add('binary_sensor', [name, 'camera'], {
    state_topic: paths.status,
    value_template: "{{ 'ON' if value == 'online' else 'OFF' }}",
    json_attributes_topic: paths.statusAttributes,
    device_class: 'connectivity',
    ...DIAGNOSTIC,
  });
  add('switch', [name, 'detect'], {
    command_topic: paths.detectSet,
    state_topic: paths.detectState,
    icon: 'mdi:motion-sensor',
    ...CONFIG,
  });
  add('number', [name, 'threshold'], {
    command_topic: paths.thresholdSet,
    state_topic: paths.thresholdState,
    min: 0,
    max: 1,
    step: 0.01,
    mode: 'slider',
    icon: 'mdi:tune-vertical',
    ...CONFIG,
  });
  add('button', [name, 'snapshot'], {
    command_topic: topics.request('snapshot'),
    payload_press: JSON.stringify({ transaction: 'home-assistant', camera: name }),
    icon: 'mdi:camera',
  });
}

/** Lower-case ASCII letters, digits and `_`, as in entity ids; hexadecimal where nothing is left. */
function slug(text: string): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return plain === '' ? `x${Buffer.from(text).toString('hex').slice(0, 32)}` : plain;
}
