import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { connectAsync, type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import {
  configOf,
  type DaemonProcess,
  preparePictures,
  runDaemon,
} from '../integration/daemon-process.js';
import { installRandomModel } from '../integration/demo-process.js';
import { hasOpenssl, makeCertificates } from '../mqtt/certificates.js';
import { type Postgres, postgresPrograms, startPostgres } from './postgres.js';
import {
  prepareCluster,
  type RabbitCluster,
  type RabbitNode,
  rabbitmqAvailable,
} from './rabbitmq.js';

const EXAMPLES = 'examples/fleet';
const BOARDS = 200;
const FIRST = 'porch';
const DAEMONS = [FIRST, 'garden'];
const PASSWORD = 'a word of the boards';
const missing = [
  ...(rabbitmqAvailable ? [] : ['RabbitMQ']),
  ...(postgresPrograms === null ? ['PostgreSQL'] : []),
  ...(hasOpenssl ? [] : ['OpenSSL']),
];
const skip = missing.length === 0 ? false : `${missing.join(' and ')} not installed`;

const example = (name: string) => readFileSync(join(EXAMPLES, name), 'utf8');

/** Exchanges what is only an example's; every one of them must be there. */
function replaced(text: string, exchange: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [from, to] of Object.entries(exchange)) {
    if (!result.includes(from)) throw new Error(`the example does not have ${from}`);
    result = result.replaceAll(from, to);
  }
  return result;
}

/** Between two calls of `rabbitmqctl`, ms: each starts a virtual machine, which the nodes have to wait for. */
const CALL_MS = 2000;

/** Resolves when it holds, however long that takes: the test's own time limit is the only one. */
async function untilTrue(holds: () => Promise<boolean> | boolean, everyMs = 100): Promise<void> {
  while (!(await holds())) await delay(everyMs);
}

/** The example's cluster, with its users, and what they are asked for at the door. */
async function startCluster(t: Test): Promise<{ cluster: RabbitCluster; ca: string }> {
  const { folder: certificates } = makeCertificates('IP:127.0.0.1,DNS:localhost');
  const cluster = await prepareCluster(
    ['node1', 'node2', 'node3'],
    ({ mqtt, amqp }) =>
      replaced(example('rabbitmq/rabbitmq.conf'), {
        'rabbit@node1': 'node1@localhost',
        'rabbit@node2': 'node2@localhost',
        'rabbit@node3': 'node3@localhost',
        '/etc/rabbitmq/certs': certificates,
        // Three nodes on one machine would have one port.
        'listeners.tcp.1 = 127.0.0.1:5672': 'listeners.tcp = none',
        'listeners.ssl.1 = 5671': `listeners.ssl.1 = 127.0.0.1:${amqp}`,
        'mqtt.listeners.ssl.1 = 8883': `mqtt.listeners.ssl.1 = 127.0.0.1:${mqtt}`,
        '2GB': '50MB',
      }),
    example('rabbitmq/enabled_plugins'),
  );
  t.teardown(() => cluster.stop());
  for (const node of cluster.nodes) node.start();
  await cluster.together(3);
  return { cluster, ca: join(certificates, 'ca.crt') };
}

/** Lets everybody in: consumers, daemons as the documentation says, simulated boards all at once. */
async function addUsers(cluster: RabbitCluster): Promise<void> {
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('no node');
  const definitions = `${EXAMPLES}/rabbitmq/definitions.json`;
  await cluster.call(node, 'rabbitmqctl', 'import_definitions', definitions);
  await cluster.call(node, 'rabbitmqctl', '-q', 'delete_user', 'guest');
  execFileSync(`${EXAMPLES}/rabbitmq/add-board`, [FIRST], {
    env: cluster.environment(node),
    input: `${PASSWORD}\n`,
  });
  const exported = join(cluster.folder, 'exported.json');
  await cluster.call(node, 'rabbitmqctl', '-q', 'export_definitions', exported);
  const { permissions, topic_permissions } = JSON.parse(readFileSync(exported, 'utf8'));
  const boards = Array.from({ length: BOARDS }, (_, i) => `board-${`${i + 1}`.padStart(5, '0')}`);
  const names = [...DAEMONS.slice(1), ...boards];
  // What add-board gave to one of them, for all.
  const likeHis = (rules: Record<string, string>[]) =>
    rules
      .filter(({ user }) => user === FIRST)
      .flatMap((rule) =>
        names.map((name) => JSON.parse(JSON.stringify(rule).replaceAll(FIRST, name))),
      );
  const file = join(cluster.folder, 'boards.json');
  const password_hash = hashed(PASSWORD);
  writeFileSync(
    file,
    JSON.stringify({
      users: [
        ...names.map((name) => ({ name, password_hash, tags: [] })),
        { name: 'sink', password_hash: hashed('sink-secret'), tags: [] },
      ],
      permissions: likeHis(permissions),
      topic_permissions: likeHis(topic_permissions),
    }),
  );
  await cluster.call(node, 'rabbitmqctl', 'import_definitions', file);
  await untilTrue(async () => {
    const users = await cluster.call(node, 'rabbitmqctl', '-q', 'list_users');
    return users.split('\n').filter((line) => line.startsWith('board-')).length === BOARDS;
  }, CALL_MS);
}

