// A process of its own: it runs its tests side by side.
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type CommandActions, listenForCommands } from '#mobilenetd/mqtt/commands/commands.js';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { createAnnouncer } from '#mobilenetd/mqtt/home-assistant/announcer.js';
import { chooseDevice } from '#mobilenetd/mqtt/home-assistant/device-id.js';
import {
  type DiscoveryOptions,
  deviceId,
  discoveryPayload,
  discoveryTopic,
} from '#mobilenetd/mqtt/home-assistant/discovery.js';
import { watchedLabels } from '#mobilenetd/mqtt/home-assistant/watched-labels.js';
import { createPublisher } from '#mobilenetd/mqtt/publish/publisher.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { openStore } from '#mobilenetd/store/store.js';
import { systemClock } from '#mobilenetd/time.js';
import { lastingFolder } from '../../lasting-folder.js';
import { WHOLE_PICTURE } from '../../whole-picture.js';
import { type BrokerKind, fastClock, KINDS, type TestBroker } from '../brokers.js';
import { startHomeAssistant } from '../fake-home-assistant.js';
import { faultsOf } from '../home-assistant-rules.js';

const TOPICS = createTopics({ base: 'mobilenetd', node: 'porch' });
const PORCH = deviceId('porch');

function entities(more: Partial<DiscoveryOptions> = {}): DiscoveryOptions {
  return {
    topics: TOPICS,
    node: 'porch',
    version: '1.2.3',
    cameras: [{ name: 'front', labels: ['person', 'cat'] }],
    variants: [
      { name: 'ssd_300', alpha: 1, size: 300 },
      { name: 'ssd_172', alpha: 0.75, size: 172 },
    ],
    limit: { min: 40, max: 85 },
    board: 'Raspberry Pi 5',
    configurationUrl: 'http://porch.local:8080/',
    update: true,
    ...more,
  };
}

t.test('a rung without α is told by its size', async (t) => {
  const variants = [
    { name: 'birds', alpha: null, size: 224 },
    { name: 'v1', alpha: 0.5, size: 160 },
  ];
  const { components } = JSON.parse(
    JSON.stringify(discoveryPayload(entities({ variants }), PORCH)),
  );
  const rung = Object.values<{ default_entity_id: string; options?: string[] }>(components).find(
    (component) => component.default_entity_id === 'sensor.porch_rung',
  );
  t.strictSame(rung?.options, ['224 px', '0.5/160']);
});

t.test('the discovery message obeys the rules of Home Assistant', async (t) => {
  const topic = discoveryTopic('homeassistant', PORCH);
  t.equal(topic, 'homeassistant/device/mobilenetd_porch/config');
  const payload = JSON.parse(JSON.stringify(discoveryPayload(entities(), PORCH)));
  t.same(faultsOf('homeassistant', topic, payload), []);
  const ids = Object.values<{ default_entity_id: string }>(payload.components).map(
    (component) => component.default_entity_id,
  );
  for (const id of [
    'binary_sensor.porch_front_person',
    'binary_sensor.porch_front_cat',
    'sensor.porch_front_label',
    'sensor.porch_temperature',
    'sensor.porch_rung',
    'sensor.porch_frame_rate',
    'sensor.porch_latency',
    'sensor.porch_headroom',
    'sensor.porch_budget',
    'sensor.porch_outbox',
    'sensor.porch_memory',
    'sensor.porch_front_score',
    'binary_sensor.porch_undervoltage',
    'binary_sensor.porch_throttled',
    'binary_sensor.porch_database_failing',
    'select.porch_variant',
    'number.porch_target_temperature',
    'number.porch_front_threshold',
    'switch.porch_front_detect',
    'button.porch_restart',
    'button.porch_front_snapshot',
    'image.porch_front_last_snapshot',
    'event.porch_front_detection',
    'update.porch_update',
  ]) {
    t.ok(ids.includes(id), id);
  }
  t.equal(payload.components.binary_sensor_front_person.device_class, 'occupancy');
  t.equal(payload.components.binary_sensor_front_cat.device_class, undefined);
});

