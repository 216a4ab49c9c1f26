/**
 * What Home Assistant accepts of a device discovery message, taken from its own validation:
 * home-assistant/core, homeassistant/components/mqtt/schemas.py (DEVICE_DISCOVERY_SCHEMA,
 * MQTT_ENTITY_DEVICE_INFO_SCHEMA, MQTT_ORIGIN_INFO_SCHEMA, MQTT_ENTITY_COMMON_SCHEMA), discovery.py
 * (TOPIC_MATCHER) and the platforms' own files (binary_sensor.py, sensor.py, …). Keys that it would
 * drop silently are refused here: they would be mistakes.
 */

const AVAILABILITY = ['availability', 'availability_mode'];
const ROOT_REQUIRED = ['device', 'origin', 'components'];
const ROOT_ALLOWED = [
  ...ROOT_REQUIRED,
  ...AVAILABILITY,
  'state_topic',
  'command_topic',
  'qos',
  'encoding',
];
const DEVICE_ALLOWED = [
  'identifiers',
  'connections',
  'manufacturer',
  'model',
  'model_id',
  'name',
  'hw_version',
  'serial_number',
  'sw_version',
  'via_device',
  'suggested_area',
  'configuration_url',
];
const ORIGIN_ALLOWED = ['name', 'sw_version', 'support_url'];
const COMMON = [
  ...AVAILABILITY,
  'platform',
  'name',
  'unique_id',
  'default_entity_id',
  'enabled_by_default',
  'entity_category',
  'icon',
  'json_attributes_topic',
  'json_attributes_template',
  'qos',
];

interface PlatformRules {
  readonly required: readonly string[];
  readonly allowed: readonly string[];
  readonly classes: readonly string[];
}

const PLATFORMS: Readonly<Record<string, PlatformRules>> = {
  binary_sensor: {
    required: ['state_topic'],
    allowed: ['payload_on', 'payload_off', 'off_delay', 'expire_after', 'force_update'],
    classes: ['connectivity', 'heat', 'motion', 'occupancy', 'presence', 'problem', 'running'],
  },
  sensor: {
    required: ['state_topic'],
    allowed: [
      'unit_of_measurement',
      'state_class',
      'suggested_display_precision',
      'options',
      'expire_after',
      'force_update',
    ],
    classes: ['temperature', 'duration', 'data_size', 'power', 'enum', 'power_factor', 'timestamp'],
  },
  switch: {
    required: ['command_topic'],
    allowed: ['state_topic', 'payload_on', 'payload_off', 'state_on', 'state_off', 'optimistic'],
    classes: ['outlet', 'switch'],
  },
  number: {
    required: ['command_topic'],
    allowed: ['state_topic', 'min', 'max', 'step', 'mode', 'unit_of_measurement', 'optimistic'],
    classes: ['temperature', 'duration', 'power'],
  },
  select: {
    required: ['command_topic', 'options'],
    allowed: ['state_topic', 'command_template', 'optimistic'],
    classes: [],
  },
  button: {
    required: ['command_topic'],
    allowed: ['payload_press', 'command_template', 'retain'],
    classes: ['identify', 'restart', 'update'],
  },
  image: {
    required: ['image_topic'],
    allowed: ['content_type', 'image_encoding'],
    classes: [],
  },
  event: {
    required: ['state_topic', 'event_types'],
    allowed: [],
    classes: ['button', 'doorbell', 'motion'],
  },
  update: {
    required: [],
    allowed: ['state_topic', 'latest_version_topic', 'title', 'release_url', 'entity_picture'],
    classes: ['firmware'],
  },
};

/** Units of the device classes that have some (sensor/const.py, DEVICE_CLASS_UNITS). */
const UNITS: Readonly<Record<string, readonly string[]>> = {
  temperature: ['°C', '°F', 'K'],
  duration: ['d', 'h', 'min', 's', 'ms', 'µs'],
  data_size: ['B', 'kB', 'MB', 'GB', 'KiB', 'MiB', 'GiB'],
  power: ['mW', 'W', 'kW'],
};

/** `<component>/<object id>/config` under the prefix, as TOPIC_MATCHER has it. */
const TOPIC = /^\w+\/(?:[a-zA-Z0-9_-]+\/)?[a-zA-Z0-9_-]+\/config$/;
const ENTITY_ID = /^(?!.+__)(?!_)[a-z0-9_]+(?<!_)\.(?!_)[a-z0-9_]+(?<!_)$/;

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownKeys(where: string, value: Json, allowed: readonly string[]): string[] {
  return Object.keys(value)
    .filter((key) => !allowed.includes(key))
    .map((key) => `${where}: ${key} is not a key of it`);
}

function missingKeys(where: string, value: Json, required: readonly string[]): string[] {
  return required.filter((key) => !(key in value)).map((key) => `${where}: ${key} is missing`);
}