/** A password as RabbitMQ keeps it: a salt, and SHA-256 of both. */
function hashed(password: string): string {
  const salt = randomBytes(4);
  const hash = createHash('sha256').update(salt).update(password).digest();
  return Buffer.concat([salt, hash]).toString('base64');
}

/** The example's sink; its log is kept. */
function startSink(t: Test, brokers: readonly string[], ca: string, database: Postgres) {
  const child = spawn(process.execPath, [`${EXAMPLES}/sink.mjs`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      SINK_BROKERS: brokers.map((at) => `amqps://sink:sink-secret@${at}`).join(','),
      SINK_CA: ca,
      ...database.environment,
    },
  });
  t.teardown(() => child.kill('SIGKILL'));
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      log += chunk;
    });
  }
  return { log: () => log };
}

/** The simulated boards: they publish until they are told to end, then say how much it was. */
function startBoards(t: Test, urls: readonly string[], ca: string) {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      ...['scripts/fleet-simulator.mjs', '--outbox', '--nodes', `${BOARDS}`, '--rate', '0.5'],
      ...['--broker', urls.join(','), '--ca', ca, '--password', PASSWORD],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  if (child.stdout === null) throw new Error('no output');
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  const exited = once(child, 'exit');
  return {
    connected: () =>
      untilTrue(() => {
        if (child.exitCode !== null) throw new Error(`the simulated boards ended`);
        return lines.includes('connected');
      }),
    async end(): Promise<{ readonly sent: number; readonly failures: number }> {
      child.stdin?.end();
      const [code] = await exited;
      if (code !== 0) throw new Error(`the simulated boards ended with ${code}`);
      return JSON.parse(lines.at(-1) ?? 'null');
    },
  };
}

/** A real daemon with a state folder of its own, and the brokers it was connected to. */
async function startDaemon(t: Test, name: string, urls: readonly string[], ca: string) {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  await installRandomModel(folder);
  const pictures = await preparePictures(folder);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
  const file = join(folder, 'config.yaml');
  writeFileSync(
    file,
    configOf({
      cameras: ['front'],
      pictures,
      fps: 2,
      mqtt: {
        url: urls,
        username: name,
        password_file: passwordFile,
        tls: { ca_file: ca },
      },
      more: { homeassistant: { device_id: name }, log: { format: 'json' } },
    }),
  );
  const daemon: DaemonProcess = runDaemon(folder, file, { MOBILENETD_NODE: name });
  t.teardown(() => daemon.child.kill('SIGKILL'));
  const brokers = (): string[] =>
    daemon
      .log()
      .split('\n')
      .filter((line) => line.includes('connected to the MQTT broker'))
      .map((line) => JSON.parse(line).broker);
  return {
    name,
    daemon,
    brokers,
    stays: () => staysIn(join(folder, 'mobilenetd.db')),
  };
}

/** Every stay in a daemon's database, and what still waits for the broker. */
function staysIn(file: string): { ids: { uid: string; ended: number }[]; waiting: number } {
  const database = new Database(file, { readonly: true });
  const ids = database.prepare('SELECT uid, "end" IS NOT NULL AS ended FROM event').all();
  const waiting = database
    .prepare("SELECT count(*) FROM outbox WHERE topic LIKE '%/events'")
    .pluck();
  const found = { ids: ids as { uid: string; ended: number }[], waiting: Number(waiting.get()) };
  database.close();
  return found;
}

/** A board's own client, as a stranger would use its password. */
function clientOf(board: string, at: string, ca: string): Promise<MqttClient> {
  return connectAsync(`mqtts://${at}`, {
    ca: readFileSync(ca),
    username: board,
    password: PASSWORD,
    clientId: `mobilenetd-${board}`,
    reconnectPeriod: 0,
  });
}

/** The same, as soon as the nodes have agreed on who keeps the client ids. */
async function letIn(board: string, at: string, ca: string): Promise<MqttClient> {
  for (;;) {
    const client = await clientOf(board, at, ca).catch(() => null);
    if (client !== null) return client;
    await delay(200);
  }
}

