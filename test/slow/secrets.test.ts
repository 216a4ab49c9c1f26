import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.js';
import {
  type DaemonProcess,
  MAIN,
  preparePictures,
  runDaemon,
  writeConfig,
} from '../integration/daemon-process.js';
import { installRandomModel } from '../integration/demo-process.js';
import { lastingFolder } from '../lasting-folder.js';
import { listenTo, mosquitto, type TestBroker } from '../mqtt/brokers.js';

const skip = mosquitto.available ? false : 'Mosquitto is not installed';
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
/** Part of every password: whatever is quoted or escaped around it, this stays as it is. */
const MARK = 'zq7Xk9';

interface Way {
  readonly name: string;
  readonly password: string;
  /** Whether a daemon must start anew to be given another one. */
  readonly isFixed?: true;
  /** Keys and variables that give the daemon this password; files go into `folder`. */
  give(
    password: string,
    folder: string,
    broker: TestBroker,
  ): { readonly mqtt: object; readonly env?: NodeJS.ProcessEnv };
}

function writeSecret(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

const WAYS: readonly Way[] = [
  {
    name: 'the value of the key',
    password: `qu"ote's and \\ back ${MARK} \${HOME} $(id) %41`,
    // `$${` stands for `${`, which would be a variable.
    give: (password, _folder, { url }) => ({
      mqtt: { url, username: 'me', password: password.replaceAll('${', () => '$${') },
    }),
  },
  {
    name: 'the address',
    password: `a@b/c?d#e:f ${MARK} ü&=+`,
    give: (password, _folder, { port }) => ({
      mqtt: { url: `mqtt://me:${encodeURIComponent(password)}@127.0.0.1:${port}` },
    }),
  },
  {
    name: 'a file',
    password: `schlüssel-пароль-${MARK}-秘密-🔑`,
    give: (password, folder, { url }) => ({
      mqtt: {
        url,
        username: 'me',
        password_file: writeSecret(folder, 'password', `${password}\n`),
      },
    }),
  },
  {
    name: 'a variable',
    isFixed: true,
    password: `  two  spaces ${MARK} "and more" `,
    give: (password, _folder, { url }) => ({
      mqtt: { url, username: 'me' },
      env: { MOBILENETD_MQTT_PASSWORD: password },
    }),
  },
  {
    name: 'a systemd credential',
    password: `tab\tand <xml/> {"json":${MARK}}`,
    give(password, folder, { url }) {
      writeSecret(folder, 'mqtt_username', 'me');
      writeSecret(folder, 'mqtt_password', password);
      return { mqtt: { url }, env: { CREDENTIALS_DIRECTORY: folder } };
    },
  },
];

/** A camera that takes connections and never answers, with the password in its address. */
async function silentCamera(t: Test, password: string): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).resume();
  }).listen(0, '127.0.0.1');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `rtsp://me:${encodeURIComponent(password)}@127.0.0.1:${port}/s?token=${MARK}-token`;
  return `  door: { source: rtsp, url: ${JSON.stringify(url)}, stall_timeout: 60 }\n`;
}

/** Arguments of a process and of all its descendants. */
function argumentsOf(pid: number): string {
  const below = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    });
  const own = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  return [own, ...below.map((child) => argumentsOf(Number(child)))].join('\n');
}

/** Names of all regular files below a folder. */
function filesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const found = statSync(path);
    if (found.isDirectory()) return filesIn(path);
    return found.isFile() ? [path] : [];
  });
}

/** Not synchronously: the listeners of the tests beside this one would go deaf. */
function mobilenetd(
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly timeout?: number },
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], options, (_error, stdout, stderr) =>
      resolve({ stdout, stderr }),
    );
  });
}

async function connected(daemon: DaemonProcess): Promise<boolean> {
  return eventually(() => /connected to the MQTT broker/.test(daemon.log()));
}

// They wait more than they work.
t.jobs = 2;