t.test('whatever the names, the message obeys the rules', async (t) => {
  const nodes = ['porch', 'Porch-2', 'a_b', '7'];
  const labels = [
    'café',
    'cafe',
    '犬',
    '狗',
    'A B',
    'a b',
    'jack-o-lantern',
    '+',
    'camera',
    'label',
  ];
  for (const node of nodes) {
    const topics = createTopics({ base: 'home/cameras', node });
    const cameras = [
      { name: 'front', labels },
      { name: 'Front', labels },
      { name: 'front_yard', labels: [] },
    ];
    const payload = discoveryPayload(
      entities({ topics, node, cameras, limit: null, variants: [] }),
      deviceId(node),
    );
    const parsed = JSON.parse(JSON.stringify(payload));
    t.same(faultsOf('ha', discoveryTopic('ha', deviceId(node)), parsed), [], node);
  }
});

t.test('names for people, in any writing; ids and topics keep theirs', async (t) => {
  const options = entities({
    title: 'Haus – Eingang',
    cameras: [
      { name: 'front', title: 'Haustür 🚪', labels: ['person', 'cat', 'coffee mug'] },
      { name: 'back_yard', labels: ['person'] },
    ],
    labelTitles: { person: 'Mensch', cat: '猫', toString: 'x' },
  });
  const payload = JSON.parse(JSON.stringify(discoveryPayload(options, PORCH)));
  t.same(faultsOf('homeassistant', discoveryTopic('homeassistant', PORCH), payload), []);
  t.equal(payload.device.name, 'Haus – Eingang');
  t.same(payload.device.identifiers, [PORCH]);
  const { components } = payload;
  t.match(components.binary_sensor_front_person, {
    name: 'Haustür 🚪 Mensch',
    unique_id: 'mobilenetd_porch_binary_sensor_front_person',
    default_entity_id: 'binary_sensor.porch_front_person',
    state_topic: 'mobilenetd/porch/front/person',
  });
  t.equal(components.binary_sensor_front_cat.name, 'Haustür 🚪 猫');
  t.equal(components.binary_sensor_front_coffee_mug.name, 'Haustür 🚪 coffee mug');
  t.equal(components.binary_sensor_back_yard_person.name, 'back yard Mensch');
  t.equal(components.switch_front_detect.name, 'Haustür 🚪 detect');
  const plain = JSON.parse(JSON.stringify(discoveryPayload(entities(), PORCH)));
  t.same(
    Object.keys(components).filter((key) => Object.hasOwn(plain.components, key)).length,
    Object.keys(plain.components).length,
    'no key has changed',
  );
});

t.test('the id of the device is of the machine, and what it was before stays', async (t) => {
  const sources = {
    ...{ configured: null, remembered: null, formerTopic: null },
    ...{ machine: 'machine 1', node: 'porch', root: 'mobilenetd/porch' },
  };
  const { id, spare, legacy } = chooseDevice(sources);
  t.match(id, /^mobilenetd_[0-9a-f]{12}$/);
  t.equal(legacy, 'mobilenetd_porch', 'where an earlier version may have left it');
  t.equal(chooseDevice({ ...sources, node: 'gate', root: 'mobilenetd/gate' }).id, id, 'renamed');
  t.not(chooseDevice({ ...sources, machine: 'machine 2' }).id, id, 'another machine');
  t.not(spare, id);
  t.not(chooseDevice({ ...sources, root: 'other/porch' }).spare, spare, 'another base');
  t.match(chooseDevice({ ...sources, remembered: 'mobilenetd_x' }), { id: 'mobilenetd_x' });
  const formerTopic = 'homeassistant/device/mobilenetd_old_name/config';
  t.match(chooseDevice({ ...sources, formerTopic }), { id: 'mobilenetd_old_name', legacy: null });
  const configured = { ...sources, remembered: 'mobilenetd_x', configured: 'Porch-1' };
  t.match(chooseDevice(configured), { id: 'mobilenetd_porch_1', legacy: null });
});

