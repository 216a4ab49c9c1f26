import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import t from 'tap';
import { VERSION } from '#mobilenetd/package-root.js';
import {
  type ConfigParts,
  preparePictures,
  runDaemon,
  writeConfig,
} from '../integration/daemon-process.js';
import { installRandomModel } from '../integration/demo-process.js';
import { lastingFolder } from '../lasting-folder.js';
import { listenTo, mosquitto } from '../mqtt/brokers.js';
import { startHomeAssistant } from '../mqtt/fake-home-assistant.js';
import { messageFaults } from '../mqtt/payload-rules.js';

const skip = mosquitto.available ? false : 'Mosquitto is not installed';
const SMALL = 'random_small';
const LARGE = 'random_large';

/** What a Raspberry Pi 4 at 52 °C looks like to the daemon. */
function makeBoard(folder: string): { sysfs_root: string; proc_root: string } {
  const [sysfs, proc] = [join(folder, 'sys'), join(folder, 'proc')];
  const zone = join(sysfs, 'class/thermal/thermal_zone0');
  const flags = join(sysfs, 'devices/platform/soc/soc:firmware');
  for (const path of [zone, flags, join(proc, 'device-tree')]) mkdirSync(path, { recursive: true });
  writeFileSync(join(zone, 'type'), 'cpu-thermal\n');
  writeFileSync(join(zone, 'temp'), '52000\n');
  writeFileSync(join(flags, 'get_throttled'), '0\n');
  writeFileSync(join(proc, 'device-tree/model'), 'Raspberry Pi 4 Model B Rev 1.4\0');
  cpSync('/proc/stat', join(proc, 'stat'));
  return { sysfs_root: sysfs, proc_root: proc };
}

