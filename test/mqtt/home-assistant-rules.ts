/**
 * What Home Assistant accepts of a device discovery message, held against its own validation in
 * https://github.com/home-assistant/core (dev branch of 2026; paths below homeassistant/components):
 *
 * - mqtt/schemas.py: DEVICE_DISCOVERY_SCHEMA, SHARED_OPTIONS, MQTT_ENTITY_DEVICE_INFO_SCHEMA,
 *   MQTT_ORIGIN_INFO_SCHEMA, _MQTT_AVAILABILITY_SCHEMA, MQTT_ENTITY_COMMON_SCHEMA, check_unique_id
 * - mqtt/discovery.py: TOPIC_MATCHER
 * - mqtt/config.py: MQTT_BASE_SCHEMA (qos, encoding), MQTT_RO_SCHEMA (state_topic, value_template),
 *   MQTT_RW_SCHEMA (command_topic, retain, optimistic)
 * - mqtt/binary_sensor.py, sensor.py, number.py, select.py, switch.py, button.py, image.py, event.py,
 *   update.py: the keys of each platform, and validate_sensor_state_and_device_class_config
 * - binary_sensor/__init__.py: BinarySensorDeviceClass; that no sensor has entity_category config
 * - sensor/const.py: SensorDeviceClass, SensorStateClass, DEVICE_CLASS_UNITS, DEVICE_CLASS_STATE_CLASSES
 * - number/const.py: NumberDeviceClass; button, event, switch, update: their device classes
 *
 * and against https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload. Keys that it
 * would drop silently (REMOVE_EXTRA) are refused here: they would be mistakes.
 */

const AVAILABILITY = ['availability', 'availability_mode'];
const ROOT_REQUIRED = ['device', 'origin', 'components'];
const ROOT_ALLOWED = [
  ...ROOT_REQUIRED,
  ...AVAILABILITY,
  'state_topic',
  'command_topic',
  'message_expiry_interval',
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
  'visible_by_default',
  'entity_category',
  'entity_picture',
  'icon',
  'json_attributes_topic',
  'json_attributes_template',
  'message_expiry_interval',
  'qos',
  'encoding',
];

interface PlatformRules {
  readonly required: readonly string[];
  readonly allowed: readonly string[];
  /** Null: the platform has no device classes, and no such key. */
  readonly classes: readonly string[] | null;
}

const words = (text: string): string[] => text.trim().split(/\s+/);

const BINARY_SENSOR_CLASSES = words(`
  battery battery_charging carbon_monoxide cold connectivity door garage_door gas heat light lock
  moisture motion moving occupancy opening plug power presence problem running safety smoke sound
  tamper update vibration window`);
const NUMBER_CLASSES = words(`
  absolute_humidity apparent_power aqi area atmospheric_pressure battery blood_glucose_concentration carbon_dioxide
  carbon_monoxide conductivity current data_rate data_size distance duration energy energy_distance
  energy_storage frequency gas humidity illuminance irradiance moisture monetary nitrogen_dioxide
  nitrogen_monoxide nitrous_oxide ozone ph pm1 pm10 pm25 pm4 power power_factor precipitation
  precipitation_intensity pressure reactive_energy reactive_power signal_strength sound_pressure speed
  sulphur_dioxide temperature temperature_delta volatile_organic_compounds volatile_organic_compounds_parts voltage
  volume volume_flow_rate volume_storage water weight wind_direction wind_speed`);

