import type { Server } from 'node:net';
import { codedError, messageOf } from '../../errors.js';
import { isLoopback } from './admission.js';

/** Where a broker listens, and who may come in. */
export interface Exposure {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly users?: Readonly<Record<string, string>>;
  readonly allowAnonymous?: boolean;
}

/** Throws MND_MQTT_LISTEN for a broker that would be open to the network without users. */
export function checkExposure({ host, port, users, allowAnonymous }: Exposure): void {
  if (isLoopback(host) || users !== undefined || allowAnonymous === true) return;
  throw codedError('MND_MQTT_LISTEN', {
    subject: `${host}:${port}`,
    expected: 'users with passwords, or allow_anonymous, for an address beyond this machine',
    found: 'neither',
    next: 'set mqtt.embedded.users (mobilenetd config hash-password), or listen on 127.0.0.1',
  });
}

/** Where clients on this machine find a broker that listens on `host`. */
export function hostForClients(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/** The port that the server listens on. Rejects with MND_MQTT_LISTEN. */
export function listen(
  server: Server,
  { host, port }: Pick<Exposure, 'host' | 'port'>,
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