/** Holds everything that is published below the node to docs/topics.json. */
async function watchPayloads(url: string) {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
  const faults: string[] = [];
  const seen = new Set<string>();
  const last = new Map<string, string>();
  const properties = new Map<string, object | undefined>();
  client.on('message', (full, payload, { retain, qos, properties: more }) => {
    const topic = full.slice('mobilenetd/board/'.length);
    if (/(^|\/)set$|^request\//.test(topic)) return;
    seen.add(topic);
    if (payload.length > 0) properties.set(topic, more);
    last.set(topic, payload.toString('latin1'));
    faults.push(...messageFaults({ topic, payload, retain, qos }));
  });
  // Retain as published: what is retained can then be told from what is not.
  await client.subscribeAsync('mobilenetd/board/#', { qos: 1, rap: true });
  return { faults, seen, last, properties, close: () => client.endAsync(true) };
}

t.test('the whole daemon in Home Assistant, through all that happens', { skip }, async (t) => {
  t.setTimeout(600_000);
  const folder = lastingFolder(t);
  await installRandomModel(folder, { name: SMALL, alpha: 0.25 });
  await installRandomModel(folder, { name: LARGE, alpha: 0.5 });
  const pictures = await preparePictures(folder);
  const versions = join(folder, 'latest');
  writeFileSync(versions, 'v9.8.7\nwhatever else\n');
  const broker = await mosquitto.make({ persistent: true });
  await broker.start();
  t.teardown(() => broker.stop());
  const ha = await startHomeAssistant(broker);
  t.teardown(() => ha.close());
  const watched = await watchPayloads(broker.url);
  t.teardown(() => watched.close());
  const governor = makeBoard(folder);
  const config = (more: Partial<ConfigParts> = {}, homeassistant: object = {}) =>
    writeConfig(folder, {
      url: broker.url,
      cameras: ['front'],
      pictures,
      model: { task: 'classify', name: 'auto' },
      ...more,
      more: {
        governor,
        homeassistant: {
          labels: ['left', 'middle', 'right'],
          version_file: versions,
          configuration_url: 'https://wiki.example.org/porch',
          ...homeassistant,
        },
      },
    });
  const state = (entity: string) => ha.states()[entity];
  const governed = (): { limit?: number; model?: string } =>
    JSON.parse(watched.last.get('governor') ?? '{}');
  const until = ha.until;
  const file = config();
  let daemon = runDaemon(folder, file);
  t.teardown(() => daemon.child.kill('SIGKILL'));

  await until('the camera', () => state('binary_sensor.board_front_camera') === 'ON');
  await until('the governor', () => ha.component('number.board_target_temperature') !== undefined);
  const top = () => state('sensor.board_front_label') ?? '';
  await until('a label', () => state(`binary_sensor.board_front_${top()}`) === 'ON');
  await until('health', () => state('sensor.board_temperature') === '52');
  // An event waits for its picture: what health has counted by then may be one.
  await until('nothing waits', () => state('sensor.board_outbox') === '0');
  await until('the rung', () => state('sensor.board_rung') === '0.5/128');
  const truth = {
    'binary_sensor.board_throttled': 'OFF',
    'binary_sensor.board_undervoltage': 'OFF',
    'number.board_target_temperature': '80',
    'number.board_front_threshold': '0.3',
    'switch.board_front_detect': 'ON',
    'select.board_variant': 'auto',
    'sensor.board_outbox': '0',
  };
  t.match(ha.states(), truth);
  t.match(ha.device(), {
    configuration_url: 'https://wiki.example.org/porch',
    model: 'Raspberry Pi 4 Model B Rev 1.4',
  });
  t.same(JSON.parse(state('update.board_update') ?? ''), {
    installed_version: VERSION,
    title: 'mobilenetd',
    latest_version: '9.8.7',
  });
  t.match(state('sensor.board_budget'), /^\d+(\.\d)?$/);
  t.match(top(), /^(left|middle|right)$/);
  t.equal(state(`binary_sensor.board_front_${top()}`), 'ON', 'the top label is one present');

  // Every control, and what it does to the daemon.
  await ha.press('number.board_target_temperature', '62');
  await until('the target', () => state('number.board_target_temperature') === '62');
  await until('the governor itself has it', () => governed().limit === 62);
  await ha.press('number.board_target_temperature', '20');
  await ha.press('select.board_variant', SMALL);
  await until('the pin', () => state('select.board_variant') === SMALL);
  await until('the pinned one runs', () => governed().model === SMALL);
  await until('and is shown', () => state('sensor.board_rung') === '0.25/128');
  await ha.press('number.board_front_threshold', '0.31');
  await until('the threshold', () => state('number.board_front_threshold') === '0.31');
  await ha.press('button.board_front_snapshot');
  await until('a picture', () => state('image.board_front_last_snapshot') === 'picture');
  await until('an event', () => state('event.board_front_detection') !== 'unknown');
  t.equal(state('number.board_target_temperature'), '62', 'what is out of range changed nothing');
  const settled = {
    'number.board_target_temperature': '62',
    'select.board_variant': SMALL,
    'number.board_front_threshold': '0.31',
    'switch.board_front_detect': 'ON',
    'sensor.board_rung': '0.25/128',
    'binary_sensor.board_front_camera': 'ON',
  };

  // Home Assistant starts anew.
  const before = ha.discoveries();
  await ha.birth();
  await until('it is announced again', () => ha.discoveries() > before);

  // The broker restarts, the daemon dies, the daemon restarts.
  await broker.stop();
  await broker.start();
  await until('the broker is back', () => state('binary_sensor.board_front_camera') === 'ON');
  t.match(ha.states(), settled);
  await daemon.end('SIGKILL');
  await until('the will', () => state('number.board_target_temperature') === 'unavailable');
  t.ok(
    Object.values(ha.states()).every((value) => value === 'unavailable'),
    'nothing is believed while the board is away',
  );
  daemon = runDaemon(folder, file);
  await until('it is back', () => state('sensor.board_rung') === '0.25/128');
  await until('with its limit', () => state('number.board_target_temperature') === '62');
  await until('and its camera', () => state('binary_sensor.board_front_camera') === 'ON');
  t.match(ha.states(), settled, 'what was set is kept');
  t.equal(governed().limit, 62);
  await ha.press('button.board_restart');
  await until('asked to restart', () => watched.last.has('response/restart'));
  await until('offline', () => watched.last.get('state') === 'offline');
  await until('online', () => state('binary_sensor.board_front_camera') === 'ON');
  await until('the limit again', () => state('number.board_target_temperature') === '62');

  // Another camera and fewer labels, while it runs.
  config({ cameras: ['yard'] }, { labels: ['left'] });
  daemon.child.kill('SIGHUP');
  await until('the new one', () => state('binary_sensor.board_yard_camera') === 'ON');
  await until('the old one is gone', () => ha.component('switch.board_front_detect') === undefined);
  const entities = Object.keys(ha.states()).join('\n');
  t.notMatch(entities, /_front_/);
  t.notMatch(entities, /_yard_(right|middle)/);

  // And while it does not run.
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
  config({ cameras: ['gate'] }, { labels: ['right'], version_file: null });
  daemon = runDaemon(folder, file);
  await until('the third', () => state('binary_sensor.board_gate_camera') === 'ON');
  await until('its label', () => ha.component('binary_sensor.board_gate_right') !== undefined);
  await until('no update', () => ha.component('update.board_update') === undefined);
  t.notMatch(Object.keys(ha.states()).join('\n'), /_yard_|_gate_left/);

  // Switched off, nothing is shown of what nobody looks at.
  await ha.press('switch.board_gate_detect', 'OFF');
  await until('off', () => state('switch.board_gate_detect') === 'OFF');
  await until('unknown', () => state('binary_sensor.board_gate_right') === 'unavailable');
  await until('the limit as ever', () => state('number.board_target_temperature') === '62');

  // It starts without a frame to look at: the target is not forgotten until one comes.
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
  daemon = runDaemon(folder, file);
  await until('online again', () => watched.last.get('state') === 'online');
  await until('still off', () => state('switch.board_gate_detect') === 'OFF');
  await until('the target', () => state('number.board_target_temperature') === '62');

  config({ cameras: ['gate'] }, { enabled: false });
  daemon.child.kill('SIGHUP');
  await until('no device at all', () => Object.keys(ha.states()).length === 0);
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());

  t.same(ha.faults, []);
  t.same(watched.faults, [], 'every payload is as docs/topics.json and docs/schema say');
  for (const topic of ['health', 'info', 'governor', 'update', 'front/events', 'front/labels']) {
    t.ok(watched.seen.has(topic), `${topic} was among them`);
  }
  const json = { contentType: 'application/json', userProperties: { version: VERSION } };
  for (const [topic, expected] of [
    ['front/events', { ...json, messageExpiryInterval: Number }],
    ['front/labels', { ...json, messageExpiryInterval: Number }],
    ['health', json],
    ['front/snapshot', { contentType: 'image/jpeg' }],
  ] as const) {
    t.match(watched.properties.get(topic), expected, `MQTT 5 properties of ${topic}`);
  }
  for (const topic of ['front/snapshot', 'governor/limit/state', 'response/restart']) {
    t.ok(watched.seen.has(topic), `${topic} was among them`);
  }
});

