import { type ChildProcess, spawn } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
import { hashPassword } from '#mobilenetd/mqtt/broker/password.js';
import type { ConnectionOptions } from '#mobilenetd/mqtt/connection/connection.js';
import { type Clock, systemClock } from '#mobilenetd/time.js';
import { PATIENCE_MS } from '../eventually.js';
import { freePort } from '../free-port.js';
import { hasOpenssl, makeCertificates } from './certificates.js';

/** Real time whose timers run so many times as fast, and keep the process alive. */
export function fastClock(factor: number): Clock {
  return { ...systemClock, setTimer: (run, ms) => systemClock.setTimer(run, ms / factor) };
}

/** A broker under test; `stop` and `start` keep its address and, if it can, its retained messages. */
export interface TestBroker {
  /** Where the board connects, and how. */
  readonly url: string;
  readonly client: Pick<ConnectionOptions, 'protocol' | 'username' | 'password' | 'tls'>;
  /** Where everybody else connects, without TLS. */
  readonly house: { readonly url: string; readonly options: IClientOptions };
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Freezes and thaws it, where it is a process. */
  signal(name: NodeJS.Signals): void;
}

export interface BrokerKind {
  readonly name: string;
  readonly available: boolean;
  make(options?: BrokerSetup): Promise<TestBroker>;
}

export interface BrokerSetup {
  /** How the board connects; plain TCP by default. */
  readonly transport?: 'tls' | 'websockets';
  readonly protocol?: 4 | 5;
  readonly user?: { readonly name: string; readonly password: string };
  /** Lines of mosquitto.conf that are not a listener's. */
  readonly global?: readonly string[];
  /** Further lines of mosquitto.conf. */
  readonly conf?: readonly string[];
  readonly maxPacket?: number;
  /** Mosquitto keeps sessions and retained messages over a restart. */
  readonly persistent?: boolean;
}

const MOSQUITTO = ['/usr/sbin', '/usr/local/sbin', ...(process.env.PATH ?? '').split(delimiter)]
  .map((folder) => join(folder, 'mosquitto'))
  .find((file) => existsSync(file));

/** A test that fails must not leave its brokers behind, and none their folders. */
const children = new Set<ChildProcess>();
const folders = new Set<string>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export const mosquitto: BrokerKind = {
  name: 'Mosquitto',
  available: MOSQUITTO !== undefined,
  make: makeMosquitto,
};

export const aedes: BrokerKind = { name: 'the embedded broker', available: true, make: makeAedes };

/** A kind with a setup of its own, which a test may add to. */
function variant(kind: BrokerKind, name: string, own: BrokerSetup, available = true): BrokerKind {
  return {
    name: `${kind.name}, ${name}`,
    available: kind.available && available,
    make: (setup) => kind.make({ ...own, ...setup }),
  };
}

const user = { name: 'a board', password: 'ünï "quoted" $ecret' };

/** What the same tests run against. */
export const KINDS: readonly BrokerKind[] = [
  variant(mosquitto, 'anonymous, MQTT 3.1.1', { protocol: 4 }),
  variant(mosquitto, 'password, MQTT 5', { user, protocol: 5 }),
  variant(mosquitto, 'TLS', { transport: 'tls' }, hasOpenssl),
  variant(mosquitto, 'WebSockets', { transport: 'websockets' }),
  aedes,
  variant(aedes, 'password', { user }),
];

async function makeMosquitto(setup: BrokerSetup = {}): Promise<TestBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-mosquitto-'));
  folders.add(folder);
  const port = await freePort();
  const lines = [
    `persistence ${setup.persistent === true}`,
    `persistence_location ${folder}/`,
    'log_type all',
    'max_queued_messages 0',
    'set_tcp_nodelay true',
    ...(setup.global ?? []),
  ];
  if (setup.user) {
    const file = join(folder, 'passwords');
    writeFileSync(file, mosquittoPassword(setup.user), { mode: 0o600 });
    lines.push(`password_file ${file}`, 'allow_anonymous false');
  } else {
    lines.push('allow_anonymous true');
  }
  if (setup.maxPacket) lines.push(`max_packet_size ${setup.maxPacket}`);
  lines.push(`listener ${port} 127.0.0.1`);
  const board = await boardListener(setup, port);
  const conf = join(folder, 'mosquitto.conf');
  // Started by root it would become another user, who cannot read the password file.
  if (process.getuid?.() === 0) lines.unshift('user root');
  writeFileSync(conf, `${[...lines, ...board.lines, ...(setup.conf ?? [])].join('\n')}\n`);
  const broker = createMosquitto(conf);
  return {
    url: board.url,
    client: { ...clientOf(setup), ...(board.ca && { tls: { ca: board.ca } }) },
    house: { url: `mqtt://127.0.0.1:${port}`, options: loginOf(setup) },
    port,
    ...broker,
  };
}