t.test('the rules find what is wrong', async (t) => {
  const topic = discoveryTopic('homeassistant', PORCH);
  const spoil = (change: (payload: Record<string, never>) => void): string[] => {
    const payload = JSON.parse(JSON.stringify(discoveryPayload(entities(), PORCH)));
    change(payload);
    return faultsOf('homeassistant', topic, payload);
  };
  type Spoilt = { [key: string]: Spoilt };
  const changes: ((payload: Spoilt) => void)[] = [
    (payload) => delete payload.origin,
    (payload) => Object.assign(payload, { object_id: 'x' }),
    (payload) => Object.assign(payload.device ?? {}, { vendor: 'x' }),
    (payload) => delete payload.components?.button_restart?.unique_id,
    (payload) => delete payload.components?.event_front_detection?.event_types,
    (payload) =>
      Object.assign(payload.components?.sensor_temperature ?? {}, { unit_of_measurement: 'V' }),
    (payload) => Object.assign(payload.components?.sensor_rung ?? {}, { options: [] }),
    (payload) =>
      Object.assign(payload.components?.binary_sensor_front_person ?? {}, {
        device_class: 'person',
      }),
    (payload) => Object.assign(payload.components ?? {}, { x: { platform: 'nothing' } }),
    (payload) => Object.assign(payload.components?.select_variant ?? {}, { device_class: 'enum' }),
    (payload) =>
      Object.assign(payload.components?.sensor_budget ?? {}, { state_class: 'sometimes' }),
    (payload) => Object.assign(payload.components?.button_restart ?? {}, { value_template: 'x' }),
    (payload) => Object.assign(payload.components?.number_front_threshold ?? {}, { max: 0 }),
    (payload) => Object.assign(payload.components?.switch_front_detect ?? {}, { icon: 'eye' }),
  ];
  for (const change of changes) {
    t.equal(spoil(change as (payload: Record<string, never>) => void).length, 1, String(change));
  }
});

t.test('which labels become entities', async (t) => {
  const known = ['zebra', 'person', 'cat', 'car', 'toaster'];
  t.same(watchedLabels({ wanted: 'default', known, groups: ['pets'] }), [
    'pets',
    'person',
    'cat',
    'car',
  ]);
  t.same(watchedLabels({ wanted: ['toaster', 'unicorn', 'pets'], known, groups: ['pets'] }), [
    'toaster',
    'pets',
  ]);
  const many = Array.from({ length: 1000 }, (_, i) => `label ${i}`);
  t.equal(watchedLabels({ wanted: many, known: many, groups: [] }).length, 64);
});

function event(more: Partial<PresenceEvent> = {}): PresenceEvent {
  return {
    id: 'e1',
    type: 'new',
    camera: 'front',
    label: 'person',
    score: 0.8,
    start: 1e12,
    end: null,
    model: 'ssd_300',
    alpha: 1,
    size: 300,
    count: 1,
    box: null,
    ...WHOLE_PICTURE,
    ...more,
  };
}

const HEALTH = {
  time: '2026-06-01T12:00:00.000Z',
  temperature: 61.5,
  throttled: false,
  undervoltage: null,
  database_failing: false,
  fps: 9.8,
  latency_ms: 12,
  rss_mb: 140,
  outbox: 0,
};