/** Everything that is wrong with a discovery message; empty for one that is right. */
export function faultsOf(prefix: string, topic: string, payload: unknown): string[] {
  if (!isObject(payload)) return ['not an object'];
  const faults = [
    ...missingKeys('root', payload, ROOT_REQUIRED),
    ...unknownKeys('root', payload, ROOT_ALLOWED),
  ];
  if (!topic.startsWith(`${prefix}/device/`) || !TOPIC.test(topic.slice(prefix.length + 1))) {
    faults.push(`${topic} is not a discovery topic`);
  }
  const { device, origin, components } = payload;
  if (isObject(device)) {
    faults.push(...unknownKeys('device', device, DEVICE_ALLOWED));
    const { identifiers } = device;
    if (!Array.isArray(identifiers) || identifiers.length === 0) faults.push('no identifiers');
  }
  if (isObject(origin)) {
    faults.push(...unknownKeys('origin', origin, ORIGIN_ALLOWED));
    faults.push(...missingKeys('origin', origin, ['name']));
  }
  faults.push(...availabilityFaults('root', payload));
  if (isObject(components)) faults.push(...componentsFaults(components));
  return faults;
}

function availabilityFaults(where: string, value: Json): string[] {
  const { availability, availability_mode: mode } = value;
  if (availability === undefined) return [];
  if (!Array.isArray(availability)) return [`${where}: availability is no list`];
  const faults = availability.flatMap((entry: Json) => [
    ...missingKeys(`${where} availability`, entry, ['topic']),
    ...unknownKeys(`${where} availability`, entry, [
      'topic',
      'payload_available',
      'payload_not_available',
      'value_template',
    ]),
  ]);
  const fine = mode === undefined || ['all', 'any', 'latest'].includes(String(mode));
  return fine ? faults : [...faults, `${where}: availability_mode`];
}

function componentsFaults(components: Json): string[] {
  const faults: string[] = [];
  const [ids, entities] = [new Set<unknown>(), new Set<unknown>()];
  for (const [key, component] of Object.entries(components)) {
    if (!isObject(component)) {
      faults.push(`${key} is no object`);
      continue;
    }
    const rules = PLATFORMS[String(component.platform)];
    if (rules === undefined) faults.push(`${key}: no platform ${component.platform}`);
    else if (Object.keys(component).length > 1) faults.push(...entityFaults(key, component, rules));
    const { unique_id: id, default_entity_id: entity } = component;
    if (id !== undefined && ids.has(id)) faults.push(`${key}: ${id} is not unique`);
    if (entity !== undefined && entities.has(entity))
      faults.push(`${key}: ${entity} is not unique`);
    ids.add(id);
    entities.add(entity);
  }
  return faults;
}

function entityFaults(key: string, component: Json, rules: PlatformRules): string[] {
  const faults = [
    ...missingKeys(key, component, ['unique_id', ...rules.required]),
    ...unknownKeys(key, component, [
      ...COMMON,
      'device_class',
      'value_template',
      ...rules.required,
      ...rules.allowed,
    ]),
    ...availabilityFaults(key, component),
  ];
  const { device_class: type, default_entity_id: entity, entity_category: category } = component;
  if (type !== undefined && !rules.classes.includes(String(type))) {
    faults.push(`${key}: no device class ${type}`);
  }
  if (!ENTITY_ID.test(String(entity)) || !String(entity).startsWith(`${component.platform}.`)) {
    faults.push(`${key}: ${entity} is no entity id of its platform`);
  }
  if (category !== undefined && !['config', 'diagnostic'].includes(String(category))) {
    faults.push(`${key}: entity_category`);
  }
  // entity.py: a sensor or binary sensor is nothing to configure.
  if (category === 'config' && /sensor$/.test(String(component.platform))) {
    faults.push(`${key}: entity_category`);
  }
  for (const [name, value] of Object.entries(component)) {
    if (name.endsWith('_topic') && (typeof value !== 'string' || /[+#\0]/.test(value))) {
      faults.push(`${key}: ${name}`);
    }
  }
  return [...faults, ...unitFaults(key, component)];
}

function unitFaults(key: string, component: Json): string[] {
  const { device_class: type, unit_of_measurement: unit, options, state_class: state } = component;
  const faults: string[] = [];
  const units = UNITS[String(type)];
  if (units !== undefined && !units.includes(String(unit))) faults.push(`${key}: unit ${unit}`);
  if (component.platform === 'sensor') {
    if ((type === 'enum') !== (options !== undefined)) faults.push(`${key}: options`);
    if (options !== undefined && (state !== undefined || unit !== undefined)) {
      faults.push(`${key}: options with a unit or state class`);
    }
    if (state !== undefined && !['measurement', 'total'].includes(String(state))) {
      faults.push(`${key}: state_class`);
    }
  }
  if (Array.isArray(options) && (options.length === 0 || new Set(options).size < options.length)) {
    faults.push(`${key}: options must be some, and different`);
  }
  if (component.platform === 'number' && !(Number(component.min) < Number(component.max))) {
    faults.push(`${key}: min and max`);
  }
  return faults;
}
