import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { parse } from 'yaml';
import { defaultYaml } from '#mobilenetd/config/schema/document.js';

const FILE = 'docs/schema/config.json';
const validate = new Ajv({ strict: true, allowUnionTypes: true, strictTuples: false }).compile(
  JSON.parse(readFileSync(FILE, 'utf8')),
);

function faultsOf(yaml: string): readonly string[] {
  return validate(parse(yaml)) ? [] : (validate.errors ?? []).map((error) => error.instancePath);
}

t.test('the first line of config/default.yaml names it', async (t) => {
  const [line = ''] = defaultYaml().split('\n');
  const named = /^# yaml-language-server: \$schema=(.+)$/.exec(line)?.[1] ?? '';
  t.equal(resolve(dirname('config/default.yaml'), named), resolve(FILE));
});

const GOOD: Readonly<Record<string, string>> = {
  'an empty section': 'mqtt:\ncameras:\n',
  'a camera in part, as overlays have it': 'cameras: { front: { fps: 3 } }',
  'cameras of several kinds': `cameras:
  front: { source: libcamera, size: [640, 480], controls: { roi: [0, 0, 0.5, 0.5], hdr: 'off' } }
  door: { source: rtsp, url: "rtsp://u:p@192.0.2.10/stream", transport: udp, schedule: ["MON-fri 08:00-24:00"] }
  usb: { source: v4l2, device: /dev/video0, mask: [[[0, 0], [9, 9], [0, 9]]], labels: [dog] }
`,
  'null where null has a meaning': 'node: null\nmqtt: { url: null, password: null }',
  'either of two types':
    'model: { threads: 2 }\ngovernor: { limit: 75.5, enabled: false }\nmqtt: { protocol: 5 }',
  'rules by name': 'notify: { night: { to: { command: { run: [/bin/true] } } } }',
  'a list of rules':
    'notify: [{ name: night, cooldown: 5 }, { when: { label: [cat, dog] }, to: { ntfy: { topic: x } } }]',
  'names of the user':
    'presence: { labels: { St. Bernard: { enter: 0.9 } }, groups: { pet: [cat] } }',
};

const BAD: Readonly<Record<string, readonly [yaml: string, where: string]>> = {
  'a misspelt key': ['presence: { entre: 0.5 }', '/presence'],
  'a misspelt section': ['mqqt: {}', ''],
  'a misspelt key of a rule': ['notify: [{ wen: {} }]', '/notify/0'],
  'a misspelt key of a camera': [
    'cameras: { front: { source: demo, sise: [64, 64] } }',
    '/cameras/front',
  ],
  'a number out of range': ['governor: { margin: 0 }', '/governor/margin'],
  'a number in quotes': ['presence: { enter: "0.5" }', '/presence/enter'],
  'an unknown choice': ['model: { task: segment }', '/model/task'],
  'a list too short': ['cameras: { a: { size: [640] } }', '/cameras/a/size'],
  'an odd size': ['cameras: { a: { size: [641, 480] } }', '/cameras/a/size/0'],
  'a name that is no topic': ['cameras: { "a/b": { source: demo } }', '/cameras'],
  'an address of another scheme': ['mqtt: { url: "http://b" }', '/mqtt/url'],
  'a section that is a word': ['cameras: { front: demo }', '/cameras/front'],
};

for (const [name, yaml] of Object.entries(GOOD)) {
  t.test(`accepts ${name}`, async (t) => t.same(faultsOf(yaml), []));
}
for (const [name, [yaml, where]] of Object.entries(BAD)) {
  t.test(`refuses ${name}`, async (t) =>
    t.ok(faultsOf(yaml).includes(where), `${where} in ${faultsOf(yaml)}`),
  );
}

t.test('accepts every file that is shipped', async (t) => {
  for (const file of ['config/default.yaml', 'config/service.yaml']) {
    t.same(faultsOf(readFileSync(file, 'utf8')), [], file);
  }
});
