import t from 'tap';
import { parse } from 'yaml';
import { annotatedYaml } from '#mobilenetd/config/annotate.js';
import { changedKeys } from '#mobilenetd/config/changed.js';
import { redactConfig } from '#mobilenetd/config/check/secrets.js';
import { loadConfig } from '#mobilenetd/config/load.js';

function load(yaml: string, secrets = '') {
  return loadConfig({
    files: ['/c.yaml'],
    env: { HOME: '/home/me' },
    boardModel: null,
    hostname: 'porch',
    modeOf: () => 0o600,
    listFolder: () => [],
    readFile: (file) => Buffer.from(file === '/secrets.yaml' ? secrets : yaml),
  });
}

const FILE = `cameras:
  front: { source: demo, fps: 2, schedule: ["08:00-18:00"], time_zone: Europe/Berlin }
  door: { source: rtsp, url: "rtsp://u:hunter2@192.0.2.1/s", mask: [[[0, 0], [9, 0], [9, 9]]] }
mqtt: { url: "mqtt://192.0.2.1", username: me, password: "hunter2: #'x" }
presence: { labels: { "St. Bernard": { enter: 0.7 } }, groups: { pet: [cat, dog] } }
governor: { limit: 75 }
`;

t.test('what config prints can be read again, once its secrets are there', async (t) => {
  const { config, origins } = load(FILE);
  const written = annotatedYaml(redactConfig(config), origins);
  t.notMatch(written, /hunter2/);
  t.match(written, /^# Secrets are not shown.*\n# {3}cameras_door_url: …\n# {3}mqtt_password: …\n/);
  t.match(written, /url: !secret cameras_door_url # rtsp:\/\/\*{8}@192\.0\.2\.1\/s, \/c\.yaml:3/);
  t.throws(() => load(written), /has no secret "mqtt_password"/);
  const again = load(
    written,
    `cameras_door_url: rtsp://u:hunter2@192.0.2.1/s\nmqtt_password: "hunter2: #'x"\n`,
  );
  t.same(again.config, config);
});

t.test('without secrets it is read as it stands', async (t) => {
  const yaml = 'cameras: { a: { source: demo } }\nlog: { level: debug }\nnode: "12"';
  const { config, origins } = load(yaml);
  t.same(load(annotatedYaml(redactConfig(config), origins)).config, config);
});

t.test('only what differs from the defaults', async (t) => {
  const { config, origins } = load(`${FILE}log: { level: info }\nstore:\n`);
  const changed = changedKeys(redactConfig(config), origins);
  t.same(changed, {
    cameras: {
      front: {
        source: 'demo',
        fps: 2,
        schedule: ['08:00-18:00'],
        time_zone: 'Europe/Berlin',
      },
      door: {
        source: 'rtsp',
        url: 'rtsp://********@192.0.2.1/s',
        mask: [
          [
            [0, 0],
            [9, 0],
            [9, 9],
          ],
        ],
      },
    },
    presence: { labels: { 'St. Bernard': { enter: 0.7 } }, groups: { pet: ['cat', 'dog'] } },
    governor: { limit: 75 },
    mqtt: { url: 'mqtt://192.0.2.1', username: 'me', password: '********' },
  });
  const text = annotatedYaml(changed, origins);
  t.same(Object.keys(parse(text, { logLevel: 'silent' })), Object.keys(changed));
  const again = load(
    text,
    `cameras_door_url: rtsp://u:hunter2@192.0.2.1/s\nmqtt_password: "hunter2: #'x"\n`,
  );
  t.same(again.config, config);
  const bare = load('cameras: { a: { source: demo } }');
  t.same(changedKeys(bare.config, bare.origins), { cameras: { a: { source: 'demo' } } });
});
