import { createServer, type Socket } from 'node:net';
import { Aedes, type AuthenticateError, type PublishPacket } from 'aedes';
import { codedError, messageOf } from '../../errors.js';
import { type Log, SILENT } from '../../log.js';
import { backgroundClock, type Clock } from '../../time.js';
import { createPacketLimit } from '../connection/packet-limit.js';
import { verifyPassword } from './password.js';
import { createRetainedFile } from './retained-file.js';
import { createRetainedLedger } from './retained-ledger.js';

export interface EmbeddedBrokerOptions {
  /** Address to listen on; anything but loopback needs `users` or `allowAnonymous`. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Password hashes (see password.ts) by user name; a client that names a user needs its password. */
  readonly users?: Readonly<Record<string, string>>;
  /** Lets anybody in who names no user, from beyond this machine too; without users that is everybody. */
  readonly allowAnonymous?: boolean;
  /** Where retained messages outlive a restart; nowhere by default. */
  readonly file?: string;
  /** Topics that are not kept there: those that their owner says again anyway. */
  readonly ephemeral?: (topic: string) => boolean;
  readonly maxClients?: number;
  /** Bytes of the largest packet, default 1 MiB. */
  readonly maxPacket?: number;
  readonly maxRetained?: number;
  /** Bytes of all retained payloads together, default 32 MiB. */
  readonly maxRetainedBytes?: number;
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface EmbeddedBroker {
  /** `mqtt://host:port` for clients on this machine. */
  readonly url: string;
  readonly port: number;
  clients(): number;
  /** Disconnects everybody, writes the retained messages and stops listening. */
  close(): Promise<void>;
}

const MAX_CLIENTS = 100;
const MAX_PACKET = 1024 * 1024;
const MAX_RETAINED = 10_000;
const MAX_RETAINED_BYTES = 32 * 1024 * 1024;
const SAVE_MS = 60_000;
/** CONNACK codes of MQTT 3.1.1 (3.2.2.3). */
const UNAVAILABLE = 3;
const BAD_CREDENTIALS = 4;

/**
 * A small MQTT 3.1.1 broker in this process, for the demo and for homes without one. Everything in it
 * is bounded: clients, packets, retained messages, and sessions end with their connection.
 *
 * Throws MND_MQTT_LISTEN when the address is taken or may not be used, or when it would be open to
 * the network without users.
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  checkExposure(options);
  const log = options.log ?? SILENT;
  const clock = options.clock ?? backgroundClock;
  const file = options.file === undefined ? null : createRetainedFile(options.file, log);
  const ledger = createRetainedLedger({
    maxTopics: options.maxRetained ?? MAX_RETAINED,
    maxBytes: options.maxRetainedBytes ?? MAX_RETAINED_BYTES,
    lasting: (topic) => file !== null && options.ephemeral?.(topic) !== true,
    onFull: (topic) =>
      log.warn({ topic }, 'no room for more retained messages: further ones are not kept'),
  });
  let saving: (() => void) | null = null;
  let verifying: Promise<unknown> = Promise.resolve();

  const broker = await Aedes.createBroker({
    // Room for a client that publishes a burst right after CONNECT.
    queueLimit: 256,
    drainTimeout: 10_000,
    maxTopicLevels: 32,
    preConnect(_client, packet, done) {
      // A session that outlived its connection would queue messages without a bound.
      packet.clean = true;
      done(null, true);
    },
    authenticate(_client, username, password, done) {
      if (broker.connectedClients >= (options.maxClients ?? MAX_CLIENTS)) {
        return done(refusal('too many clients', UNAVAILABLE), false);
      }
      void authenticate(username, password).then((known) => {
        done(known ? null : refusal('unknown user or wrong password', BAD_CREDENTIALS), known);
      });
    },
    authorizePublish(_client, packet, done) {
      if (packet.topic.startsWith('$')) return done(new Error('reserved topic'));
      // Without room it is still delivered, only not kept.
      if (packet.retain) packet.retain = admitRetained(packet);
      done(null);
    },
  });
  for (const event of ['clientError', 'connectionError'] as const) {
    broker.on(event, (client, error) => log.debug({ client: client.id }, messageOf(error)));
  }
  await restore();

  async function authenticate(
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<boolean> {
    const { users, allowAnonymous = false } = options;
    if (users === undefined || (username === undefined && allowAnonymous)) return true;
    const known = username !== undefined && Object.hasOwn(users, username);
    const hash = known ? (users[username] ?? null) : null;
    // One after the other: whoever tries passwords must not take every core of the board.
    const verified = verifying.then(() => verifyPassword(password ?? Buffer.alloc(0), hash));
    verifying = verified;
    return verified;
  }

  function admitRetained({ topic, payload, qos }: PublishPacket): boolean {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    const message = { topic, payload: bytes, qos: qos === 0 ? 0 : 1 } as const;
    if (!ledger.admit(message)) return false;
    if (file !== null && !options.ephemeral?.(topic)) saving ??= clock.setTimer(save, SAVE_MS);
    return true;
  }

  async function restore(): Promise<void> {
    for (const message of file?.read() ?? []) {
      if (!ledger.admit(message)) continue;
      const packet = { cmd: 'publish', ...message, retain: true, dup: false } as const;
      await new Promise<void>((resolve) => broker.publish(packet, () => resolve()));
    }
  }

  function save(): void {
    saving = null;
    file?.write(ledger.lasting());
  }

  const server = createServer((socket) => admit(socket));
  server.maxConnections = (options.maxClients ?? MAX_CLIENTS) + 16;

  function admit(socket: Socket): void {
    const fits = createPacketLimit(options.maxPacket ?? MAX_PACKET);
    // Emitted whenever the broker reads; the broker's own listener governs the flow.
    socket.on('data', (chunk: Buffer) => {
      if (fits(chunk)) return;
      log.warn({ from: socket.remoteAddress }, 'a client sent a packet that is too large');
      socket.destroy();
    });
    socket.setNoDelay(true);
    broker.handle(socket);
  }

  const port = await listen(server, options).catch(async (error) => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    throw error;
  });

  return {
    url: `mqtt://${hostForClients(options.host)}:${port}`,
    port,
    clients: () => broker.connectedClients,
    async close() {
      if (saving !== null) {
        saving();
        save();
      }
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await stopped;
    },
  };
}

function refusal(message: string, returnCode: number): AuthenticateError {
  return Object.assign(new Error(message), { returnCode });
}

function checkExposure({ host, port, users, allowAnonymous }: EmbeddedBrokerOptions): void {
  if (isLoopback(host) || users !== undefined || allowAnonymous === true) return;
  throw codedError('MND_MQTT_LISTEN', {
    subject: `${host}:${port}`,
    expected: 'users with passwords, or allow_anonymous, for an address beyond this machine',
    found: 'neither',
    next: 'set mqtt.embedded.users (mobilenetd config hash-password), or listen on 127.0.0.1',
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function hostForClients(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function listen(
  server: ReturnType<typeof createServer>,
  { host, port }: EmbeddedBrokerOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        codedError('MND_MQTT_LISTEN', {
          subject: `${host}:${port}`,
          found: taken ? 'another program, perhaps a broker, listens there' : messageOf(error),
          next: taken
            ? `set mqtt.url to mqtt://${hostForClients(host)}:${port} to use that broker, or mqtt.embedded.listen to another port`
            : 'set mqtt.embedded.listen to another address',
          cause: error,
        }),
      );
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      // Out of file descriptors, for instance: clients that are here stay.
      server.on('error', () => {});
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
