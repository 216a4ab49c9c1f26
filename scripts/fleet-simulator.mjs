#!/usr/bin/env node
/**
 * Simulates a fleet on one broker: N boards, each with a connection, will, client id and topics of its
 * own, publish as the daemon does; one subscriber in a process of its own hears every event. Measures
 * the broker, the subscriber, and the way of an event from one to the other. Needs `npm run build`.
 *
 *   node scripts/fleet-simulator.mjs [--nodes 1000] [--rate 1] [--seconds 60] [--full] [--json]
 *        [--broker mqtt://host:1883[,mqtt://other:1883] [--broker-pid PID] [--ca FILE] [--password WORD]]
 *        [--filter '$share/sink/mobilenetd/+/+/events'] [--outbox]
 *
 * Without --broker a Mosquitto is started on a free port of loopback. --rate is events a second and
 * board; --full also publishes what goes with an event: label state, attributes, top label. With a
 * password each board's user name is its node. --outbox measures nothing: until its standard input ends it
 * publishes, each event again and again until it is acknowledged, as the daemon's outbox does; then it
 * says how many there were.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import mqtt from 'mqtt';
import { createConnection } from '../dist/mqtt/connection/connection.js';
import { eventPayload, presentAttributes } from '../dist/mqtt/publish/payloads.js';
import { createTopics } from '../dist/mqtt/topics.js';
import { systemClock } from '../dist/time.js';

const BASE = 'mobilenetd';
const WARM_UP_S = 5;
/** Connections that are being made at a time. */
const DIALLING = 50;
const TICK_MS = 10;
/** Wait before an event that was not taken is tried again. */
const RETRY_MS = 200;
/** clock ticks a second of /proc/<pid>/stat (sysconf(_SC_CLK_TCK), 100 on Linux). */
const CLOCK_TICKS = 100;

const { values: flags } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    full: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    broker: { type: 'string' },
    'broker-pid': { type: 'string' },
    ca: { type: 'string' },
    password: { type: 'string' },
    outbox: { type: 'boolean', default: false },
    filter: { type: 'string', default: `${BASE}/+/+/events` },
    subscriber: { type: 'string' },
  },
});

/** CPU seconds and resident memory (MB of 10⁶ bytes) of a process; null when it is not on this machine. */
function usageOf(pid) {
  if (pid === null) return null;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return {
    cpuS: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS,
    rssMb: (Number(rss?.[1] ?? 0) * 1024) / 1e6,
  };
}

function percentiles(samples) {
  const sorted = Float64Array.from(samples).sort();
  const at = (share) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
  return { median: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? null };
}

/** The other process: hears everything, and reports when it is asked. */
async function subscribe(url) {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, clientId: 'fleet-subscriber' });
  let latencies = [];
  let count = 0;
  client.on('message', (_topic, payload) => {
    count++;
    latencies.push(Date.now() - Date.parse(JSON.parse(payload.toString()).start));
  });
  await client.subscribeAsync(flags.filter, { qos: 1 });
  process.on('message', async (order) => {
    if (order === 'reset') {
      count = 0;
      latencies = [];
    }
    if (order === 'report') process.send({ count, latencyMs: percentiles(latencies) });
    if (order === 'end') {
      await client.endAsync();
      process.exit(0);
    }
  });
  process.send('ready');
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function startMosquitto() {
  const program = ['/usr/sbin', '/usr/local/sbin', ...(process.env.PATH ?? '').split(delimiter)]
    .map((folder) => join(folder, 'mosquitto'))
    .find((file) => existsSync(file));
  if (program === undefined) throw new Error('Mosquitto is not installed; name one with --broker');
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-fleet-'));
  const port = await freePort();
  const conf = join(folder, 'mosquitto.conf');
  // As examples/fleet/mosquitto.conf has it, without users.
  writeFileSync(
    conf,
    `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 10000\n`,
  );
  const child = spawn(program, ['-c', conf], { stdio: 'ignore' });
  const url = `mqtt://127.0.0.1:${port}`;
  return {
    url,
    pid: child.pid,
    async stop() {
      child.kill();
      await once(child, 'exit');
      rmSync(folder, { recursive: true });
    },
  };
}