const PLATFORMS: Readonly<Record<string, PlatformRules>> = {
  binary_sensor: {
    required: ['state_topic'],
    allowed: words('value_template payload_on payload_off off_delay expire_after force_update'),
    classes: BINARY_SENSOR_CLASSES,
  },
  sensor: {
    required: ['state_topic'],
    allowed: words(`
      value_template unit_of_measurement state_class suggested_display_precision options expire_after
      force_update last_reset_value_template`),
    // All of a number, and those that have no number to set.
    classes: [...NUMBER_CLASSES, 'date', 'enum', 'timestamp', 'uptime'],
  },
  switch: {
    required: ['command_topic'],
    allowed: words(`
      state_topic value_template command_template payload_on payload_off state_on state_off optimistic
      retain`),
    classes: ['outlet', 'switch'],
  },
  number: {
    required: ['command_topic'],
    allowed: words(`
      state_topic value_template command_template min max step mode payload_reset unit_of_measurement
      optimistic retain`),
    classes: NUMBER_CLASSES,
  },
  select: {
    required: ['command_topic', 'options'],
    allowed: words('state_topic value_template command_template optimistic retain'),
    classes: null,
  },
  button: {
    required: ['command_topic'],
    allowed: words('payload_press command_template retain'),
    classes: ['identify', 'restart', 'update'],
  },
  image: {
    // Or url_topic, which we have no use for.
    required: ['image_topic'],
    allowed: words('content_type image_encoding'),
    classes: null,
  },
  event: {
    required: ['state_topic', 'event_types'],
    allowed: ['value_template'],
    classes: ['button', 'doorbell', 'motion'],
  },
  update: {
    required: [],
    allowed: words(`
      state_topic value_template command_topic payload_install retain latest_version_topic
      latest_version_template title release_url release_summary display_precision`),
    classes: ['firmware'],
  },
};

/** Units of the device classes in use (sensor/const.py, DEVICE_CLASS_UNITS). */
const UNITS: Readonly<Record<string, readonly string[]>> = {
  temperature: ['°C', '°F', 'K'],
  duration: ['d', 'h', 'min', 's', 'ms', 'µs'],
  data_size: ['B', 'kB', 'MB', 'GB', 'KiB', 'MiB', 'GiB'],
  power: ['mW', 'W', 'kW', 'MW', 'GW', 'TW'],
};
const STATE_CLASSES = ['measurement', 'measurement_angle', 'total', 'total_increasing'];
/** Keys of an update's state (mqtt/update.py, MQTT_JSON_UPDATE_SCHEMA). */
const UPDATE_KEYS = words(`
  installed_version latest_version title entity_picture release_summary release_url in_progress
  update_percentage`);

/** What is wrong with the JSON state of an update entity. */
export function updateFaults(text: string): string[] {
  const state: unknown = JSON.parse(text);
  if (!isObject(state)) return ['the state of an update is no object'];
  const texts = words('installed_version latest_version title release_summary');
  return [
    ...unknownKeys('update', state, UPDATE_KEYS),
    ...Object.entries(state)
      .filter(([key, value]) => texts.includes(key) && typeof value !== 'string')
      .map(([key]) => `update: ${key} is no text`),
  ];
}

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
      ...(rules.classes === null ? [] : ['device_class']),
      ...rules.required,
      ...rules.allowed,
    ]),
    ...availabilityFaults(key, component),
  ];
  const { device_class: type, default_entity_id: entity, entity_category: category } = component;
  if (type !== undefined && rules.classes?.includes(String(type)) === false) {
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
    // valid_subscribe_topic and valid_publish_topic of mqtt/util.py.
    const isTopic = typeof value === 'string' && value !== '' && !/[+#\0]/.test(value);
    if (name.endsWith('_topic') && !isTopic) faults.push(`${key}: ${name}`);
    if (name === 'icon' && !/^[\w-]+:[\w-]+$/.test(String(value))) faults.push(`${key}: icon`);
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
    if (state !== undefined && !STATE_CLASSES.includes(String(state))) {
      faults.push(`${key}: state_class`);
    }
  }
  if (Array.isArray(options) && (options.length === 0 || new Set(options).size < options.length)) {
    faults.push(`${key}: options must be some, and different`);
  }
  if (component.platform === 'number') {
    const { min, max, step, mode } = component;
    if (!(Number(min) < Number(max))) faults.push(`${key}: min and max`);
    if (step !== undefined && !(Number(step) >= 1e-3)) faults.push(`${key}: step`);
    if (!['auto', 'box', 'slider', undefined].includes(mode as string)) faults.push(`${key}: mode`);
  }
  return faults;
}
