import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import { plainStateDir } from '#mobilenetd/config/plain-places.js';
import { readablePlaces } from '#mobilenetd/config/readable-places.js';
import { isCodedError } from '#mobilenetd/errors.js';

const CAMERA = 'cameras: { front: { source: demo } }\n';

/** Configurations whose state folder can be told without reading them. */
const PLAIN = [
  '',
  CAMERA,
  `node: porch\n# state_dir: /elsewhere, and the socket\n${CAMERA}`,
  `state_dir: /var/lib/mobilenetd\n\n# cameras:\n#   front:\n${CAMERA}`,
  `${CAMERA}state_dir:   /srv/state-1.2/x  \nlog: { level: warn }\n`,
  `state_dir: /srv/a\r\n${CAMERA.replace('\n', '\r\n')}`,
  'camras: {}\n',
  'name: "not closed\n',
  `node: "Größe 10 °C"\n${CAMERA}`,
];

/** Others, which must be read, or are told right all the same. */
const OTHERS = [
  'state_dir: ./state\n',
  'state_dir: ~/state\n',
  'state_dir: "/srv/quoted"\n',
  'state_dir: /srv/a # why\n',
  'state_dir: /srv/a\n  and more\n',
  'state_dir: /srv/a\n\n  and more\n',
  'state_dir: /srv/a\nstate_dir: /srv/b\n',
  '"state_dir": /srv/a\n',
  '"\\x73tate_dir": /srv/a\n',
  '? state_dir\n: /srv/a\n',
  '{"state_dir": "/srv/a"}',
  '{ node: a,\nstate_dir: /srv/a\n}\n',
  'x-all: &all\n  state_dir: /srv/a\n<<: *all\n',
  'x-key: &key state_dir\n*key : /srv/a\n',
  'control: { socket: /run/own.sock }\n',
  'control:\n  "s\\x6fcket": /run/own.sock\n',
  'state_dir: ${STATE}\n',
  'mqtt: { password: !secret mqtt }\n',
  '\ufeffstate_dir: ./a\n',
];

/** Where the whole way of reading finds the state folder and the socket; null: the file cannot be read. */
function wholly(options: Parameters<typeof loadConfig>[0]) {
  try {
    const { state_dir: stateDir, control } = loadConfig(options).config;
    return { stateDir, socket: control.socket };
  } catch (error) {
    if (!isCodedError(error)) throw error;
    return error.code === 'MND_CONFIG_UNREADABLE' ? null : readablePlaces(options);
  }
}

t.test('what is told without reading is what reading says', (t) => {
  const folder = t.testdir({});
  const file = join(folder, 'config.yaml');
  const environments = [
    { HOME: folder },
    { HOME: folder, STATE_DIRECTORY: '/var/x' },
    { HOME: folder, MOBILENETD_STATE: '/srv/env' },
    { HOME: folder, MOBILENETD_STATE: './env' },
    { HOME: folder, MOBILENETD_STATE_DIR: '/srv/env' },
    { HOME: folder, MOBILENETD_CONTROL_SOCKET: '/run/env.sock' },
  ];
  for (const text of [...PLAIN, ...OTHERS]) {
    writeFileSync(file, text);
    for (const env of environments) {
      const options = [
        { env, files: [file] },
        { env, systemFile: file },
      ];
      for (const each of options) {
        const told = plainStateDir(each);
        if (told === null) continue;
        t.same(wholly(each), { stateDir: told, socket: null }, JSON.stringify({ text, env }));
      }
    }
  }
  t.end();
});

t.test('most configurations are told, and no others', (t) => {
  const folder = t.testdir({});
  const file = join(folder, 'config.yaml');
  const told = (text: string | Uint8Array) => {
    writeFileSync(file, text);
    return plainStateDir({ env: {}, files: [file] }) !== null;
  };
  for (const text of PLAIN) t.ok(told(text), JSON.stringify(text));
  t.notOk(told(Buffer.from('state_dir: ./a\n', 'utf16le')), 'UTF-16');
  t.notOk(told(`# ${'x'.repeat(200_000)}`), 'a large file');
  t.equal(plainStateDir({ env: {}, files: [join(folder, 'none.yaml')] }), null, 'no such file');
  t.ok(plainStateDir({ env: {}, systemFile: join(folder, 'none/none.yaml') }), 'no system file');
  t.ok(told(CAMERA));
  mkdirSync(join(folder, 'conf.d'));
  t.ok(told(CAMERA));
  writeFileSync(join(folder, 'conf.d', 'more.yaml'), 'state_dir: /srv/more\n');
  t.notOk(told(CAMERA), 'a file beside it may say more');
  t.end();
});

t.test('of several files the last that says it counts', (t) => {
  const folder = t.testdir({
    'a.yaml': 'state_dir: /srv/a\n',
    'b.yaml': 'state_dir: /srv/b\n',
    'c.yaml': 'node: porch\n',
  });
  const files = ['a.yaml', 'b.yaml', 'c.yaml'].map((name) => join(folder, name));
  t.equal(plainStateDir({ env: {}, files }), '/srv/b');
  t.equal(loadConfig({ env: {}, files }).config.state_dir, '/srv/b');
  t.end();
});
