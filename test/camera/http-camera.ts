import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Test } from 'tap';

/** A camera that speaks HTTP. */
export interface HttpCamera {
  url(path?: string): string;
  /** Requests so far. */
  readonly requests: readonly IncomingMessage[];
  unplug(): void;
}

export async function startHttpCamera(
  test: Test,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HttpCamera> {
  const sockets = new Set<Socket>();
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  const unplug = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  test.teardown(() => {
    unplug();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: (path = '/') => `http://127.0.0.1:${port}${path}`, requests, unplug };
}
