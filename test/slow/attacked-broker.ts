import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import mqttPacket from 'mqtt-packet';
import type { Test } from 'tap';

/** What the process of the broker may take, whatever is done to it. */
const MAX_RSS_BYTES = 250e6;
export const MB = 1024 * 1024;

/** By the clock, and of the broker's processor, ms. */
interface Served {
  readonly ms: number;
  readonly cpuMs: number;
}

export interface Broker {
  readonly port: number;
  readonly url: string;
  readonly child: ChildProcess;
  readonly log: () => string;
  /** The largest resident size since the start, bytes. */
  peak(): number;
  /** Connects a client that does nothing wrong, and says what that took. */
  serve(): Promise<Served>;
  end(): Promise<void>;
}

/** The broker in a process of its own, as the daemon starts it. */
export async function start(t: Test, file?: string): Promise<Broker> {
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
  const url = `mqtt://127.0.0.1:${port}`;
  return {
    port,
    url,
    serve: guest(t, url, child.pid ?? 0),
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

/** A raw client: CONNECT is sent, or what is `first`, and what comes back is thrown away. */
export async function raw(
  port: number,
  clientId: string,
  will?: object,
  first?: readonly Uint8Array[],
): Promise<Socket> {
  const socket = dial(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  if (first !== undefined) {
    for (const bytes of first) socket.write(bytes);
    return socket;
  }
  const options = { clientId, clean: true, keepalive: 0, protocolId: 'MQTT', protocolVersion: 4 };
  socket.write(mqttPacket.generate({ cmd: 'connect', ...options, ...(will && { will }) } as never));
  return socket;
}

/** Writes as long as the other side listens, and no faster than it reads. */
export async function pour(socket: Socket, packets: Iterable<Buffer>): Promise<void> {
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

/** Clients in a process of their own, one for each line it reads: connects, subscribes, hears itself. */
const GUEST = `
  import { readFileSync } from 'node:fs';
  import { createInterface } from 'node:readline';
  import { connectAsync } from 'mqtt';
  const [url, pid] = process.argv.slice(1);
  const processor = () => {
    const fields = readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  };
  for await (const _ of createInterface({ input: process.stdin })) {
    const [began, before] = [performance.now(), processor()];
    const client = await connectAsync(url, { reconnectPeriod: 100 });
    const heard = new Promise((resolve) => client.on('message', resolve));
    await client.subscribeAsync('normal', { qos: 1 });
    await client.publishAsync('normal', 'x', { qos: 1 });
    await heard;
    console.log(JSON.stringify({ ms: performance.now() - began, cpuMs: processor() - before }));
    await client.endAsync(true);
  }`;

/** The process is started for the first client: to start it costs more than all that its clients do. */
function guest(t: Test, url: string, pid: number): () => Promise<Served> {
  let child: ChildProcess | null = null;
  let lines: AsyncIterator<string> | null = null;
  return async () => {
    if (child === null || lines === null) {
      child = spawn(process.execPath, ['--input-type=module', '-e', GUEST, url, `${pid}`], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const started = child;
      t.teardown(() => started.kill('SIGKILL'));
      if (child.stdout === null) throw new Error('no output');
      lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    }
    child.stdin?.write('\n');
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the client has ended');
    return JSON.parse(value) as Served;
  };
}

/** Between two clients, ms. */
const PAUSE_MS = 200;

/** On a busy machine a second of a quiet one's processor takes several. */
const MOST_CPU_MS = 5000;

/**
 * A client that does nothing wrong is served within a second. What passes by the clock is also a matter of what else
 * this machine does, so the broker's own processor time is bounded, and generously; both are told.
 */
export async function checkService(t: Test, broker: Broker): Promise<void> {
  const { ms, cpuMs } = await broker.serve();
  t.comment(`served after ${ms.toFixed(0)} ms, of which the broker worked ${cpuMs}`);
  t.ok(cpuMs < MOST_CPU_MS, `${cpuMs} ms of processor`);
}

/** The same, again and again as long as an attack goes on, and once afterwards. */
export async function checkServiceDuring(
  t: Test,
  broker: Broker,
  attack: Promise<unknown>,
): Promise<void> {
  let over = false;
  const ended = attack.finally(() => {
    over = true;
  });
  do {
    await checkService(t, broker);
    await Promise.race([ended, delay(PAUSE_MS)]);
  } while (!over);
  await ended;
  await checkService(t, broker);
}

export function checkMemory(t: Test, broker: Broker): void {
  const peak = broker.peak();
  t.comment(`largest resident size ${(peak / 1e6).toFixed(0)} MB`);
  t.ok(peak < MAX_RSS_BYTES, `${peak} bytes`);
  const lines = broker.log().split('\n').length;
  t.ok(lines < 40, `${lines} lines of log`);
}

/** Packets of so many attackers, poured at once. */
export async function attack(
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

export function subscribe(messageId: number, topic: string): Buffer {
  return mqttPacket.generate({ cmd: 'subscribe', messageId, subscriptions: [{ topic, qos: 0 }] });
}

export function publish(topic: string, retain = false): Buffer {
  const payload = Buffer.from('x');
  return mqttPacket.generate({ cmd: 'publish', topic, payload, qos: 0, retain, dup: false });
}
