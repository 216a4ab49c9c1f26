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
  'where to listen': {
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
