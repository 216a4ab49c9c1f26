import { readFileSync } from 'node:fs';
import t from 'tap';
import type { ConfigProblem } from '#mobilenetd/config/check/problem.js';
import { isConfigError } from '#mobilenetd/config/check/problem.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { isCodedError } from '#mobilenetd/errors.js';

interface Bad {
  readonly name: string;
  readonly yaml?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Where, key and a part of the message of each problem, in order. */
  readonly problems: readonly (readonly [where: string, key: string, message: RegExp])[];
}

const camera = (keys: string) => `cameras:\n  front: { ${keys} }\n`;

const CATALOGUE: readonly Bad[] = [
  {
    name: 'misspelt key',
    yaml: 'presence:\n  entre: 0.5\n',
    problems: [['c.yaml:2', 'presence.entre', /did you mean presence\.enter\?/]],
  },
  {
    name: 'misspelt section',
    yaml: 'mqqt: { url: null }',
    problems: [['c.yaml:1', 'mqqt', /did you mean mqtt\?/]],
  },
  {
    name: 'key in the wrong section',
    yaml: 'max_age: 5',
    problems: [['c.yaml:1', 'max_age', /did you mean mqtt\.max_age\?/]],
  },
  {
    name: 'key like no other',
    yaml: 'log: { zzzzzzzzz: 1 }',
    problems: [['c.yaml:1', 'log.zzzzzzzzz', /the keys here are level, format/]],
  },
  {
    name: 'misspelt key of a camera',
    yaml: 'cameras:\n  front:\n    source: demo\n    sise: [64, 64]\n',
    problems: [['c.yaml:4', 'cameras.front.sise', /did you mean cameras\.front\.size\?/]],
  },
  {
    name: 'margin that no sensor can tell',
    yaml: 'governor: { margin: 0 }',
    problems: [['c.yaml:1', 'governor.margin', /a number from 0\.5 to 20 °C; found 0/]],
  },
  {
    name: 'watts of a board that draws less when it is busy',
    yaml: 'governor: { energy: { watt_hours: 20, watts: [6.4, 2.1] } }',
    problems: [['c.yaml:1', 'governor.energy.watts', /less idle than full; found \[6\.4, 2\.1\]/]],
  },
  {
    name: 'energy budget on a board of which nothing is known',
    yaml: 'governor: { proc_root: /nowhere, energy: { watt_hours: 20 } }',
    problems: [
      [
        'c.yaml:1',
        'governor.energy.watt_hours',
        /energy\.watts, .* idle and busy, such as \[2\.1, 6\.4\]/,
      ],
    ],
  },
  {
    name: 'energy budgets that are none',
    yaml: 'governor: { energy: { watt_hours: -5, per: week, watts: 6 } }',
    problems: [
      ['c.yaml:1', 'governor.energy.watt_hours', /a number from 0\.1 to 100000 Wh; found -5/],
      ['c.yaml:1', 'governor.energy.per', /day or hour; found/],
      ['c.yaml:1', 'governor.energy.watts', /\[idle, full\]/],
    ],
  },
  {
    name: 'state folder longer than SQLite takes',
    yaml: `state_dir: ${`/${'a'.repeat(199)}`.repeat(3)}`,
    problems: [['c.yaml:1', 'state_dir', /at most 489 bytes, as SQLite takes it; found 600/]],
  },
  {
    name: 'folders with names that no file system takes',
    yaml: `state_dir: /var/${'ä'.repeat(128)}\nmodels_dir: /m/${'x'.repeat(256)}`,
    problems: [
      ['c.yaml:1', 'state_dir', /at most 255 bytes; found one of 256/],
      ['c.yaml:2', 'models_dir', /found one of 256/],
    ],
  },
  {
    name: 'limit without room for its margin',
    yaml: 'governor: { limit: 45, margin: 6 }',
    problems: [['c.yaml:1', 'governor.limit', /at least 40 °C; found 45 − 6/]],
  },
  {
    name: 'threshold under the noise',
    yaml: 'model: { threshold: 0 }',
    problems: [['c.yaml:1', 'model.threshold', /a number from 0\.01 to 1; found 0/]],
  },
  {
    name: 'several faults in lists',
    yaml: camera(
      'source: demo, size: [641, 0], mask: [[[0, 0], [9, -9], [0, 9000]], [[0, 0]]], schedule: ["8-18", "mon 08:00-18:00", "x"]',
    ),
    problems: [
      ['c.yaml:2', 'cameras.front.size.0', /found 641/],
      ['c.yaml:2', 'cameras.front.size.1', /found 0/],
      ['c.yaml:2', 'cameras.front.mask.0.1.1', /found -9/],
      ['c.yaml:2', 'cameras.front.mask.0.2.1', /found 9000/],
      ['c.yaml:2', 'cameras.front.mask.1', /at least 3/],
      ['c.yaml:2', 'cameras.front.schedule.0', /found text "8-18"/],
      ['c.yaml:2', 'cameras.front.schedule.2', /found text "x"/],
    ],
  },
  {
    name: 'misspelt key of a label',
    yaml: 'presence: { labels: { dog: { of_delay: 3 } } }',
    problems: [['c.yaml:1', 'presence.labels.dog.of_delay', /presence\.labels\.dog\.off_delay/]],
  },
  {
    name: 'number in quotes',
    yaml: camera('source: demo, fps: "10"'),
    problems: [
      ['c.yaml:2', 'cameras.front.fps', /from 0\.05 to 120; found text "10"; .*without q/],
    ],
  },
  {
    name: 'yes for true',
    yaml: 'homeassistant: { enabled: yes }',
    problems: [
      ['c.yaml:1', 'homeassistant.enabled', /true or false; found text "yes"; write true/],
    ],
  },
  {
    name: 'number out of range',
    yaml: 'presence: { off_delay: -1 }',
    problems: [['c.yaml:1', 'presence.off_delay', /from 0 to 86400 seconds; found -1/]],
  },
  {
    name: 'not a number',
    yaml: 'presence: { enter: .nan, stay: .inf }',
    problems: [
      ['c.yaml:1', 'presence.enter', /found NaN/],
      ['c.yaml:1', 'presence.stay', /found Infinity/],
    ],
  },
  {
    name: 'unknown choice',
    yaml: 'model: { task: segment }',
    problems: [['c.yaml:1', 'model.task', /expected detect or classify; found text "segment"/]],
  },
  {
    name: 'stay above enter',
    yaml: 'presence:\n  enter: 0.5\n  stay: 0.5\n',
    problems: [['c.yaml:3', 'presence.stay', /less than presence\.enter \(0\.5\)/]],
  },
  {
    name: 'stay of a label above the general enter',
    yaml: 'presence:\n  labels:\n    dog:\n      stay: 0.9\n',
    problems: [['c.yaml:4', 'presence.labels.dog.stay', /less than enter \(0\.6\)/]],
  },
  {
    name: 'camera without a source',
    yaml: 'cameras:\n  front:\n',
    problems: [['c.yaml:2', 'cameras.front.source', /missing; expected libcamera,/]],
  },
  {
    name: 'camera named like a topic',
    yaml: 'cameras: { health: { source: demo } }',
    problems: [['c.yaml:1', 'cameras.health', /the topic "health"/]],
  },
  {
    name: 'camera whose name is no topic',
    yaml: 'cameras: { "front/door": { source: demo }, "": { source: demo } }',
    problems: [
      ['c.yaml:1', 'cameras.front/door', /a name of letters/],
      ['c.yaml:1', 'cameras.', /a name of letters/],
    ],
  },
  {
    name: 'odd size',
    yaml: camera('source: demo, size: [641, 480]'),
    problems: [['c.yaml:2', 'cameras.front.size.0', /an even number of pixels.*found 641/]],
  },
  {
    name: 'size of one number',
    yaml: camera('source: demo, size: [640]'),
    problems: [['c.yaml:2', 'cameras.front.size', /width and height.*found \[640\]/]],
  },
  {
    name: 'negative size',
    yaml: camera('source: demo, size: [640, -2]'),
    problems: [['c.yaml:2', 'cameras.front.size.1', /found -2/]],
  },
  {
    name: 'source without its address',
    yaml: camera('source: rtsp'),
    problems: [['c.yaml:2', 'cameras.front', /source rtsp needs url/]],
  },
  {
    name: 'source with the wrong address',
    yaml: camera('source: rtsp, url: "http://cam/1"'),
    problems: [['c.yaml:2', 'cameras.front.url', /rtsp:\/\/ or rtsps:\/\//]],
  },
  {
    name: 'key that the source has no use for',
    yaml: camera('source: libcamera, path: /x'),
    problems: [['c.yaml:2', 'cameras.front.path', /source libcamera has no path/]],
  },
  {
    name: 'keys of other sources',
    yaml: camera(
      'source: demo, capture: still, hardware: drm, transport: udp, input_format: h264, snapshot_size: [64, 64], time_zone: UTC, controls: { hflip: true, ev: 1 }',
    ),
    problems: [
      ['c.yaml:2', 'cameras.front.capture', /source demo has no capture/],
      ['c.yaml:2', 'cameras.front.controls.hflip', /has no controls/],
      ['c.yaml:2', 'cameras.front.controls.ev', /has no controls/],
      ['c.yaml:2', 'cameras.front.snapshot_size', /has no snapshot_size/],
      ['c.yaml:2', 'cameras.front.hardware', /has no hardware/],
      ['c.yaml:2', 'cameras.front.input_format', /has no input_format/],
      ['c.yaml:2', 'cameras.front.transport', /has no transport/],
      ['c.yaml:2', 'cameras.front.time_zone', /without a schedule/],
    ],
  },
  {
    name: 'schedule and time zone',
    yaml: camera('source: demo, schedule: ["mon 08:00-18:00", "8-18"], time_zone: Mars/Olympus'),
    problems: [
      ['c.yaml:2', 'cameras.front.schedule.1', /mon-fri 08:00-18:00/],
      ['c.yaml:2', 'cameras.front.time_zone', /Europe\/Berlin/],
    ],
  },
  {
    name: 'controls of a camera',
    yaml: camera(
      'source: libcamera, controls: { roi: [0.5, 0, 0.6, 1], mode: "640:480;x", tuning_file: a.json }',
    ),
    problems: [
      ['c.yaml:2', 'cameras.front.controls.mode', /2304:1296/],
      ['c.yaml:2', 'cameras.front.controls.tuning_file', /absolute path/],
      ['c.yaml:2', 'cameras.front.controls.roi', /part of the sensor/],
    ],
  },
  {
    name: 'stay of a camera above its enter',
    yaml: camera('source: demo, presence: { enter: 0.3 }'),
    problems: [['c.yaml:2', 'cameras.front.presence.enter', /stay \(0.4\) must be less/]],
  },
  {
    name: 'crop and mask outside the frame',
    yaml: camera('source: demo, crop: [600, 0, 100, 100], mask: [[[0, 0], [9, 9], [0, 999]]]'),
    problems: [
      ['c.yaml:2', 'cameras.front.crop', /640×480/],
      ['c.yaml:2', 'cameras.front.mask', /640×480/],
    ],
  },
  {
    name: 'polygon of two points',
    yaml: camera('source: demo, mask: [[[0, 0], [9, 9]]]'),
    problems: [['c.yaml:2', 'cameras.front.mask.0', /at least 3/]],
  },
  {
    name: 'labels that are neither all nor a list',
    yaml: camera('source: demo, labels: [dog, 3]'),
    problems: [['c.yaml:2', 'cameras.front.labels.1', /a label; found 3; put it in quotes/]],
  },
  {
    name: 'broker of another scheme',
    yaml: 'mqtt: { url: "http://user:hunter2@broker" }',
    problems: [
      ['c.yaml:1', 'mqtt.url', /mqtt:\/\/, mqtts:\/\/, ws:\/\/, wss:\/\/, mqtt\+srv:\/\//],
    ],
  },
  {
    name: 'passwords that end the host',
    yaml: `cameras:
  a: { source: rtsp, url: "rtsp://admin:2024#hunter2@cam/s" }
  b: { source: rtsp, url: "rtsp://admin:20/hunter2@cam/s" }
  c: { source: mjpeg, url: "http://admin:20?hunter2@cam/s?pwd=hunter2" }
  d: { source: rtsp, url: "rtsp://admin:hunter2#x@cam/s" }
mqtt: { url: "mqtt://me:1#hunter2@b" }
homeassistant: { configuration_url: "http://me:1#hunter2@b" }
`,
    problems: [
      ['c.yaml:2', 'cameras.a.url', /"#" written as %23.*: rtsp:\/\/\*{8}@cam\/s; found .*not sh/],
      ['c.yaml:3', 'cameras.b.url', /"\/" as %2F.*: rtsp:\/\/\*{8}@cam\/s;/],
      ['c.yaml:4', 'cameras.c.url', /"\?" as %3F.*: http:\/\/\*{8}@cam\/s\?pwd=\*{8};/],
      ['c.yaml:5', 'cameras.d.url', /"@" as %40 in user name and password: rtsp/],
      ['c.yaml:6', 'mqtt.url', /%23.*: mqtt:\/\/\*{8}@b;/],
      ['c.yaml:7', 'homeassistant.configuration_url', /%23.*: http:\/\/\*{8}@b;/],
    ],
  },
  {
    name: 'addresses with a fragment or a second @',
    yaml: 'mqtt: { url: "mqtt://b#hunter2" }\ncameras: { a: { source: rtsp, url: "rtsp://u:p@cam/live@1" } }',
    problems: [
      ['c.yaml:1', 'mqtt.url', /%23.* where it is no mark of the address itself; found/],
      ['c.yaml:2', 'cameras.a.url', /in user name, password and path: rtsp:\/\/\*{8}@1;/],
    ],
  },
  {
    name: 'password as a number',
    yaml: 'mqtt: { username: me, password: 12345 }',
    problems: [['c.yaml:1', 'mqtt.password', /expected text; found a number; put it in quotes/]],
  },
  {
    name: 'password without a user',
    yaml: 'mqtt: { url: "mqtt://b", password: x }',
    problems: [['c.yaml:1', 'mqtt.password', /needs mqtt\.username/]],
  },
  {
    name: 'password given three times',
    yaml: 'mqtt: { url: "mqtt://u:p@b", password: x, password_file: /x }',
    problems: [['c.yaml:1', 'mqtt.password_file', /given twice/]],
  },
  {
    name: 'password file that is missing',
    yaml: 'mqtt: { username: me, password_file: /missing }',
    problems: [['c.yaml:1', 'mqtt.password_file', /\/missing: cannot be read \(ENOENT\)/]],
  },
  {
    name: 'half a client certificate, and without TLS',
    yaml: 'mqtt: { url: "mqtt://b", tls: { cert_file: /c } }',
    problems: [
      ['c.yaml:1', 'mqtt.tls.cert_file', /needs mqtt\.tls\.key_file/],
      ['c.yaml:1', 'mqtt.tls.cert_file', /no effect unless/],
    ],
  },
  {
    name: 'embedded broker open to the network',
    yaml: 'mqtt: { embedded: { listen: "0.0.0.0:1883" } }',
    problems: [['c.yaml:1', 'mqtt.embedded.listen', /needs mqtt\.embedded\.users/]],
  },
  {
    name: 'plain password in place of a hash',
    yaml: 'mqtt: { embedded: { listen: "0.0.0.0:1883", users: { porch: hunter2 } } }',
    problems: [['c.yaml:1', 'mqtt.embedded.users.porch', /hash-password.*not shown/]],
  },
  {
    name: 'user name and password from two places, TLS keys without TLS',
    yaml: 'mqtt: { url: "mqtt://b", username: me, username_file: /u, tls: { alpn: [mqtt], server_name: b } }',
    problems: [
      ['c.yaml:1', 'mqtt.username_file', /user name is given twice/],
      ['c.yaml:1', 'mqtt.tls.server_name', /no effect unless/],
      ['c.yaml:1', 'mqtt.tls.alpn', /no effect unless mqtt.url begins with mqtts/],
    ],
  },
  {
    name: 'how to connect',
    yaml: 'mqtt: { protocol: 4, client_id: "a/b", keepalive: 0, max_age: 5, tls: { min_version: 1.2 } }',
    problems: [
      ['c.yaml:1', 'mqtt.protocol', /auto or 3\.1\.1, or 5/],
      ['c.yaml:1', 'mqtt.client_id', /letters, digits/],
      ['c.yaml:1', 'mqtt.keepalive', /from 1 to 65535/],
      ['c.yaml:1', 'mqtt.max_age', /from 60/],
      ['c.yaml:1', 'mqtt.tls.min_version', /TLSv1\.2 or TLSv1\.3/],
    ],
  },
  {
    name: 'listen without a port, and with too great a one',
    yaml: 'status: { listen: localhost }\nmqtt: { embedded: { listen: "127.0.0.1:65536" } }',
    problems: [
      ['c.yaml:1', 'status.listen', /host:port/],
      ['c.yaml:2', 'mqtt.embedded.listen', /host:port/],
    ],
  },
  {
    name: 'a page with a password',
    yaml: 'homeassistant: { configuration_url: "http://me:hunter2@wiki.example/" }',
    problems: [
      [
        'c.yaml:1',
        'homeassistant.configuration_url',
        /http:\/\/ or https:\/\/, without a user name/,
      ],
    ],
  },
  {
    name: 'topics with wildcards',
    yaml: 'node: "a/b"\nmqtt: { base: "home/+" }\nhomeassistant: { prefix: "$SYS" }',
    problems: [
      ['c.yaml:1', 'node', /found text "a\/b"/],
      ['c.yaml:2', 'mqtt.base', /topic levels/],
      ['c.yaml:3', 'homeassistant.prefix', /topic levels/],
    ],
  },
  {
    name: 'retention without a unit, and too small',
    yaml: 'store: { retention: { max_size: 1G, days: 0 } }',
    problems: [
      ['c.yaml:1', 'store.retention.max_size', /500MB, 1GB or 2GiB/],
      ['c.yaml:1', 'store.retention.days', /0\.01/],
    ],
  },
  {
    name: 'section that is a text',
    yaml: 'mqtt: hunter2',
    problems: [['c.yaml:1', 'mqtt', /a section with the keys url, protocol/]],
  },
  {
    name: 'address in place of a key',
    yaml: 'mqtt: { "mqtt://me:hunter2@broker": 1 }',
    problems: [['c.yaml:1', 'mqtt.mqtt://********@broker', /unknown key/]],
  },
  {
    name: 'list at the top',
    yaml: '- a\n- b\n',
    problems: [['c.yaml:1', '', /expected keys with values/]],
  },
  {
    name: 'cameras as a list',
    yaml: 'cameras:\n  - source: demo\n',
    problems: [['c.yaml:1', 'cameras', /named items/]],
  },
  {
    name: 'key that stands twice',
    yaml: 'node: a\nlog:\n  level: info\n  level: debug\nnode: b\n',
    problems: [
      ['c.yaml:4', 'log.level', /twice, first in line 3/],
      ['c.yaml:5', 'node', /twice, first in line 1/],
    ],
  },
  {
    name: 'tab',
    yaml: 'log:\n\tlevel: info\n',
    problems: [['c.yaml:2', '', /a tab/]],
  },
  {
    name: 'unclosed quote',
    yaml: 'mqtt:\n  password: "hunter2\nnode: a\n',
    problems: [['c.yaml:4', '', /opened before .* not closed/]],
  },
  {
    name: 'two documents',
    yaml: 'node: a\n---\nnode: b\n',
    problems: [['c.yaml:2', '', /several documents/]],
  },
  {
    name: 'unknown tag',
    yaml: 'node: !env NODE\nmqtt: !include mqtt.yaml\nlog: !x { level: info }\nnod: 1\n',
    problems: [
      ['c.yaml:1', 'node', /tag is not known; !secret NAME.*\$\{NAME\}/],
      ['c.yaml:2', 'mqtt', /no !include; what stands in conf\.d/],
      ['c.yaml:3', 'log', /tag is not known/],
      ['c.yaml:4', 'nod', /did you mean node/],
    ],
  },
  {
    name: 'alias of nothing',
    yaml: 'node: *name\n',
    problems: [['c.yaml:1', 'node', /no anchor/]],
  },
  {
    name: 'key that is a list',
    yaml: '? [a, b]\n: 1\n',
    problems: [['c.yaml:1', '', /a key of plain text/]],
  },
  {
    name: 'prototype keys',
    yaml: '__proto__: { polluted: 1 }\ncameras: { constructor: { source: demo } }',
    problems: [
      ['c.yaml:1', '__proto__', /reserved/],
      ['c.yaml:2', 'cameras.constructor', /reserved/],
    ],
  },
  {
    name: 'prototype keys in a variable',
    env: { MOBILENETD_PRESENCE_LABELS: '{"__proto__":{"enter":0.9}}' },
    problems: [['MOBILENETD_PRESENCE_LABELS', 'presence.labels.__proto__', /reserved/]],
  },
  {
    name: 'variables of the wrong type',
    env: { MOBILENETD_CAMERAS: '{', MOBILENETD_MODEL_TOP: 'many', MOBILENETD_LOG_LEVEL: 'loud' },
    problems: [
      ['MOBILENETD_CAMERAS', 'cameras', /JSON object/],
      ['MOBILENETD_LOG_LEVEL', 'log.level', /found text "loud"/],
      ['MOBILENETD_MODEL_TOP', 'model.top', /found text "many"/],
    ],
  },
  {
    name: 'flags',
    flags: { 'log.level': 3, 'log.colour': true },
    problems: [
      ['--flag', 'log.colour', /unknown key/],
      ['--flag', 'log.level', /trace, debug/],
    ],
  },
];

function problemsOf({ yaml = '', env = {}, flags = {} }: Partial<Bad>): readonly ConfigProblem[] {
  try {
    loadConfig({
      files: ['c.yaml'],
      env,
      flags,
      cwd: '/',
      readFile: (file) => {
        if (file !== '/c.yaml') throw Object.assign(new Error('no'), { code: 'ENOENT' });
        return Buffer.from(yaml);
      },
    });
  } catch (error) {
    if (isConfigError(error)) {
      t.equal(error.code, 'MND_CONFIG_INVALID');
      t.equal(error.exitCode, 78);
      t.notMatch(error.message, /hunter2/, 'a secret is not told');
      for (const { where, message } of error.problems) {
        t.ok(error.message.includes(where) && error.message.includes(message));
      }
      return error.problems;
    }
    throw error;
  }
  return [];
}

for (const bad of CATALOGUE) {
  t.test(bad.name, async (t) => {
    const problems = problemsOf(bad);
    t.equal(problems.length, bad.problems.length, JSON.stringify(problems));
    for (const [index, [where, key, message]] of bad.problems.entries()) {
      t.match(problems[index], { where, key, message });
    }
  });
}

t.test('the problems of all places are told at once', async (t) => {
  const problems = problemsOf({
    yaml: 'nod: a\ncameras:\n  state: { source: demo, fps: 0 }\n  b: {}\nmqtt: { url: x, base: "#" }\n',
    env: { MOBILENETD_CAMERAS: '[', MOBILENETD_MODEL_TOP: '0' },
    flags: { 'presence.enter': 0.1 },
  });
  t.same(
    problems.map(({ key, where }) => [where, key]),
    [
      // What cannot be read comes before what does not fit.
      ['MOBILENETD_CAMERAS', 'cameras'],
      ['c.yaml:1', 'nod'],
      ['c.yaml:3', 'cameras.state.fps'],
      ['c.yaml:5', 'mqtt.url'],
      ['c.yaml:5', 'mqtt.base'],
      ['MOBILENETD_MODEL_TOP', 'model.top'],
      ['c.yaml:4', 'cameras.b.source'],
      ['c.yaml:3', 'cameras.state'],
      ['default', 'presence.stay'],
    ],
  );
});

t.test('nothing is polluted by prototype keys', async (t) => {
  problemsOf({ yaml: '__proto__: { polluted: 1 }' });
  problemsOf({ env: { MOBILENETD_CAMERAS: '{"__proto__":{"polluted":1}}' } });
  t.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

t.test('alias bombs, deep nesting and huge files of small values end with a problem', async (t) => {
  const levels = 'abcdefghi'.split('').map((name, index) => {
    const below = index === 0 ? '1' : `*${'abcdefghi'[index - 1]}`;
    return `${name}: &${name} [${Array(9).fill(below).join(', ')}]`;
  });
  t.match(problemsOf({ yaml: levels.join('\n') })[0], { message: /at most \d+ (values|aliases)/ });
  t.match(problemsOf({ yaml: 'a: &a [*a]' })[0], { message: /levels|anchor|aliases/ });
  const deep = `node: ${'['.repeat(5000)}${']'.repeat(5000)}`;
  t.ok(problemsOf({ yaml: deep }).length > 0);
  const wide = `mask: [${Array(60_000).fill('1').join(',')}]`;
  t.match(problemsOf({ yaml: wide })[0], { message: /at most 50000 values/ });
});

t.test('mutated files never do worse than a coded error', async (t) => {
  const original = readFileSync('config/default.yaml', 'utf8').replace(/^ *#.*\n/gm, '');
  const random = mulberry32(20_261_123);
  const alphabet = ':{}[]"\'\n\t -#&*!|>%@`,?0aé\0';
  for (let round = 0; round < 250; round++) {
    const text = [...original];
    for (let edit = 0; edit < 1 + random() * 4; edit++) {
      const at = Math.floor(random() * text.length);
      const letter = alphabet[Math.floor(random() * alphabet.length)] ?? '';
      text.splice(at, random() < 0.5 ? 1 : 0, letter);
    }
    try {
      problemsOf({ yaml: text.join('') });
    } catch (error) {
      t.ok(isCodedError(error) && error.code !== 'MND_INTERNAL', String(error));
    }
  }
});

/** Small seeded generator (Tommy Ettinger's mulberry32): 0 to 1. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
