import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectAsync, type MqttClient } from 'mqtt';
import mqttPacket from 'mqtt-packet';
import t, { type Test } from 'tap';
import { listenTo } from '../mqtt/brokers.js';

/** What the process of the broker may take, whatever is done to it. */
const MAX_RSS_BYTES = 250e6;
const MB = 1024 * 1024;

interface Broker {
  readonly port: number;
  readonly url: string;
  readonly child: ChildProcess;
  readonly log: () => string;
  /** The largest resident size since the start, bytes. */
  peak(): number;
  end(): Promise<void>;
}

/** The broker in a process of its own, as the daemon starts it. */
async function start(t: Test, file?: string): Promise<Broker> {
  const program = `
    import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
    const write = (level) => (_fields, message) => console.error(level + ' ' + message);
    const log = { debug() {}, info: write('info'), warn: write('warn'), error: write('error') };
    const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0, log,
      ephemeral: (topic) => topic.startsWith('mobilenetd/porch/'),
      ownClientId: 'mobilenetd-porch'${file === undefined ? '' : `, file: ${JSON.stringify(file)}`} });
    console.log(broker.port);
    process.once('SIGTERM', () => void broker.close().then(() => process.exit(0)));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let text = '';
  child.stderr?.on('data', (chunk) => {
    text += chunk;
  });
  const [line] = await once(child.stdout ?? child, 'data');
  const port = Number(String(line));
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    child,
    log: () => text,
    peak() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    },
    async end() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** A raw client: CONNECT is sent, and what comes back is thrown away. */
async function raw(port: number, clientId: string, will?: object): Promise<Socket> {
  const socket = dial(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  const options = { clientId, clean: true, keepalive: 0, protocolId: 'MQTT', protocolVersion: 4 };
  socket.write(mqttPacket.generate({ cmd: 'connect', ...options, ...(will && { will }) } as never));
  return socket;
}

/** Writes as long as the other side listens, and no faster than it reads. */
async function pour(socket: Socket, packets: Iterable<Buffer>): Promise<void> {
  let closed = false;
  socket.once('close', () => {
    closed = true;
  });
  for (const packet of packets) {
    if (closed || !socket.writable) return;
    if (socket.write(packet)) continue;
    await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {});
  }
}

/** A client in a process of its own: connects, subscribes, hears itself; says what that took. */
const SERVED = `
  import { readFileSync } from 'node:fs';
  import { connectAsync } from 'mqtt';
  const [url, pid] = process.argv.slice(1);
  const processor = () => {
    const fields = readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  };
  const [began, before] = [performance.now(), processor()];
  const client = await connectAsync(url, { reconnectPeriod: 100 });
  const heard = new Promise((resolve) => client.on('message', resolve));
  await client.subscribeAsync('normal', { qos: 1 });
  await client.publishAsync('normal', 'x', { qos: 1 });
  await heard;
  console.log(JSON.stringify({ ms: performance.now() - began, cpuMs: processor() - before }));
  await client.endAsync(true);`;

/** On a busy machine a second of a quiet one's processor takes several. */
const MOST_CPU_MS = 5000;

/**
 * A client that does nothing wrong is served within a second. What passes by the clock is also a matter of what else
 * this machine does, so the broker's own processor time is bounded, and generously; both are told.
 */
async function checkService(t: Test, broker: Broker): Promise<void> {
  const args = ['--input-type=module', '-e', SERVED, broker.url, `${broker.child.pid}`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { ms, cpuMs } = JSON.parse(stdout);
  t.comment(`served after ${ms.toFixed(0)} ms, of which the broker worked ${cpuMs}`);
  t.ok(cpuMs < MOST_CPU_MS, `${cpuMs} ms of processor`);
}

/** The same, again and again as long as an attack goes on, and once afterwards. */
async function checkServiceDuring(
  t: Test,
  broker: Broker,
  attack: Promise<unknown>,
): Promise<void> {
  let over = false;
  const ended = attack.finally(() => {
    over = true;
  });
  do await checkService(t, broker);
  while (!over);
  await ended;
  await checkService(t, broker);
}

function checkMemory(t: Test, broker: Broker): void {
  const peak = broker.peak();
  t.comment(`largest resident size ${(peak / 1e6).toFixed(0)} MB`);
  t.ok(peak < MAX_RSS_BYTES, `${peak} bytes`);
  const lines = broker.log().split('\n').length;
  t.ok(lines < 40, `${lines} lines of log`);
}

t.test('QoS 2 messages that are never released', async (t) => {
  const broker = await start(t);
  const payload = Buffer.alloc(MB - 200, 120);
  const attackers = await Promise.all(
    Array.from({ length: 12 }, (_, i) => raw(broker.port, `q${i}`)),
  );
  const attack = Promise.all(
    attackers.map((socket) =>
      pour(
        socket,
        (function* () {
          for (let messageId = 1; messageId <= 100; messageId++) {
            yield mqttPacket.generate({
              ...{ cmd: 'publish', topic: 'x', payload, qos: 2, retain: false, dup: false },
              messageId,
            });
          }
        })(),
      ),
    ),
  );
  await checkServiceDuring(t, broker, attack);
  checkMemory(t, broker);
  t.match(broker.log(), /QoS 2 messages without PUBREL/);
  await broker.end();
});

t.test('subscriptions without end', async (t) => {
  const broker = await start(t);
  const attackers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => raw(broker.port, `s${i}`)),
  );
  const attack = Promise.all(
    attackers.map((socket, client) =>
      pour(
        socket,
        (function* () {
          for (let messageId = 1; messageId <= 20_000; messageId++) {
            const topic = `subscription/${client}/${messageId}/+/#`;
            yield mqttPacket.generate({
              cmd: 'subscribe',
              messageId,
              subscriptions: [{ topic, qos: 0 }],
            });
          }
        })(),
      ),
    ),
  );
  await checkServiceDuring(t, broker, attack);
  checkMemory(t, broker);
  t.match(broker.log(), /a client that does not stop to subscribe is disconnected/);
  await broker.end();
});