t.test('without a sensor there is no target, but what runs is shown', { skip }, async (t) => {
  const folder = lastingFolder(t);
  await installRandomModel(folder);
  const pictures = await preparePictures(folder);
  const broker = await mosquitto.make();
  await broker.start();
  t.teardown(() => broker.stop());
  const ha = await startHomeAssistant(broker);
  t.teardown(() => ha.close());
  const governor = { sysfs_root: join(folder, 'nowhere'), proc_root: join(folder, 'nowhere') };
  const file = writeConfig(folder, {
    url: broker.url,
    cameras: ['front'],
    pictures,
    more: { governor },
  });
  const daemon = runDaemon(folder, file);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  await ha.until('the rung', () => ha.states()['sensor.board_rung'] === '0.25/128');
  t.equal(ha.component('number.board_target_temperature'), undefined);
  t.equal(ha.component('sensor.board_headroom'), undefined);
  await ha.until('health', () => ha.states()['sensor.board_outbox'] === '0');
  t.equal(ha.states()['sensor.board_temperature'], 'unknown');
  t.same(ha.faults, []);
  const exited = once(daemon.child, 'exit');
  daemon.child.kill('SIGTERM');
  t.same(await exited, [0, null], daemon.log());
});

t.test(
  'a node that is renamed leaves nothing behind and stays the same device',
  { skip },
  async (t) => {
    const folder = lastingFolder(t);
    await installRandomModel(folder);
    const pictures = await preparePictures(folder);
    const broker = await mosquitto.make({ persistent: true });
    await broker.start();
    t.teardown(() => broker.stop());
    const house = await listenTo(broker);
    t.teardown(() => house.close());
    const file = writeConfig(folder, { url: broker.url, cameras: ['front'], pictures });
    const text = readFileSync(file, 'utf8');
    const rename = (node: string) =>
      writeFileSync(file, text.replace('node: board', `node: ${node}`));
    const online = (node: string) => () => house.last.get(`mobilenetd/${node}/state`) === 'online';
    const left = (node: string) =>
      [...house.last.keys()].filter((topic) => topic.startsWith(`mobilenetd/${node}/`));
    /** Discovery messages there are: topic, whose availability, unique ids. */
    const devices = () =>
      [...house.last].flatMap(([topic, text]) => {
        if (!topic.startsWith('homeassistant/device/') || text === '') return [];
        const { device, availability, components } = JSON.parse(text);
        const ids = Object.values<{ unique_id: string }>(components).map((one) => one.unique_id);
        const { identifiers, name } = device;
        return [{ topic, root: availability[0].topic, identifiers, name, ids: ids.sort() }];
      });
    const announcedAs = (node: string) => () =>
      devices().some(({ root }) => root === `mobilenetd/${node}/state`);

    let daemon = runDaemon(folder, file);
    t.teardown(() => daemon.child.kill('SIGKILL'));
    await house.until('it is announced', announcedAs('board'));
    await house.until('and online', online('board'));
    t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
    t.ok(left('board').length > 5, left('board').join());
    const [first] = devices();
    t.equal(first?.name, 'board');

    rename('gate');
    daemon = runDaemon(folder, file);
    await house.until('the new name', () => online('gate')() && announcedAs('gate')());
    await house.until('renamed while it was off', () => !left('board').some(isRetained));
    t.match(devices(), [{ ...first, root: 'mobilenetd/gate/state', name: 'gate' }]);
    t.equal(devices().length, 1, 'no second device');

    rename('yard');
    daemon.child.kill('SIGHUP');
    await house.until('the next', () => online('yard')() && announcedAs('yard')());
    await house.until('renamed while it ran', () => !left('gate').some(isRetained));
    t.match(devices(), [{ ...first, root: 'mobilenetd/yard/state', name: 'yard' }]);
    t.match(daemon.log(), /took back what the former name said/);
    t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
  },
);

/** Events are not retained, and so are never taken back. */
function isRetained(topic: string): boolean {
  return !topic.endsWith('/events');
}
