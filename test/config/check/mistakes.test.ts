import t from 'tap';
import { isConfigError } from '#mobilenetd/config/check/problem.js';
import { loadConfig } from '#mobilenetd/config/load.js';

function problemsOf(yaml: string) {
  try {
    loadConfig({ files: ['/c'], env: {}, boardModel: null, readFile: () => Buffer.from(yaml) });
  } catch (error) {
    if (isConfigError(error)) return error.problems.map(({ key, message }) => [key, message]);
    throw error;
  }
  return [];
}

const camera = (keys: string) => `cameras: { front: { source: demo, ${keys} } }`;

/** What people write, and what each problem says. */
const MISTAKES: Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, RegExp>>>>>
> = {
  'wrong indentation': {
    'cameras:\n  front:\n  source: demo\n': {
      'cameras.source': /source is a key of what stands in cameras: indent it more, below a name/,
      'cameras.front.source': /missing; expected libcamera/,
    },
    'cameras:\n  front: { source: demo }\n  fps: 3\n  size: [64, 64]\n': {
      'cameras.fps': /indent it more/,
      'cameras.size': /indent it more/,
    },
    'cameras:\nfront:\n  source: demo\n': { front: /unknown key here; indent it below cameras:/ },
    'mqtt:\nurl: mqtt://b\n': { url: /unknown key here; indent it below mqtt:/ },
    'cameras:\n  front:\n    source: demo\n    presence:\n    enter: 0.7\n': {
      'cameras.front.enter': /indent it below cameras\.front\.presence:/,
    },
    'mqtt:\n  url: mqtt://b\n  store: { commit_interval: 1 }\n': {
      'mqtt.store': /store is a section of its own: indent it less/,
    },
  },
  'a word where a section stands': {
    'cameras: { front: demo }': {
      'cameras.front': /found text "demo"; did you mean front: \{ source: demo \}\?/,
    },
    'cameras: { front: "rtsp://192.0.2.1/s" }': {
      'cameras.front': /not shown; did you mean front: \{ url: … \}\?/,
    },
    'mqtt: 192.0.2.5': {
      mqtt: /found text "192\.0\.2\.5"; did you mean mqtt: \{ url: "mqtt:\/\/192\.0\.2\.5" \}\?/,
    },
    'log: debug': { log: /did you mean log: \{ level: debug \}\?/ },
    'cameras: demo': { cameras: /named items, e\.g\. front: \{ source/ },
    'cameras: [{ source: demo }]': { cameras: /named items.*found a list/ },
  },
  'an address without its scheme, or with another': {
    'mqtt: { url: 192.0.2.5 }': {
      'mqtt.url': /found text "192\.0\.2\.5"; did you mean mqtt:\/\/192\.0\.2\.5\?/,
    },
    'mqtt: { url: "broker.local:1883" }': {
      'mqtt.url': /found text "broker\.local:1883"; did you mean mqtt:\/\/broker\.local:1883\?/,
    },
    'mqtt: { url: "tcp://b:1883" }': { 'mqtt.url': /"tcp:\/\/b:1883"; did you mean mqtt:\/\/\?/ },
    'mqtt: { url: "ssl://me:hunter2@b" }': {
      'mqtt.url': /"ssl:\/\/\*{8}@b"; did you mean mqtts:\/\/\?/,
    },
    'cameras: { a: { source: rtsp, url: "rstp://u:hunter2@192.0.2.1/s" } }': {
      'cameras.a.url': /"rstp:\/\/\*{8}@192\.0\.2\.1\/s"; did you mean rtsp:\/\/\?/,
    },
    'mqtt: { url: "broker:1883" }': { 'mqtt.url': /not shown; write mqtt:\/\/ before a host$/ },
    'mqtt: { url: "mqtt:/b" }': { 'mqtt.url': /not shown; write mqtt:\/\/ before the host$/ },
    'mqtt: { url: "mqtts//me:hunter2@b" }': {
      'mqtt.url': /not shown; write mqtts:\/\/ before the host$/,
    },
    'cameras: { a: { source: rtsp, url: "rtsp;//192.0.2.1/s" } }': {
      'cameras.a.url': /not shown; write rtsp:\/\/ before the host$/,
    },
    'mqtt: { url: "hunter2 hunter2" }': { 'mqtt.url': /found text that is not shown$/ },
    'mqtt: { url: "me:hunter2@b" }': { 'mqtt.url': /found text that is not shown$/ },
  },
  'another name of a source': {
    'cameras: { a: { source: usb } }': {
      'cameras.a.source': /found text "usb"; did you mean v4l2 \(USB cameras are v4l2\)\?/,
    },
    'cameras: { a: { source: RTPS } }': { 'cameras.a.source': /did you mean rtsp\?/ },
    'cameras: { a: { source: folder } }': { 'cameras.a.source': /did you mean files or watch\?/ },
  },
  'a word for another': {
    'log: { level: warning }': { 'log.level': /did you mean warn\?/ },
    'model: { task: Detect }': { 'model.task': /did you mean detect\?/ },
    'mqtt: { protocol: "5" }': { 'mqtt.protocol': /write it without quotes/ },
  },
  'a unit behind a number': {
    'presence: { off_delay: 5s }': { 'presence.off_delay': /found text "5s"; write 5$/ },
    'mqtt: { keepalive: 2 min }': { 'mqtt.keepalive': /write 120$/ },
    'governor: { limit: 75 °C }': { 'governor.limit': /write 75$/ },
    'presence: { enter: 60% }': { 'presence.enter': /write 0\.6$/ },
    'store: { retention: { days: 4 weeks, max_size: 1G } }': {
      'store.retention.days': /write 28$/,
      'store.retention.max_size': /write 1GB$/,
    },
    'presence: { off_delay: soon }': { 'presence.off_delay': /found text "soon"$/ },
  },
  'a text for a list': {
    [camera('size: 640x480')]: { 'cameras.front.size': /write \[640, 480\]$/ },
    [camera('crop: "0, 0, 64, 64"')]: { 'cameras.front.crop': /write \[0, 0, 64, 64\]$/ },
    [camera('labels: person')]: { 'cameras.front.labels': /write \[person\]$/ },
    [camera('schedule: "08:00-18:00"')]: { 'cameras.front.schedule': /write it as a list/ },
  },
  'what YAML makes of it': {
    'cameras:\n\tfront: { source: demo }\n': { '': /a tab stands where spaces are expected/ },
    'cameras:\n  front:\n    source: demo\n   fps: 5\n': { '': /the indentation does not fit/ },
    'cameras:\n  front:\n    source:demo\n': {
      'cameras.front':
        /expected a section; found text that is not shown; write a blank behind "source:"/,
    },
    'cameras: { front: { source: demo }\n': { '': /a \{ or \[ above is not closed/ },
    'node: "demo\n': { '': /something that was opened before/ },
    'mqtt:\n  url: mqtt://a\nmqtt:\n  url: mqtt://b\n': {
      mqtt: /this key stands twice, first in line 1/,
    },
    'cameras:\n  a: { source: demo }\n  b: *none\n': {
      'cameras.b': /no anchor of this name stands before/,
    },
    'homeassistant: { enabled: yes }': { 'homeassistant.enabled': /"yes"; write true/ },
    [camera('enabled: off')]: { 'cameras.front.enabled': /"off"; write false/ },
    [camera('fps: "5"')]: { 'cameras.front.fps': /write it without quotes/ },
    'mqtt: { url: mqtt://b, username: me, password: 12345 }': {
      'mqtt.password': /expected text; found a number; put it in quotes/,
    },
  },
  'numbers as they are written elsewhere': {
    'presence:\n  off_delay: 5,5\n': { 'presence.off_delay': /found text "5,5"; write 5\.5$/ },
    'presence: { enter: "0,6" }': { 'presence.enter': /write 0\.6$/ },
    'governor: { limit: 167F }': { 'governor.limit': /write 75$/ },
    'governor: { limit: 75°C, min_fps: 2 fps }': {
      'governor.limit': /write 75$/,
      'governor.min_fps': /write 2$/,
    },
    [camera('size: [640 480]')]: { 'cameras.front.size': /write \[640, 480\]$/ },
    [camera('size: ["640", "480"]')]: {
      'cameras.front.size.0': /write it without quotes/,
      'cameras.front.size.1': /write it without quotes/,
    },
  },
  'paths of devices, and of another system': {
    'cameras: { a: { source: v4l2, device: 0 } }': {
      'cameras.a.device': /found 0; did you mean \/dev\/video0\?/,
    },
    'cameras: { a: { source: v4l2, device: video2 } }': {
      'cameras.a.device': /did you mean \/dev\/video2\?/,
    },
    'cameras: { a: { source: v4l2, device: C:\\cam } }': { 'cameras.a.device': /of Windows/ },
    'cameras: { a: { source: files, path: C:\\pictures } }': {
      'cameras.a.path': /"C:\\\\pictures"; this is a path of Windows; here they begin with \//,
    },
    'cameras: { a: { source: video, path: "\\\\\\\\nas\\\\film.mp4" } }': {
      'cameras.a.path': /of Windows/,
    },
  },
  'keys of another program, another camera, another place': {
    'mqtt: { host: 192.0.2.5, port: 1883, user: me, pass: hunter2, topic_prefix: x }': {
      'mqtt.host': /did you mean mqtt\.url\? \(host is a part of it\)/,
      'mqtt.port': /did you mean mqtt\.url\?/,
      'mqtt.user': /did you mean mqtt\.username\?/,
      'mqtt.pass': /did you mean mqtt\.password\?/,
      'mqtt.topic_prefix': /did you mean mqtt\.base\?/,
    },
    'cameras: { a: { type: demo } }': {
      'cameras.a.type': /did you mean cameras\.a\.source\?/,
      'cameras.a.source': /missing/,
    },
    [camera('framerate: 5, resolution: [64, 64]')]: {
      'cameras.front.framerate': /did you mean cameras\.front\.fps\?/,
      'cameras.front.resolution': /did you mean cameras\.front\.size\?/,
    },
    [camera('device: /dev/video0')]: { 'cameras.front.device': /source demo has no device/ },
    'cameras: { a: { source: rtsp, url: "rtsp://me:hunter2@h/s", device: /dev/video0 } }': {
      'cameras.a.device': /source rtsp has no device; remove it/,
    },
    'store: { path: /var/lib/x.db }': { 'store.path': /did you mean state_dir/ },
    'threshold: 0.5': { threshold: /did you mean presence\.enter\?/ },
    'camera: { a: { source: demo } }': { camera: /did you mean cameras\?/ },
    'model: { alpha: 0.5 }': { 'model.alpha': /did you mean model\.name\?/ },
  },
  'a value where a section stands': {
    'model: mobilenet_v1_0.25': {
      model:
        /found text "mobilenet_v1_0\.25"; did you mean model: \{ name: mobilenet_v1_0\.25 \}\?/,
    },
    'status: 8080': { status: /did you mean status: \{ listen: 127\.0\.0\.1:8080 \}\?/ },
    [camera('motion: true')]: {
      'cameras.front.motion': /did you mean motion: \{ enabled: true \}\?/,
    },
    [camera('zones: { porch: [[0, 0], [1, 0], [1, 1]] }')]: {
      'cameras.front.zones.porch': /did you mean porch: \{ area: \[…\] \}\?/,
    },
    'notify: { door: { when: { label: person }, to: telegram } }': {
      'notify.door.to': /found text "telegram"; did you mean to: \{ telegram: \{ … \} \}\?/,
    },
    'mqtt: hunter2': { mqtt: /found text that is not shown$/ },
  },
  'where to listen': {
    'status: { listen: localhost }': { 'status.listen': /a port is missing behind it/ },
    'mqtt: { embedded: { listen: 1883 } }': {
      'mqtt.embedded.listen': /write 127\.0\.0\.1:1883, or 0\.0\.0\.0:1883/,
    },
    'mqtt: { embedded: { listen: ":1883" } }': {
      'mqtt.embedded.listen': /write 127\.0\.0\.1:1883/,
    },
    'mqtt: { embedded: { listen: "mqtt://0.0.0.0:1883" } }': {
      'mqtt.embedded.listen': /write 0\.0\.0\.0:1883$/,
    },
  },
};

for (const [kind, cases] of Object.entries(MISTAKES)) {
  t.test(kind, async (t) => {
    for (const [yaml, expected] of Object.entries(cases)) {
      const found = problemsOf(yaml);
      t.same(
        found.map(([key]) => key),
        Object.keys(expected),
        yaml,
      );
      for (const [index, pattern] of Object.values(expected).entries()) {
        t.match(found[index]?.[1], pattern, yaml);
      }
      t.notMatch(found.join(), /hunter2/, yaml);
    }
  });
}

t.test('a camera may be called like a key', async (t) => {
  t.same(problemsOf('cameras: { motion: { source: demo }, size: { source: demo } }'), []);
});
