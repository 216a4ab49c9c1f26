import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import mqtt from 'mqtt';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { runInProcess } from '../cli/in-process.js';
import { eventually } from '../eventually.js';
import { home } from '../integration/daemon-home.js';
import { MAIN } from '../integration/daemon-process.js';
import { mosquitto, mosquittoPassword, runMosquitto } from '../mqtt/brokers.js';

const COMMANDS = [{ name: 'setup', summary: '', load: () => import('#mobilenetd/cli/setup.js') }];

const { hasTmux, Terminal } = (await import(
  pathToFileURL(resolve('scripts/recording/terminal.mjs')).href
)) as { hasTmux(): boolean; Terminal: new (options: object) => TerminalLike };

interface TerminalLike {
  type(text: string): void;
  press(key: string): void;
  until(holds: (lines: string[]) => boolean): Promise<string[]>;
  lines(): string[];
  close(): void;
}

const skipTmux = hasTmux() ? false : 'tmux is not installed';
const skipBroker = mosquitto.available ? false : 'mosquitto is not installed';
t.setTimeout(600_000);

/** A board with one camera on its ribbon cable, a model of three labels, and nothing configured. */
async function board(t: Test) {
  const { folder } = await home(t);
  const bin = join(folder, 'bin');
  const etc = join(folder, 'etc');
  const tmp = join(folder, 'tmp');
  for (const each of [bin, etc, tmp]) mkdirSync(each);
  const scripts = {
    'rpicam-hello': 'echo "0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)"',
    'rpicam-vid': `exec '${process.execPath}' '${resolve('test/fixtures/fake-rpicam-vid.mjs')}' "$@"`,
    mobilenetd: `exec '${process.execPath}' '${resolve(MAIN)}' --config '${etc}/config.yaml' "$@"`,
    systemctl: 'exit 1',
  };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: folder,
    TMPDIR: tmp,
    MOBILENETD_STATE: folder,
    MOBILENETD_MODEL_TASK: 'classify',
    MOBILENETD_MODEL_NAME: 'random_v1',
    // One of three labels always has a third.
    MOBILENETD_PRESENCE_ENTER: '0.3',
    MOBILENETD_PRESENCE_STAY: '0.2',
  };
  return { folder, bin, etc, tmp, env, file: join(etc, 'config.yaml') };
}

type Board = Awaited<ReturnType<typeof board>>;

function terminalOf(t: Test, { folder, env }: Board) {
  // A shell writes its history while it ends, into a folder that is about to be removed.
  const quiet = { ...env, HISTFILE: '/dev/null' };
  const terminal = new Terminal({ columns: 110, rows: 200, cwd: folder, env: quiet });
  t.teardown(() => terminal.close());
  return {
    ...{ type: (text: string) => terminal.type(text), press: (key: string) => terminal.press(key) },
    text: () => terminal.lines().join('\n'),
    until: (text: string) => terminal.until((lines) => lines.join('\n').includes(text)),
    /** Waits for a question and answers it; an empty answer takes the default. */
    async answer(question: string, text: string) {
      await terminal.until((lines) => (lines.at(-1) ?? '').includes(question));
      terminal.type(text);
    },
  };
}

/** Runs the program without a terminal. */
async function run({ env }: Board, args: readonly string[]) {
  const child = spawn('mobilenetd', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const [status] = (await once(child, 'close')) as [number];
  const steps = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown> & { step: string });
  return {
    status,
    stdout,
    stderr,
    step: (name: string) => steps.find(({ step }) => step === name),
  };
}

/** A broker that wants a login, and what it is told. */
async function lockedBroker(t: Test, folder: string) {
  const passwords = join(folder, 'passwords');
  writeFileSync(passwords, mosquittoPassword({ name: 'porch', password: 'secret' }));
  const broker = await runMosquitto(
    `listener 1883\nallow_anonymous false\npassword_file ${passwords}\n`,
    folder,
  );
  t.teardown(() => broker.stop());
  const heard: string[] = [];
  const login = { username: 'porch', password: 'secret', reconnectPeriod: 0 };
  const listener = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, login);
  t.teardown(() => listener.endAsync(true));
  listener.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
  await listener.subscribeAsync('#');
  return { url: `mqtt://127.0.0.1:${broker.port}`, heard };
}