/** Packets of so many attackers, poured at once. */
async function attack(
  broker: Broker,
  name: string,
  attackers: number,
  packets: (attacker: number) => Generator<Buffer>,
): Promise<void> {
  const sockets = await Promise.all(
    Array.from({ length: attackers }, (_, i) => raw(broker.port, `${name}${i}`)),
  );
  await Promise.all(sockets.map((socket, i) => pour(socket, packets(i))));
  for (const socket of sockets) socket.destroy();
}

function subscribe(messageId: number, topic: string): Buffer {
  return mqttPacket.generate({ cmd: 'subscribe', messageId, subscriptions: [{ topic, qos: 0 }] });
}

function publish(topic: string, retain = false): Buffer {
  const payload = Buffer.from('x');
  return mqttPacket.generate({ cmd: 'publish', topic, payload, qos: 0, retain, dup: false });
}

t.test('the smallest packets, without end', async (t) => {
  const broker = await start(t);
  const pings = Buffer.concat(Array(30_000).fill(mqttPacket.generate({ cmd: 'pingreq' })));
  const going = attack(broker, 'p', 20, function* () {
    for (let i = 0; i < 30; i++) yield pings;
  });
  await checkServiceDuring(t, broker, going);
  checkMemory(t, broker);
  await broker.end();
});

t.test('looks through ten thousand retained messages, hundreds at a time', async (t) => {
  const broker = await start(t);
  await attack(broker, 'k', 1, function* () {
    for (let i = 0; i < 10_000; i++) yield publish(`kept/${i}/state`, true);
  });
  const going = attack(broker, 'l', 20, function* (client) {
    for (let id = 1; id <= 500; id++) yield subscribe(id, `kept/+/none/${client}/${id}`);
  });
  await checkServiceDuring(t, broker, going);
  checkMemory(t, broker);
  await broker.end();
});

t.test('subscriptions that all match, and messages for them', async (t) => {
  const broker = await start(t);
  const going = attack(broker, 'm', 20, function* (client) {
    for (let id = 1; id <= 400; id++) yield subscribe(id, `m/${'+/'.repeat(id % 8)}#`);
    for (let i = 0; i < 2000; i++) yield publish(`m/a/b/c/d/e/f/g/h/${client}`);
  });
  await checkServiceDuring(t, broker, going);
  checkMemory(t, broker);
  await broker.end();
});