for (const way of WAYS) {
  t.test(`a password from ${way.name} shows up nowhere`, { skip, buffered: true }, async (t) => {
    t.setTimeout(600_000);
    const folder = lastingFolder(t);
    const [state, secrets] = [join(folder, 'state'), join(folder, 'secrets')];
    mkdirSync(state);
    mkdirSync(secrets);
    await installRandomModel(state);
    const pictures = await preparePictures(folder);
    const { password } = way;
    const broker = await mosquitto.make({ user: { name: 'me', password } });
    await broker.start();
    t.teardown(() => broker.stop());
    const house = await listenTo(broker);
    const { mqtt, env = {} } = way.give(password, secrets, broker);
    const door = await silentCamera(t, password);
    const parts = { cameras: ['front'], pictures, mqtt, more: { log: { level: 'trace' } } };
    const write = (changed: object) => {
      const path = writeConfig(folder, { ...parts, ...changed });
      appendFileSync(path, door);
      return path;
    };
    const file = write({});
    const daemon = runDaemon(state, file, env);
    t.teardown(() => daemon.child.kill('SIGKILL'));
    t.ok(await connected(daemon), 'the password is the right one');
    await house.until('info', () => house.last.has('mobilenetd/board/info'));
    await house.until('online', () => house.last.get('mobilenetd/board/state') === 'online');
    await house.client.publishAsync(
      'mobilenetd/board/request/health',
      JSON.stringify({ transaction: 'x', password: 'y' }),
    );
    await house.until('an answer', () => house.last.has('mobilenetd/board/response/health'));

    const outputs = new Map<string, string>();
    const running = () => argumentsOf(daemon.child.pid ?? 0);
    if (hasFfmpeg) t.ok(await eventually(() => /ffmpeg/.test(running())), 'a camera is read');
    outputs.set('process arguments', running());
    const processEnv = { PATH: process.env.PATH, HOME: state, MOBILENETD_STATE: state, ...env };
    // What has nothing to do with the way is looked at once.
    const thorough = way === WAYS[0];
    for (const args of [
      ['config'],
      ['config', '--json'],
      ...(thorough ? [['config', '--check', '--debug'], ['doctor'], ['run', '--debug']] : []),
      ...(thorough ? [['query', '--events', '--json']] : []),
    ]) {
      const [command = '', ...flags] = args;
      const { stdout, stderr } = await mobilenetd([command, '--config', file, ...flags], {
        env: processEnv,
        // A second daemon finds the database in use, or is ended.
        timeout: command === 'run' ? 3000 : 30_000,
      });
      outputs.set(`mobilenetd ${args.join(' ')}`, stdout + stderr);
    }

    // Files with mistakes beside the password, at a reload.
    const sick = JSON.stringify(mqtt);
    const good = readFileSync(file, 'utf8');
    for (const [from, to] of [
      ['mqtt: {', 'mqtt: {"pasword":1,'],
      ['mqtt: ', 'mqtts: '],
      [sick, sick.slice(0, -1)],
      ['"url":"mqtt', '"url":"nonsense'],
      ['node: board', 'node: [board]'],
    ].slice(0, thorough ? undefined : 1)) {
      writeFileSync(file, good.replace(from ?? '', to ?? ''));
      const before = daemon.log().length;
      daemon.child.kill('SIGHUP');
      await eventually(() => /running configuration stays/.test(daemon.log().slice(before)));
      const { stderr } = await mobilenetd(['config', '--config', file], { env: processEnv });
      outputs.set(`errors of ${to}`, stderr);
    }

    // The broker has another password from now on.
    const wrong = way.give(`${password}?`, secrets, broker);
    write({ mqtt: wrong.mqtt });
    let refused = daemon;
    if (way.isFixed === true) {
      t.equal((await daemon.end('SIGTERM')).code, 0, 'it ends');
      refused = runDaemon(state, file, wrong.env ?? {});
      t.teardown(() => refused.child.kill('SIGKILL'));
    } else daemon.child.kill('SIGHUP');
    await eventually(() => /refuses the user name or password/.test(refused.log()));
    await delay(1500);
    t.equal(
      refused.log().match(/refuses the user name or password/g)?.length,
      1,
      'a wrong password is said once',
    );
    t.equal((await refused.end('SIGTERM')).code, 0, 'it ends');
    outputs.set('the log', daemon.log());
    outputs.set('the log with a wrong password', refused.log());

    outputs.set('MQTT', house.heard.map(({ topic, text }) => `${topic} ${text}`).join('\n'));
    for (const path of filesIn(state)) outputs.set(path, readFileSync(path, 'latin1'));
    t.ok(outputs.size > (thorough ? 18 : 10));
    t.match(outputs.get('MQTT'), /"username":"me"/, 'the configuration was published');
    t.match(outputs.get('mobilenetd config'), /\*{8}/, 'and printed, with a mask');
    for (const [where, text] of outputs) {
      t.notOk(text.includes(MARK), `not in ${where}: ${around(text)}`);
    }
    await house.close();
  });
}

/** What stands around the first secret in a text. */
function around(text: string): string {
  const at = text.indexOf(MARK);
  return at < 0 ? 'nothing' : text.slice(Math.max(0, at - 120), at + 60);
}
