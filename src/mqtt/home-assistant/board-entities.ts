import type { Topics } from '../topics.js';
import {
  CONFIG,
  DIAGNOSTIC,
  type DiscoveryOptions,
  type EntityCollector,
  type EntityVariant,
  MEASURED,
} from './entity.js';

const CELSIUS = { unit_of_measurement: '°C', suggested_display_precision: 1 };
const TEMPERATURE = { device_class: 'temperature', ...CELSIUS };

/** What `<base>/health` has for people: name, field, and what Home Assistant is to know of it. */
const HEALTH: readonly (readonly [name: string, field: string, keys: object])[] = [
  ['temperature', 'temperature', TEMPERATURE],
  ['frame rate', 'fps', { unit_of_measurement: 'fps', icon: 'mdi:speedometer' }],
  [
    'latency',
    'latency_ms',
    { device_class: 'duration', unit_of_measurement: 'ms', suggested_display_precision: 0 },
  ],
  ['memory', 'rss_mb', { device_class: 'data_size', unit_of_measurement: 'MB' }],
  ['outbox', 'outbox', { unit_of_measurement: 'messages', icon: 'mdi:tray-full' }],
];

/** Flags of the same message, each null where the board does not say. */
const FLAGS: readonly (readonly [field: string, deviceClass: string])[] = [
  ['throttled', 'heat'],
  ['undervoltage', 'problem'],
  ['database_failing', 'problem'],
];

/** Entities about the board itself. */
export function addBoard(entities: EntityCollector, options: DiscoveryOptions): void {
  const { topics, variants, limit } = options;
  for (const [name, field, keys] of HEALTH) {
    entities.add('sensor', { key: [name] }, measured(topics.health, field, keys));
  }
  for (const [field, deviceClass] of FLAGS) {
    entities.add(
      'binary_sensor',
      { key: [field] },
      {
        state_topic: topics.health,
        value_template: `{{ 'None' if value_json.${field} is none else 'ON' if value_json.${field} else 'OFF' }}`,
        device_class: deviceClass,
        ...DIAGNOSTIC,
      },
    );
  }
  if (variants.length > 0) addVariants(entities, topics, variants);
  if (limit !== null) addLimit(entities, topics, limit);
  entities.add(
    'button',
    { key: ['restart'] },
    {
      command_topic: topics.request('restart'),
      payload_press: '{"transaction":"home-assistant"}',
      device_class: 'restart',
      ...CONFIG,
    },
  );
  addNotifications(entities, options);
  if (!options.update) return;
  const update = { state_topic: topics.update, title: 'mobilenetd', ...DIAGNOSTIC };
  entities.add('update', { key: ['update'] }, update);
}

/** A field of a JSON message as a measurement. */
function measured(topic: string, field: string, keys: object): Record<string, unknown> {
  return {
    state_topic: topic,
    value_template: `{{ value_json.${field} }}`,
    ...keys,
    ...MEASURED,
  };
}

function addVariants(
  entities: EntityCollector,
  topics: Topics,
  variants: readonly EntityVariant[],
): void {
  const rungs = variants.map(({ alpha, size }) =>
    alpha === null ? `${size} px` : `${alpha}/${size}`,
  );
  // Width multiplier, if it has one, and input size; the governor's mix and reason are its attributes.
  entities.add(
    'sensor',
    { key: ['rung'] },
    {
      state_topic: topics.governor,
      value_template:
        "{{ 'None' if value_json.size is none else value_json.size ~ ' px' if value_json.alpha is none else value_json.alpha ~ '/' ~ value_json.size }}",
      json_attributes_topic: topics.governor,
      device_class: 'enum',
      options: [...new Set(rungs)],
      ...DIAGNOSTIC,
    },
  );
  entities.add(
    'select',
    { key: ['variant'] },
    {
      command_topic: topics.pinSet,
      state_topic: topics.pinState,
      options: ['auto', ...variants.map(({ name }) => name)],
      ...CONFIG,
    },
  );
}

/** One entity for all rules: the type of its event is the rule. */
function addNotifications(
  entities: EntityCollector,
  { topics, notify = [] }: DiscoveryOptions,
): void {
  if (notify.length === 0) return;
  const fields = ['title', 'message', 'camera', 'camera_name', 'label', 'score', 'id', 'picture'];
  const attributes = fields.map((field) => `'${field}': value_json.${field}`).join(', ');
  entities.add(
    'event',
    { key: ['notification'] },
    {
      state_topic: topics.notify,
      event_types: notify,
      value_template: `{{ {'event_type': value_json.rule, ${attributes}} | to_json }}`,
      icon: 'mdi:bell',
    },
  );
}

function addLimit(
  entities: EntityCollector,
  topics: Topics,
  limit: { readonly min: number; readonly max: number },
): void {
  // A difference of temperatures: with the class `temperature` it would be converted to °F wrongly.
  const difference = { ...CELSIUS, icon: 'mdi:thermometer-chevron-up' };
  entities.add('sensor', { key: ['headroom'] }, measured(topics.governor, 'headroom', difference));
  // The share of each second that inference may take.
  const budget = measured(topics.governor, 'budget', {
    value_template: '{{ (value_json.budget * 100) | round(1) }}',
    unit_of_measurement: '%',
    icon: 'mdi:gauge',
  });
  entities.add('sensor', { key: ['budget'] }, budget);
  entities.add(
    'number',
    { key: ['target temperature'] },
    {
      command_topic: topics.limitSet,
      state_topic: topics.limitState,
      device_class: 'temperature',
      unit_of_measurement: '°C',
      min: limit.min,
      max: limit.max,
      step: 0.5,
      mode: 'box',
      ...CONFIG,
    },
  );
}
