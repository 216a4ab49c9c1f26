import { type CameraTopics, type Topics, topicSafe } from '../topics.js';
import { CONFIG, DIAGNOSTIC, type EntityCamera, type EntityCollector } from './entity.js';

/** Only `online` is: a camera that is disabled or offline has no states to believe. */
const CAMERA_AVAILABLE = "{{ 'online' if value == 'online' else 'offline' }}";

/** Adds an entity of one camera: what it is called after the camera, and its keys. */
type Add = (platform: string, name: string, keys: Readonly<Record<string, unknown>>) => void;

/** Entities of a camera; `labelTitles`: what people call labels, where that is not their name. */
export function addCamera(
  entities: EntityCollector,
  topics: Topics,
  camera: EntityCamera,
  labelTitles: Readonly<Record<string, string>>,
): void {
  const { name, title, labels, zones = [] } = camera;
  const paths = topics.camera(name);
  const displayName = title ?? name.replaceAll('_', ' ');
  const titled = (key: string, words = key.replaceAll('_', ' ')) => ({
    key: [name, key],
    title: `${displayName} ${words}`,
  });
  const add: Add = (platform, key, keys) => entities.add(platform, titled(key), keys);
  // An entity's own list takes the place of the device's.
  const seeing = {
    availability: [
      { topic: topics.state },
      { topic: paths.status, value_template: CAMERA_AVAILABLE },
    ],
    availability_mode: 'all',
  };
  for (const label of labels) {
    const own = Object.hasOwn(labelTitles, label) ? labelTitles[label] : undefined;
    entities.add('binary_sensor', titled(topicSafe(label), own), {
      state_topic: paths.presence(label),
      json_attributes_topic: paths.attributes(label),
      ...(label === 'person' && { device_class: 'occupancy' }),
      ...seeing,
    });
    const today = `${own ?? label.replaceAll('_', ' ')} today`;
    entities.add('sensor', titled(`${topicSafe(label)}_today`, today), {
      state_topic: paths.countToday(label),
      state_class: 'total_increasing',
      icon: 'mdi:counter',
      ...seeing,
    });
  }
  for (const zone of zones) {
    const place = zone.title ?? zone.name.replaceAll('_', ' ');
    for (const label of zone.labels) {
      const own = Object.hasOwn(labelTitles, label) ? labelTitles[label] : undefined;
      const words = own ?? topicSafe(label).replaceAll('_', ' ');
      const keyed = {
        key: [name, zone.name, topicSafe(label)],
        title: `${displayName} ${place} ${words}`,
      };
      entities.add('binary_sensor', keyed, {
        state_topic: paths.zonePresence(zone.name, label),
        json_attributes_topic: paths.zoneAttributes(zone.name, label),
        ...(label === 'person' && { device_class: 'occupancy' }),
        ...seeing,
      });
    }
  }
  addSights(add, paths, seeing);
  addControls(add, name, paths, topics);
}

function addSights(add: Add, paths: CameraTopics, seeing: object): void {
  add('sensor', 'label', { state_topic: paths.label, icon: 'mdi:eye', ...seeing });
  add('sensor', 'score', {
    state_topic: paths.labels,
    value_template:
      '{{ (value_json.labels[0].score * 100) | round(1) if value_json.labels else 0 }}',
    unit_of_measurement: '%',
    state_class: 'measurement',
    // The best score changes every second, which fills Home Assistant's database.
    enabled_by_default: false,
    ...seeing,
  });
  add('event', 'detection', {
    state_topic: paths.events,
    event_types: ['new', 'update', 'end'],
    value_template:
      "{{ {'event_type': value_json.type, 'id': value_json.id, 'label': value_json.label, " +
      "'score': value_json.score, 'start': value_json.start, 'end': value_json.end, " +
      "'count': value_json.count, 'box': value_json.box, 'object': value_json.object, " +
      "'stationary': value_json.stationary, 'zones': value_json.zones, 'loitering': value_json.loitering, " +
      "'sub_label': value_json.sub_label, 'sub_score': value_json.sub_score, 'picture': value_json.picture} | to_json }}",
    icon: 'mdi:cctv',
    ...seeing,
  });
  add('image', 'last snapshot', {
    image_topic: paths.snapshot,
    json_attributes_topic: paths.snapshotAttributes,
    content_type: 'image/jpeg',
    ...seeing,
  });
}

function addControls(add: Add, name: string, paths: CameraTopics, topics: Topics): void {
  add('binary_sensor', 'camera', {
    state_topic: paths.status,
    value_template: "{{ 'ON' if value == 'online' else 'OFF' }}",
    json_attributes_topic: paths.statusAttributes,
    device_class: 'connectivity',
    ...DIAGNOSTIC,
  });
  add('switch', 'detect', {
    command_topic: paths.detectSet,
    state_topic: paths.detectState,
    icon: 'mdi:motion-sensor',
    ...CONFIG,
  });
  add('number', 'threshold', {
    command_topic: paths.thresholdSet,
    state_topic: paths.thresholdState,
    min: 0,
    max: 1,
    step: 0.01,
    mode: 'slider',
    icon: 'mdi:tune-vertical',
    ...CONFIG,
  });
  add('button', 'snapshot', {
    command_topic: topics.request('snapshot'),
    payload_press: JSON.stringify({ transaction: 'home-assistant', camera: name }),
    icon: 'mdi:camera',
  });
}