/** A web hook, and how often it was asked. */
async function hook(t: Test) {
  let asked = 0;
  const server = createHttpServer((request, answer) => {
    asked += 1;
    request.resume().on('end', () => answer.end('ok'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook?key=abc`, asked: () => asked };
}

t.test(
  'the whole dialogue on a terminal, and a second one that changes one thing',
  { skip: skipTmux || skipBroker },
  async (t) => {
    const here = await board(t);
    const broker = await lockedBroker(t, here.folder);
    const webhook = await hook(t);
    const talk = terminalOf(t, here);
    talk.type('mobilenetd setup; echo "status $?"');
    await talk.answer('Name of this board', 'front porch');
    await talk.answer('Name of this board', 'porch');
    await talk.answer('Camera: a number', 'usb');
    await talk.answer('Camera: a number', '1');
    await talk.answer('Its name', 'front');
    await talk.answer('Labels to watch for', 'lfet, right');
    await talk.until('did you mean left?');
    await talk.answer('Labels to watch for', 'left, middle, right');
    await talk.answer('Broker: a number', broker.url);
    await talk.answer('User name at the broker', 'porch');
    await talk.answer('Its password', 'wrong');
    await talk.answer('Take this broker anyway', 'no');
    await talk.answer('Broker: a number', broker.url);
    await talk.answer('User name at the broker', 'porch');
    await talk.answer('Its password', 'secret');
    await talk.answer('Send a message through it', '');
    await talk.answer('What is the board in', 'sealed');
    await talk.answer('Who is told when', 'webhook');
    await talk.answer('Address, http', webhook.url);
    await talk.answer('Send a drawn event now', 'yes');
    await talk.answer('Who may open the page', 'network');
    await talk.answer('User name for the page', '');
    await talk.answer('Its password, at least', 'long enough');
    await talk.answer('Write it', '');
    await talk.answer('Look through the camera once', '');
    await talk.until('status 0');
    const shown = talk.text();
    t.match(shown, /imx708: a frame of 640×480/);
    const picture = /picture: (\S+\.jpg)/.exec(shown)?.[1] ?? '';
    t.equal(readFileSync(picture).subarray(0, 2).toString('hex'), 'ffd8', 'the picture is a JPEG');
    t.match(shown, 'A message to mobilenetd/porch/setup came back.');
    t.match(shown, /It saw \d+ (left|middle|right)/);
    for (const secret of ['secret', 'wrong', 'long enough', 'key=abc', 'scrypt$']) {
      t.notMatch(shown, secret, `${secret} is not shown`);
    }
    t.ok(broker.heard.some((line) => line.startsWith('mobilenetd/porch/setup ')));
    // It is there until the broker has its events; of labels only who is connected in time says that they are ON.
    const event = /^mobilenetd\/porch\/front\/events .*"label":"(left|middle|right)"/;
    t.ok(await eventually(() => broker.heard.some((line) => event.test(line))), 'the broker, too');
    t.ok(webhook.asked() >= 1, 'a drawn event, and those of the first look');

    const text = readFileSync(here.file, 'utf8');
    const config = parse(text);
    t.match(config, {
      node: 'porch',
      cameras: { front: { source: 'libcamera', labels: ['left', 'middle', 'right'] } },
      mqtt: { url: broker.url, username: 'porch', password_file: join(here.etc, 'mqtt.password') },
      governor: { limit: 70 },
      notify: { setup: { to: { webhook: { url_file: join(here.etc, 'webhook.url') } } } },
      status: {
        listen: '0.0.0.0:8080',
        users: { admin: { password: /^scrypt\$/, role: 'admin' } },
      },
    });
    for (const [name, secret] of [
      ['mqtt.password', 'secret'],
      ['webhook.url', webhook.url],
    ] as const) {
      t.equal(statSync(join(here.etc, name)).mode & 0o777, 0o600, name);
      t.equal(readFileSync(join(here.etc, name), 'utf8'), `${secret}\n`);
      t.notMatch(text, secret);
    }
    const check = await run(here, ['config', '--check']);
    t.equal(check.stdout, 'ok\n', check.stderr);

    // What a person adds stays.
    const own = text.replace(
      'node: porch',
      '# mine\nnode: porch # of the house\nlog: { level: debug }',
    );
    writeFileSync(here.file, own);
    talk.type('clear; mobilenetd setup; echo "status $?"');
    await talk.answer('Name of this board', '');
    await talk.answer('Camera: a number', '');
    await talk.answer('Labels to watch for', 'left');
    await talk.answer('Broker: a number', '');
    await talk.answer('User name at the broker', '');
    await talk.answer('Its password', '');
    await talk.answer('Send a message through it', 'no');
    await talk.answer('What is the board in', '');
    await talk.answer('Who is told when', '');
    await talk.answer('Who may open the page', '');
    await talk.answer('User name for the page', '');
    await talk.answer('Its password', '');
    await talk.answer('Write it', '');
    await talk.answer('Look through the camera once', 'no');
    await talk.until('status 0');
    t.equal(readFileSync(`${here.file}.bak`, 'utf8'), own, 'what was there is kept');
    const lines = (file: string) => readFileSync(file, 'utf8').split('\n');
    const before = own.split('\n');
    const changed = lines(here.file).filter((line) => !before.includes(line));
    t.same(changed, ['    labels: [left]'], 'one line has changed');
  },
);

t.test(
  'Ctrl-C leaves nothing: at the first question, at a secret, at the last one',
  { skip: skipTmux },
  async (t) => {
    const here = await board(t);
    const talk = terminalOf(t, here);
    const ways: readonly (readonly (readonly [question: string, answer: string])[])[] = [
      [],
      [
        ['Name of this board', ''],
        ['Camera: a number', 'rtsp://anna@192.0.2.1/x'],
        ['User name of', ''],
      ],
      [
        ...([
          ['Name of this board', ''],
          ['Camera: a number', ''],
          ['Its name', ''],
          ['Labels', ''],
        ] as const),
        ...([
          ['Broker: a number', 'embedded'],
          ['What is the board in', ''],
          ['Who is told', ''],
        ] as const),
        ...([['Who may open the page', '']] as const),
      ],
    ];
    const last = ['Name of this board', 'Its password', 'Write it'];
    for (const [index, answers] of ways.entries()) {
      talk.type('clear; mobilenetd setup; echo "status $?"');
      for (const [question, answer] of answers) await talk.answer(question, answer);
      await talk.until(last[index] ?? '');
      talk.press('C-c');
      await talk.until('status 130');
      t.same(readdirSync(here.etc), [], `no file after ${last[index]}`);
      t.same(readdirSync(here.tmp), [], `no picture after ${last[index]}`);
    }
  },
);

t.test('without a terminal: answers by options, in JSON', async (t) => {
  const here = await board(t);
  const nobody = await run(here, ['setup']);
  t.match(nobody, { status: 64, stderr: /MND_USAGE.*a terminal to ask on.*--yes/ });
  const missing = await run(here, ['setup', '--json']);
  t.match(missing, { status: 64, stderr: /--yes as well/ });
  // These are refused in this process: to start one for each takes longer than all else. Its cameras are here, too.
  const { PATH } = process.env;
  process.env.PATH = here.env.PATH;
  t.teardown(() => {
    process.env.PATH = PATH;
  });
  for (const [option, value] of [
    ['--camera', 'usb'],
    ['--broker', 'http://192.0.2.1'],
    ['--limit', '1000'],
    ['--labels', 'lfet'],
    ['--name', '../x'],
    ['--page', 'world'],
    ['--notify', 'pigeon'],
    ['--broker-user', 'x'],
  ] as const) {
    const args = ['--config', here.file, 'setup', '--yes', '--json', '--broker', 'embedded'];
    const refused = await runInProcess(COMMANDS, [...args, option, value], here.env);
    t.equal(refused.status, 64, `${option} ${value}`);
    t.match(refused.stderr, new RegExp(`MND_USAGE.*${option}`), `${option} ${value}`);
    t.same(readdirSync(here.etc), [], 'nothing is written');
    t.same(readdirSync(here.tmp), [], 'no picture stays');
  }
  const shown = await run(here, [
    'setup',
    '--yes',
    '--json',
    '--broker',
    'embedded',
    '--write',
    'no',
  ]);
  t.match(shown.step('write'), {
    written: false,
    changed: ['node', 'cameras', 'cameras.front.source'],
  });
  t.same(readdirSync(here.etc), []);
  const written = await run(here, [
    'setup',
    '--yes',
    '--json',
    '--broker',
    'embedded',
    '--limit',
    'plastic',
    '--labels',
    'left',
    '--look',
    'no',
  ]);
  t.equal(written.status, 0, written.stderr);
  t.match(written.step('camera'), {
    camera: 'front',
    source: 'libcamera',
    delivers: true,
    picture: /\.jpg$/,
  });
  t.match(parse(readFileSync(here.file, 'utf8')), { governor: { limit: 75 }, mqtt: { url: null } });
  const again = await run(here, ['setup', '--yes', '--json', '--look', 'no']);
  t.match(again.step('write'), { written: false, changed: [] }, 'nothing to be changed');
  writeFileSync(here.file, 'cameras: { front: { source: usb } }\n');
  const broken = await run(here, ['setup', '--yes', '--json']);
  t.equal(broken.status, 78, 'a file with mistakes is mended by hand first');
  t.equal(readFileSync(here.file, 'utf8'), 'cameras: { front: { source: usb } }\n');
});

t.test(
  'a service: it is restarted, shows its first label, and lends its camera afterwards',
  async (t) => {
    const here = await board(t);
    const pidFile = join(here.folder, 'pid');
    // What systemd does, as far as it is looked at here.
    writeFileSync(
      join(here.bin, 'systemctl'),
      `#!/bin/bash
case "$1" in
  cat) echo "ExecStart=/usr/bin/mobilenetd --config ${here.file} run";;
  restart)
    [ -e ${pidFile} ] && kill $(cat ${pidFile}) && while kill -0 $(cat ${pidFile}) 2>/dev/null; do sleep 0.1; done
    ${here.bin}/mobilenetd run >/dev/null 2>>${here.folder}/log </dev/null & echo $! > ${pidFile};;
esac
`,
    );
    t.teardown(() => {
      // It may have ended already.
      if (existsSync(pidFile)) spawnSync('kill', ['-9', readFileSync(pidFile, 'utf8').trim()]);
    });
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    writeFileSync(
      here.file,
      `status: { listen: "127.0.0.1:0" }\nmqtt: { embedded: { listen: "127.0.0.1:${port}" } }\n`,
    );
    const lock = JSON.stringify({ lock: join(here.folder, 'camera.lock') });
    const env = { ...here.env, FAKE_CAMERA: lock };
    const args = ['setup', '--yes', '--json', '--broker', 'embedded', '--labels', 'all'];
    const first = await run({ ...here, env }, args);
    t.equal(first.status, 0, first.stderr);
    t.match(first.step('restart'), {
      runner: 'service',
      restarted: true,
      seen: [/^front: (left|middle|right)/],
    });
    const second = await run({ ...here, env }, [...args, '--name', 'yard', '--restart', 'no']);
    t.equal(second.status, 0, second.stderr);
    const found = (second.step('camera')?.found as Record<string, unknown>[])[0];
    t.match(found, {
      delivers: true,
      found: 'the running daemon has it, as front',
      picture: /\.jpg$/,
    });
    t.match(second.step('restart'), { restarted: false });
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
    const ended = () =>
      spawnSync('kill', ['-0', readFileSync(pidFile, 'utf8').trim()]).status !== 0;
    t.ok(await eventually(ended), 'the daemon ends');
  },
);