t.test('subscriptions that are given back without having been there', async (t) => {
  const broker = await start(t);
  const going = attack(broker, 'u', 10, function* (client) {
    for (let id = 1; id <= 20_000; id++) {
      yield subscribe(id, `u/${client}/${id}`);
      const unsubscriptions = [`never/${id}`];
      yield mqttPacket.generate({ cmd: 'unsubscribe', messageId: id, unsubscriptions });
    }
  });
  await checkServiceDuring(t, broker, going);
  checkMemory(t, broker);
  t.match(broker.log(), /a subscription is refused/);
  await broker.end();
});

t.test('who asks for the same again and again is not refused', async (t) => {
  const broker = await start(t);
  const client = await connectAsync(broker.url, { clientId: 'again' });
  for (let i = 0; i < 2000; i++) {
    const [granted] = await client.subscribeAsync('the/same', { qos: i % 2 === 0 ? 0 : 1 });
    if (granted?.qos === 128) t.fail(`refused at ${i}`);
  }
  await client.endAsync();
  await broker.end();
});

t.test('retained topics with long names, and very many', async (t) => {
  const file = join(t.testdir(), 'retained.json');
  const broker = await start(t, file);
  for (const length of [60_000, 900]) {
    for (let client = 0; client < 20; client++) {
      const socket = await raw(broker.port, `r${length}-${client}`);
      const name = 'n'.repeat(length);
      await pour(
        socket,
        (function* () {
          for (let i = 0; i < 3000; i++) {
            const topic = `${client}-${i}-${name}`;
            const payload = Buffer.alloc(2000, 120);
            yield mqttPacket.generate({
              ...{ cmd: 'publish', topic, payload, qos: 0, retain: true, dup: false },
            });
          }
        })(),
      );
      socket.destroy();
    }
  }
  await checkService(t, broker);
  checkMemory(t, broker);
  const own = await connectAsync(broker.url);
  await own.publishAsync('mobilenetd/porch/state', 'online', { qos: 1, retain: true });
  const later = await listenTo(broker.url, 'mobilenetd/porch/#');
  await later.until('our own topic has room', () => later.last.has('mobilenetd/porch/state'));
  await later.close();
  await own.endAsync();
  await broker.end();
  t.ok(statSync(file).size <= 17 * MB, `a file of ${statSync(file).size} bytes`);

  // A file of an earlier version may be of any size.
  const line = JSON.stringify(['old', 1, Buffer.alloc(20_000, 120).toString('base64')]);
  writeFileSync(file, `${line}\n`.repeat(15_000));
  const again = await start(t, file);
  await checkService(t, again);
  checkMemory(t, again);
  await again.end();
});

t.test('connections that say nothing, wills and ids that are too large', async (t) => {
  const broker = await start(t);
  const idle: Socket[] = [];
  for (let i = 0; i < 300; i++) {
    const socket = dial(broker.port, '127.0.0.1');
    socket.on('error', () => {});
    idle.push(socket);
  }
  await checkService(t, broker);
  // Its length has two bytes.
  const will = { topic: 'w', payload: Buffer.alloc(0xffff, 120), qos: 0, retain: true };
  // As many as leave room for one more: a hundred that are in are the bound.
  for (let i = 0; i < 45; i++) idle.push(await raw(broker.port, `w${i}`, will));
  for (let i = 0; i < 45; i++) idle.push(await raw(broker.port, `${i}${'i'.repeat(60_000)}`));
  await checkService(t, broker);
  checkMemory(t, broker);
  t.match(broker.log(), /say nothing gave way/);
  for (const socket of idle) socket.destroy();
  await broker.end();
});

t.test('the daemon comes in when clients have taken all the room', async (t) => {
  const broker = await start(t);
  const clients: MqttClient[] = [];
  for (let i = 0; i < 100; i++) {
    clients.push(await connectAsync(broker.url, { clientId: `c${i}` }));
  }
  await t.rejects(connectAsync(broker.url, { reconnectPeriod: 0 }), { code: 3 });
  const daemon = await connectAsync(broker.url, { clientId: 'mobilenetd-porch' });
  await daemon.endAsync();
  await Promise.all(clients.map((client) => client.endAsync(true)));
  await broker.end();
});
