import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { codedError, isCodedError, messageOf } from '../errors.js';
import { systemClock } from '../time.js';
import { isListening } from './client.js';
import { type ControlAnswer, type ControlRequest, MAX_REQUEST, parseRequest } from './protocol.js';
import { nameOfSocket, type SocketName } from './socket.js';

export interface ControlServerOptions {
  readonly path: string;
  /** Answers a request; what it throws becomes the answer. */
  readonly handle: (request: ControlRequest) => Promise<object>;
  /** Milliseconds a client has to send its request. */
  readonly patience?: number;
}

export interface ControlServer {
  close(): Promise<void>;
}

const MAX_CLIENTS = 8;
const PATIENCE_MS = 5000;
/** rw-rw----: owner and group. */
const UMASK = 0o117;

/**
 * Listens on the control socket. One that a killed daemon left behind is replaced.
 *
 * @throws MND_CONTROL_LISTEN when another daemon listens there or the place cannot be used
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { path } = options;
  if (await isListening(path)) throw cannotListen(path, 'another daemon listens there');
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    serve(socket, options);
  });
  server.maxConnections = MAX_CLIENTS;
  const name = shortName(path);
  await listen(server, path, name);
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
      // Closing removes the socket by the name it was given.
      name.release();
    },
  };
}

function shortName(path: string): SocketName {
  try {
    return nameOfSocket(path);
  } catch (error) {
    throw cannotListen(path, messageOf(error));
  }
}

/** The permissions are those of the moment of binding, so that there is none of too many rights. */
function listen(server: Server, path: string, { name, release }: SocketName): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      release();
      reject(cannotListen(path, messageOf(error)));
    });
    const before = process.umask(UMASK);
    try {
      server.listen(name, () => {
        server.removeAllListeners('error');
        server.on('error', () => {});
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

function serve(socket: Socket, options: ControlServerOptions): void {
  let text = '';
  let asked = false;
  const cancel = systemClock.setTimer(() => socket.destroy(), options.patience ?? PATIENCE_MS);
  socket.once('close', cancel);
  socket.on('error', () => socket.destroy());
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    if (asked) return;
    text += chunk;
    const end = text.indexOf('\n');
    if (end < 0 && text.length <= MAX_REQUEST) return;
    asked = true;
    cancel();
    void answer(end < 0 ? '' : text.slice(0, end), options).then((reply) =>
      socket.end(`${JSON.stringify(reply)}\n`),
    );
  });
  socket.once('end', () => {
    if (!asked) socket.destroy();
  });
}

async function answer(line: string, options: ControlServerOptions): Promise<ControlAnswer> {
  const request = line.length > MAX_REQUEST ? null : parseRequest(line);
  if (request === null) return refusal(codedError('MND_CONTROL_REQUEST', { found: 'no request' }));
  try {
    return { ok: true, value: await options.handle(request) };
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): ControlAnswer {
  const code = isCodedError(error) ? error.code : 'MND_INTERNAL';
  return { ok: false, code, message: messageOf(error) };
}

function cannotListen(path: string, found: string): Error {
  const next = 'name another place with control.socket, e.g. /run/user/1000/mobilenetd.sock';
  return codedError('MND_CONTROL_LISTEN', { subject: path, found, next });
}