function createBoard(url, index) {
  const node = `board-${String(index + 1).padStart(5, '0')}`;
  const topics = createTopics({ base: BASE, node });
  const connection = createConnection({
    url: url.split(','),
    clientId: `mobilenetd-${node}`,
    // With all brokers away there is nothing but timers to stay for.
    clock: systemClock,
    // A cluster may not know 5.
    protocol: flags.outbox ? 'auto' : 5,
    ...(flags.password !== undefined && { username: node, password: flags.password }),
    ...(flags.ca !== undefined && { tls: { ca: readFileSync(flags.ca) } }),
    will: { topic: topics.state, payload: 'offline' },
  });
  return { node, topics, connection, count: 0 };
}

function eventOf(board) {
  return {
    id: `${board.node}-${board.count}`,
    type: board.count % 2 ? 'end' : 'new',
    camera: 'front',
    label: 'person',
    score: 0.87,
    start: Date.now(),
    end: board.count % 2 ? Date.now() : null,
    model: 'ssdlite_mobilenet_v2_coco_300',
    alpha: 1,
    size: 300,
    count: 3,
    box: [120.5, 40, 88.2, 210.9],
  };
}

/** Publishes one event as a board does; resolves when the broker has acknowledged it. */
async function publishEvent(board) {
  const event = eventOf(board);
  board.count++;
  const { connection } = board;
  const paths = board.topics.camera('front');
  const properties = { contentType: 'application/json', messageExpiryInterval: 604_800 };
  const began = performance.now();
  const sent = connection.publish(paths.events, JSON.stringify(eventPayload(event)), {
    qos: 1,
    retain: false,
    properties,
  });
  const retained = (topic, payload, qos) =>
    connection.publish(topic, payload, { qos, retain: true });
  const more = flags.full
    ? [
        retained(paths.presence('person'), event.end === null ? 'ON' : 'OFF', 1),
        retained(paths.attributes('person'), JSON.stringify(presentAttributes(event)), 0),
        retained(paths.label, event.end === null ? 'person' : 'none', 1),
      ]
    : [];
  await sent;
  const acknowledgedMs = performance.now() - began;
  await Promise.all(more);
  return acknowledgedMs;
}

async function connectAll(boards) {
  for (let first = 0; first < boards.length; first += DIALLING) {
    const some = boards.slice(first, first + DIALLING);
    await Promise.all(
      some.map(
        ({ connection, topics }) =>
          new Promise((resolve) => {
            connection.onConnect(() => {
              const options = { qos: 1, retain: true };
              void connection.publish(topics.state, 'online', options).then(resolve, resolve);
            });
            connection.start();
          }),
      ),
    );
  }
}

/** Publishes evenly spread over each second for a time; resolves with what happened. */
async function publishFor(boards, rate, seconds) {
  const acknowledgements = [];
  let sent = 0;
  let lost = 0;
  const underway = new Set();
  const began = performance.now();
  const perSecond = boards.length * rate;
  for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - began) / 1000) {
    while (sent < elapsed * perSecond) {
      const work = publishEvent(boards[sent % boards.length])
        .then(
          (ms) => acknowledgements.push(ms),
          () => lost++,
        )
        .finally(() => underway.delete(work));
      underway.add(work);
      sent++;
    }
    await delay(TICK_MS);
  }
  await Promise.all(underway);
  return { sent, lost, tookS: (performance.now() - began) / 1000, acknowledgements };
}

/** Publishes one event as often as it takes; resolves with how often it was in vain. */
async function publishUntilTaken(board) {
  const text = JSON.stringify(eventPayload(eventOf(board)));
  board.count++;
  const topic = board.topics.camera('front').events;
  for (let failures = 0; ; failures++) {
    try {
      await board.connection.publish(topic, text, { qos: 1, retain: false });
      return failures;
    } catch {
      await delay(RETRY_MS);
    }
  }
}

/** Publishes without a measurement until the standard input ends, and until all is acknowledged. */
async function runOutbox() {
  const [count, rate] = [Number(flags.nodes), Number(flags.rate)];
  const boards = Array.from({ length: count }, (_, index) => createBoard(flags.broker, index));
  await connectAll(boards);
  process.stdout.write('connected\n');
  let ended = false;
  process.stdin.resume().once('end', () => {
    ended = true;
  });
  const underway = new Set();
  let failures = 0;
  let sent = 0;
  for (const began = performance.now(); !ended; await delay(TICK_MS)) {
    const due = ((performance.now() - began) / 1000) * count * rate;
    for (; sent < due; sent++) {
      const work = publishUntilTaken(boards[sent % count])
        .then((more) => {
          failures += more;
        })
        .finally(() => underway.delete(work));
      underway.add(work);
    }
  }
  await Promise.all(underway);
  await Promise.all(boards.map(({ connection }) => connection.close()));
  return { nodes: count, sent, failures };
}