/** A board as the daemon wires it; `stop` is a kill: nothing is said. */
function startBoard(t: Test, broker: TestBroker, file: string, document: DiscoveryOptions | null) {
  const store = openStore({
    file,
    commitInterval: 0.05,
    detectionInterval: 1,
    retention: { days: 30, maxBytes: 1e9 },
    outbox: { maxAge: 3600, maxRows: 1000 },
  });
  const connection = createConnection({
    url: broker.url,
    ...broker.client,
    clientId: 'mobilenetd-porch',
    will: { topic: TOPICS.state, payload: 'offline' },
    random: () => 0,
    clock: fastClock(10),
  });
  const publisher = createPublisher({
    connection,
    topics: TOPICS,
    outbox: store.outbox,
    version: '1.2.3',
    maxEventAge: 3600,
  });
  const births: number[] = [];
  const announcer = createAnnouncer({
    connection,
    publisher,
    prefix: 'homeassistant',
    device: { id: PORCH, spare: deviceId('spare'), legacy: null },
    root: TOPICS.root,
    random: () => 0.5,
    clock: {
      ...systemClock,
      setTimer(run, ms) {
        if (ms >= 1000) births.push(ms);
        return systemClock.setTimer(run, Math.min(ms, 300));
      },
    },
  });
  const pressed: string[] = [];
  const set = { pin: 'auto', detect: true, threshold: 0.6, limit: 60 };
  const show = (): void =>
    commands.show({
      pin: set.pin,
      limit: set.limit,
      detect: { front: set.detect },
      threshold: { front: set.threshold },
    });
  const actions: CommandActions = {
    async setDetect(_camera, on) {
      set.detect = on !== false;
      publisher.setCameraState('front', set.detect ? 'online' : 'disabled');
      show();
    },
    async setThreshold(_camera, threshold) {
      set.threshold = threshold === 'auto' ? 0.6 : threshold;
      show();
    },
    async setPin(pin) {
      set.pin = pin;
      show();
    },
    async setLimit(limit) {
      set.limit = limit === 'auto' ? 60 : limit;
      show();
    },
    async snapshot(camera) {
      pressed.push(`snapshot ${camera}`);
      publisher.setSnapshot('front', Buffer.from('JPEG'));
    },
    async reload() {},
    async restart() {
      pressed.push('restart');
    },
    health: async () => HEALTH,
    teach: async () => ({}),
    wrong: async () => [],
  };
  const commands = listenForCommands({
    connection,
    topics: TOPICS,
    retained: publisher.retained,
    actions,
    cameras: () => ['front'],
    variants: () => ['ssd_300', 'ssd_172'],
    limit: { min: 40, max: 85 },
  });
  publisher.setCameras([{ name: 'front', labels: ['person', 'cat'] }]);
  for (const label of ['person', 'cat']) publisher.setLabel('front', label, 'countToday', '3');
  publisher.setHealth(HEALTH);
  publisher.setGovernor({ model: 'ssd_300', alpha: 1, size: 300, headroom: 3.5, budget: 0.423 });
  publisher.setUpdate({ installed_version: '1.2.3', latest_version: '1.3.0' });
  publisher.setCameraState('front', 'online');
  show();
  announcer.announce(document);
  publisher.start();
  t.teardown(async () => {
    await connection.close();
    store.close();
  });
  return {
    publisher,
    announcer,
    births,
    pressed,
    show(...events: PresenceEvent[]) {
      store.recordEvents(events, publisher.eventMessages(events));
      publisher.applyEvents(events);
    },
    async stop() {
      announcer.close();
      await publisher.close();
      store.close();
    },
  };
}

const TRUE_STATES = {
  'sensor.porch_front_person_today': '3',
  'sensor.porch_front_cat_today': '3',
  'sensor.porch_temperature': '61.5',
  'sensor.porch_frame_rate': '9.8',
  'sensor.porch_latency': '12',
  'sensor.porch_memory': '140',
  'sensor.porch_outbox': '0',
  'binary_sensor.porch_throttled': 'OFF',
  'binary_sensor.porch_undervoltage': 'unknown',
  'binary_sensor.porch_database_failing': 'OFF',
  'sensor.porch_rung': '1/300',
  'select.porch_variant': 'auto',
  'sensor.porch_headroom': '3.5',
  'sensor.porch_budget': '42.3',
  'number.porch_target_temperature': '60',
  'update.porch_update': '{"installed_version":"1.2.3","latest_version":"1.3.0"}',
  'binary_sensor.porch_front_person': 'OFF',
  'binary_sensor.porch_front_cat': 'OFF',
  'sensor.porch_front_label': 'none',
  'sensor.porch_front_score': 'unknown',
  'event.porch_front_detection': 'unknown',
  'image.porch_front_last_snapshot': 'unknown',
  'binary_sensor.porch_front_camera': 'ON',
  'switch.porch_front_detect': 'ON',
  'number.porch_front_threshold': '0.6',
};