/** A Mosquitto that runs with a configuration file, whenever it is started. */
function createMosquitto(conf: string): Pick<TestBroker, 'start' | 'stop' | 'signal'> {
  let child: ChildProcess | null = null;
  return {
    async start() {
      child = spawn(MOSQUITTO ?? 'mosquitto', ['-c', conf], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const running = child;
      children.add(running);
      running.once('exit', () => children.delete(running));
      let text = '';
      await new Promise<void>((resolve, reject) => {
        running.stderr?.on('data', (chunk) => {
          text += chunk;
          if (/mosquitto version .* running/.test(text)) resolve();
        });
        running.once('exit', (code) => reject(new Error(`mosquitto ended (${code}): ${text}`)));
      });
      running.stderr?.removeAllListeners('data');
      running.stderr?.resume();
    },
    async stop() {
      const running = child;
      child = null;
      if (running === null) return;
      const exit = once(running, 'exit');
      running.kill('SIGCONT');
      running.kill('SIGTERM');
      await exit;
    },
    signal: (name) => void child?.kill(name),
  };
}

/** Runs a whole mosquitto.conf whose one listener is put on a free port of loopback. */
export async function runMosquitto(
  conf: string,
  folder: string,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const port = await freePort();
  const file = join(folder, 'mosquitto.conf');
  const user = process.getuid?.() === 0 ? 'user root\n' : '';
  const text = conf.replace(/^listener \d+$/m, `listener ${port} 127.0.0.1`);
  writeFileSync(file, `${user}log_dest stderr\n${text}`);
  const { start, stop } = createMosquitto(file);
  await start();
  return { port, stop };
}

/** The listener that the board uses: that of everybody, or one of its own. */
async function boardListener(
  { transport }: BrokerSetup,
  plain: number,
): Promise<{ url: string; lines: readonly string[]; ca?: string }> {
  if (transport === undefined) return { url: `mqtt://127.0.0.1:${plain}`, lines: [] };
  const port = await freePort();
  const listener = `listener ${port} 127.0.0.1`;
  if (transport === 'websockets') {
    return { url: `ws://127.0.0.1:${port}/mqtt`, lines: [listener, 'protocol websockets'] };
  }
  const { folder, read } = makeCertificates();
  const keys = ['certfile', 'keyfile'].map(
    (key) => `${key} ${folder}/server.${key === 'keyfile' ? 'key' : 'crt'}`,
  );
  return {
    url: `mqtts://127.0.0.1:${port}`,
    lines: [listener, ...keys],
    ca: read('ca.crt').toString(),
  };
}

function clientOf({ user, protocol }: BrokerSetup): TestBroker['client'] {
  return {
    ...(protocol && { protocol }),
    ...(user && { username: user.name, password: user.password }),
  };
}

function loginOf({ user }: BrokerSetup): IClientOptions {
  return user === undefined ? {} : { username: user.name, password: user.password };
}

/** A line of mosquitto's password file: PBKDF2-HMAC-SHA512, 101 rounds. */
export function mosquittoPassword({ name, password }: { name: string; password: string }): string {
  const salt = randomBytes(12);
  const hash = pbkdf2Sync(password, salt, 101, 64, 'sha512');
  return `${name}:$7$101$${salt.toString('base64')}$${hash.toString('base64')}\n`;
}

async function makeAedes(setup: BrokerSetup = {}): Promise<TestBroker> {
  const port = await freePort();
  const users = setup.user && { [setup.user.name]: await hashPassword(setup.user.password) };
  let broker: Awaited<ReturnType<typeof startEmbeddedBroker>> | null = null;
  const url = `mqtt://127.0.0.1:${port}`;
  return {
    url,
    client: clientOf(setup),
    house: { url, options: loginOf(setup) },
    port,
    async start() {
      broker = await startEmbeddedBroker({
        host: '127.0.0.1',
        port,
        ...(users && { users }),
        ...(setup.maxPacket && { maxPacket: setup.maxPacket }),
      });
    },
    async stop() {
      await broker?.close();
      broker = null;
    },
    signal() {},
  };
}

/** A client that remembers what it hears. */
export interface Listener {
  readonly client: MqttClient;
  /** Every message in order, retained ones too. */
  readonly heard: { topic: string; text: string; retain: boolean }[];
  /** The last text of each topic; empty retained messages remove it. */
  readonly last: Map<string, string>;
  /** Resolves when the condition holds, looking after every message; fails after 30 s. */
  until(what: string, condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function listenTo(
  broker: string | TestBroker,
  filter = '#',
  options: IClientOptions = {},
): Promise<Listener> {
  const house = typeof broker === 'string' ? { url: broker, options: {} } : broker.house;
  const client = await connectAsync(house.url, {
    reconnectPeriod: 100,
    ...house.options,
    ...options,
  });
  const heard: Listener['heard'] = [];
  const last = new Map<string, string>();
  const waiting = new Set<() => void>();
  client.on('error', () => {});
  client.on('message', (topic, payload, packet) => {
    const text = payload.toString();
    heard.push({ topic, text, retain: packet.retain });
    if (text === '') last.delete(topic);
    else last.set(topic, text);
    for (const look of [...waiting]) look();
  });
  await client.subscribeAsync(filter, { qos: 1 });
  return {
    client,
    heard,
    last,
    until: (what, condition) => eventually(what, condition, waiting),
    close: () => client.endAsync(true),
  };
}

/** Resolves when the condition holds; looks every 10 ms and whenever `lookers` are called. */
export function eventually(
  what: string,
  condition: () => boolean,
  lookers = new Set<() => void>(),
): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => finish(new Error(`never: ${what}`)), PATIENCE_MS);
    const interval = setInterval(look, 10);
    function finish(error: Error | null): void {
      clearTimeout(deadline);
      clearInterval(interval);
      lookers.delete(look);
      if (error === null) resolve();
      else reject(error);
    }
    function look(): void {
      if (condition()) finish(null);
    }
    lookers.add(look);
    look();
  });
}
