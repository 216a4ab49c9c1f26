import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import mqttPacket from 'mqtt-packet';
import t, { type Test } from 'tap';
import { eventually, listenTo } from '../mqtt/brokers.js';

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

/** A client that does nothing wrong is served. */
async function checkService(t: Test, broker: Broker): Promise<void> {
  const begun = performance.now();
  const house: MqttClient = await connectAsync(broker.url, { reconnectPeriod: 100 });
  let heard = 0;
  house.on('message', () => heard++);
  await house.subscribeAsync('normal', { qos: 1 });
  await house.publishAsync('normal', 'x', { qos: 1 });
  await eventually('a message of its own', () => heard > 0);
  t.comment(`served after ${(performance.now() - begun).toFixed(0)} ms`);
  await house.endAsync(true);
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
  await Promise.all(
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
  await checkService(t, broker);
  checkMemory(t, broker);
  t.match(broker.log(), /QoS 2 messages without PUBREL/);
  await broker.end();
});

t.test('subscriptions without end', async (t) => {
  const broker = await start(t);
  const attackers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => raw(broker.port, `s${i}`)),
  );
  await Promise.all(
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
  await checkService(t, broker);
  checkMemory(t, broker);
  t.match(broker.log(), /a subscription is refused/);
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
  const will = { topic: 'w', payload: Buffer.alloc(MB - 2000, 120), qos: 0, retain: true };
  for (let i = 0; i < 120; i++) idle.push(await raw(broker.port, `w${i}`, will));
  for (let i = 0; i < 120; i++) idle.push(await raw(broker.port, `${i}${'i'.repeat(60_000)}`));
  await checkService(t, broker);
  checkMemory(t, broker);
  t.match(broker.log(), /say nothing gave way/);
  for (const socket of idle) socket.destroy();
  await broker.end();
});

t.test('the daemon comes in when clients have taken all the room', async (t) => {
  const broker = await start(t);
  const clients = await Promise.all(
    Array.from({ length: 100 }, (_, i) => connectAsync(broker.url, { clientId: `c${i}` })),
  );
  await t.rejects(connectAsync(broker.url, { reconnectPeriod: 0 }), { code: 3 });
  const daemon = await connectAsync(broker.url, { clientId: 'mobilenetd-porch' });
  await daemon.endAsync();
  await Promise.all(clients.map((client) => client.endAsync(true)));
  await broker.end();
});