// They wait more than they work.
t.jobs = 3;

for (const kind of KINDS) {
  const skip = kind.available ? false : 'not installed';
  t.test(`at home with ${kind.name}`, { skip, buffered: true }, (t) => atHome(t, kind));
}

async function atHome(t: Test, kind: BrokerKind): Promise<void> {
  const broker = await kind.make();
  await broker.start();
  t.teardown(() => broker.stop());
  const file = join(lastingFolder(t), 'mobilenetd.db');
  const ha = await startHomeAssistant(broker);
  t.teardown(() => ha.close());
  const state = (entity: string) => ha.states()[entity];
  let board = startBoard(t, broker, file, entities());

  await ha.until('all is true', () => state('binary_sensor.porch_front_camera') === 'ON');
  await ha.until('all is there', () => Object.keys(ha.states()).length >= 24);
  t.same(ha.states(), TRUE_STATES);

  board.show(event());
  await ha.until('person', () => state('binary_sensor.porch_front_person') === 'ON');
  await ha.until('event', () => state('event.porch_front_detection') === 'new');
  await ha.until('label', () => state('sensor.porch_front_label') === 'person');

  await ha.press('select.porch_variant', 'ssd_172');
  await ha.until('pin', () => state('select.porch_variant') === 'ssd_172');
  await ha.press('number.porch_front_threshold', '0.45');
  await ha.until('threshold', () => state('number.porch_front_threshold') === '0.45');
  await ha.press('number.porch_target_temperature', '70');
  await ha.until('limit', () => state('number.porch_target_temperature') === '70');
  await ha.press('button.porch_front_snapshot');
  await ha.until('picture', () => state('image.porch_front_last_snapshot') === 'picture');
  await ha.press('button.porch_restart');
  await ha.until('restart', () => board.pressed.includes('restart'));
  await ha.press('switch.porch_front_detect', 'OFF');
  await ha.until('off', () => state('switch.porch_front_detect') === 'OFF');
  await ha.until('no states', () => state('binary_sensor.porch_front_person') === 'unavailable');
  await ha.press('switch.porch_front_detect', 'ON');
  await ha.until('states', () => state('binary_sensor.porch_front_person') === 'ON');

  const before = ha.discoveries();
  await ha.birth();
  await ha.until('announced again', () => ha.discoveries() > before);
  t.same(board.births, [3000], 'after 1 to 5 s of jitter');

  // An entity that is no longer wanted is forgotten, another one is new.
  const changed = entities({ cameras: [{ name: 'front', labels: ['person', 'dog'] }] });
  board.announcer.announce(changed);
  await ha.until('dog', () => ha.component('binary_sensor.porch_front_dog') !== undefined);
  t.equal(ha.component('binary_sensor.porch_front_cat'), undefined);

  await board.stop();
  await ha.until('offline', () => state('binary_sensor.porch_front_person') === 'unavailable');
  // While the board was away it lost another one: the broker remembers what was announced.
  board = startBoard(t, broker, file, entities({ cameras: [{ name: 'front', labels: ['cat'] }] }));
  await ha.until('cat', () => state('binary_sensor.porch_front_cat') === 'OFF');
  await ha.until('dog is forgotten', () => !ha.component('binary_sensor.porch_front_dog'));
  t.equal(ha.component('binary_sensor.porch_front_person'), undefined);

  board.announcer.announce(null);
  await ha.until('no device', () => Object.keys(ha.states()).length === 0);
  board.announcer.announce(entities());
  await ha.until('back', () => state('binary_sensor.porch_front_person') === 'OFF');

  // A broker that restarts has forgotten all; what is shown after it was said again.
  await broker.stop();
  await broker.start();
  const later = await startHomeAssistant(broker);
  t.teardown(() => later.close());
  await later.until('again', () => later.states()['binary_sensor.porch_front_camera'] === 'ON');
  await later.until('all', () => later.states()['update.porch_update'] !== 'unknown');
  t.same(later.states(), TRUE_STATES);
  t.same([...ha.faults, ...later.faults], []);
  await board.stop();
}