function ask(child, order) {
  const answer = once(child, 'message').then(([message]) => message);
  child.send(order);
  return answer;
}

async function simulate() {
  const [count, rate, seconds] = [flags.nodes, flags.rate, flags.seconds].map(Number);
  if (![count, rate, seconds].every((value) => value > 0))
    throw new Error('numbers over 0, please');
  const own = flags.broker === undefined ? await startMosquitto() : null;
  const url = own?.url ?? flags.broker;
  const pid = own?.pid ?? (flags['broker-pid'] ? Number(flags['broker-pid']) : null);
  // A client that connects at once would find nobody listening yet.
  if (own !== null) await delay(500);
  const idle = usageOf(pid);
  const subscriber = fork(process.argv[1], ['--subscriber', url, '--filter', flags.filter]);
  await once(subscriber, 'message');
  const boards = Array.from({ length: count }, (_, index) => createBoard(url, index));
  const connectBegan = performance.now();
  await connectAll(boards);
  const connectS = (performance.now() - connectBegan) / 1000;

  await publishFor(boards, rate, WARM_UP_S);
  await delay(500);
  subscriber.send('reset');
  const before = {
    broker: usageOf(pid),
    subscriber: usageOf(subscriber.pid),
    own: usageOf('self'),
  };
  const run = await publishFor(boards, rate, seconds);
  const after = { broker: usageOf(pid), subscriber: usageOf(subscriber.pid), own: usageOf('self') };
  await delay(1000);
  const heard = await ask(subscriber, 'report');
  subscriber.send('end');
  await Promise.all(boards.map(({ connection }) => connection.close()));
  await own?.stop();

  const cost = (name) =>
    before[name] === null
      ? null
      : {
          cpuPercent: ((after[name].cpuS - before[name].cpuS) / run.tookS) * 100,
          rssMb: after[name].rssMb,
        };
  return {
    nodes: count,
    eventsPerSecond: run.sent / run.tookS,
    messagesPerEvent: flags.full ? 4 : 1,
    seconds: run.tookS,
    connectS,
    sent: run.sent,
    lost: run.lost,
    heard: heard.count,
    acknowledgedMs: percentiles(run.acknowledgements),
    latencyMs: heard.latencyMs,
    broker: cost('broker') && { ...cost('broker'), rssBeforeMb: idle.rssMb },
    subscriber: cost('subscriber'),
    simulator: cost('own'),
  };
}

function report(result) {
  const round = (value, digits = 1) => (value === null ? '?' : value.toFixed(digits));
  const times = ({ median, p99, max }) =>
    `median ${round(median)} ms, 99 % ${round(p99)} ms, most ${round(max)} ms`;
  const cost = (of) =>
    of === null
      ? 'not on this machine'
      : `${round(of.cpuPercent)} % of a core, ${round(of.rssMb)} MB`;
  return [
    `boards        ${result.nodes}, connected in ${round(result.connectS)} s`,
    `events        ${result.sent} in ${round(result.seconds)} s (${round(result.eventsPerSecond, 0)} a second, ${result.messagesPerEvent} message(s) each)`,
    `heard         ${result.heard}; not acknowledged: ${result.lost}`,
    `acknowledged  ${times(result.acknowledgedMs)}`,
    `delivered     ${times(result.latencyMs)}`,
    `broker        ${cost(result.broker)}`,
    `subscriber    ${cost(result.subscriber)}`,
    `simulator     ${cost(result.simulator)}`,
  ].join('\n');
}

if (flags.subscriber !== undefined) {
  await subscribe(flags.subscriber);
} else if (flags.outbox) {
  if (flags.broker === undefined) throw new Error('--outbox needs --broker');
  process.stdout.write(`${JSON.stringify(await runOutbox())}\n`);
} else {
  const result = await simulate();
  process.stdout.write(`${flags.json ? JSON.stringify(result) : report(result)}\n`);
  // Every event has been heard, or the figures are of a broken run.
  if (result.lost > 0 || result.heard < result.sent) process.exitCode = 1;
}