t.test('three nodes, of which one and then another dies', { skip, timeout: 900_000 }, async (t) => {
  const database = await startPostgres();
  t.teardown(() => database.stop());
  await database.query(example('events.sql'));
  const count = async (where: string) =>
    Number(await database.query(`SELECT count(*) FROM event WHERE ${where}`));
  const { cluster, ca } = await startCluster(t);
  await addUsers(cluster);
  let [alive] = cluster.nodes;
  if (alive === undefined) throw new Error('no node');
  const messagesIn = async (queue: string) => {
    if (alive === undefined) throw new Error('no node is alive');
    const list = await cluster.call(alive, 'rabbitmqctl', '-q', 'list_queues', 'name', 'messages');
    return Number(new RegExp(`^${queue}\\t(\\d+)$`, 'm').exec(list)?.[1] ?? Number.NaN);
  };

  const amqp = cluster.nodes.map((node) => node.amqp);
  const sinks = [amqp, [...amqp].reverse()].map((brokers) => startSink(t, brokers, ca, database));
  await untilTrue(() => sinks.every(({ log }) => log().includes('working for')));

  // What is delivered again is there once; what is no event goes aside.
  const porch = await letIn('porch', alive.mqtt, ca);
  const event = { id: 'again', type: 'end', score: 0.5, start: '2026-06-01T12:00:00.000Z' };
  const topic = 'mobilenetd/porch/front/events';
  for (const text of [event, event, { id: 'bad', type: 'end' }, 'no JSON', event]) {
    const payload = typeof text === 'string' ? text : JSON.stringify(text);
    await porch.publishAsync(topic, payload, { qos: 1 });
  }
  await untilTrue(async () => (await messagesIn('event-rejected')) === 2, CALL_MS);
  t.equal(await count("id = 'again' AND node = 'porch'"), 1);
  t.equal(await count('true'), 1);
  // A board writes below its own name only.
  const closed = new Promise<void>((resolve) => porch.once('close', () => resolve()));
  porch.publish('mobilenetd/garden/front/events', JSON.stringify({ ...event, id: 'forged' }));
  await closed;
  await t.rejects(clientOf('nobody', alive.mqtt, ca));

  const urls = cluster.nodes.map(({ mqtt }) => `mqtts://${mqtt}`);
  const daemons = await Promise.all(DAEMONS.map((name) => startDaemon(t, name, urls, ca)));
  const boards = startBoards(t, urls, ca);
  await boards.connected();
  await untilTrue(() => daemons.every(({ brokers }) => brokers().length === 1));
  await untilTrue(async () => (await count("node = 'garden'")) > 0);

  /** Kills the node that the first daemon is on; whoever was there goes elsewhere, and events come through. */
  async function loseOne(): Promise<RabbitNode> {
    const at = daemons[0]?.brokers().at(-1);
    const node = cluster.nodes.find(({ mqtt }) => at === `mqtts://${mqtt}`);
    if (node === undefined) throw new Error(`no node at ${at}`);
    const there = daemons.filter(({ brokers }) => brokers().at(-1) === at);
    const began = performance.now();
    await node.kill();
    await Promise.all(
      there.map(async ({ name, brokers }) => {
        await untilTrue(() => brokers().at(-1) !== at);
        const took = Math.round(performance.now() - began);
        t.comment(`${name} was on ${node.name}, and elsewhere ${took} ms after its death`);
      }),
    );
    const before = await count('true');
    await untilTrue(async () => (await count('true')) > before + BOARDS);
    return node;
  }

  const dead = await loseOne();
  dead.start();
  await cluster.together(3);
  const other = await loseOne();
  t.not(other.name, dead.name, 'another one');
  alive = dead;

  const { sent, failures } = await boards.end();
  t.comment(`${sent} events of ${BOARDS} boards; ${failures} times a message was not acknowledged`);
  t.ok(failures > 0, 'some were under way when a node died');
  for (const { daemon } of daemons) t.equal((await daemon.end('SIGTERM')).code, 0);
  await untilTrue(async () => (await messagesIn('event')) === 0, CALL_MS);
  t.equal(await count("node LIKE 'board-%'"), sent, 'every event of every board');
  const perBoard = await database.query(
    `SELECT count(*) FROM (SELECT node FROM event WHERE node LIKE 'board-%' GROUP BY node
     HAVING count(*) = 1 + max(split_part(id, '-', 3)::int)) AS complete`,
  );
  t.equal(Number(perBoard), BOARDS, 'none of a board is missing in between');
  for (const { name, stays } of daemons) {
    const { ids, waiting } = stays();
    t.equal(waiting, 0, `${name}: nothing waits`);
    const stored = new Set(
      (await database.query(`SELECT id, type FROM event WHERE node = '${name}'`)).split('\n'),
    );
    t.comment(`${name}: ${ids.length} stays`);
    t.ok(ids.length > 0);
    const lost = ids.filter(
      ({ uid, ended }) => !stored.has(`${uid}|new`) || (ended === 1 && !stored.has(`${uid}|end`)),
    );
    t.same(lost, [], `${name}: every stay`);
  }
  for (const { name, daemon } of daemons) {
    t.notMatch(daemon.log(), /is held back/, `${name}: nothing was taken for forbidden`);
  }
  t.equal(await messagesIn('event-rejected'), 2, 'nothing else was put aside');
  t.equal(
    await count('true'),
    Number(await database.query('SELECT count(DISTINCT (id, type)) FROM event')),
  );
});
