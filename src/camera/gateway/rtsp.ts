import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseAddress, splitAddress } from '../../address.js';
import { codedError, messageOf } from '../../errors.js';
import { maskAddresses } from '../../mask.js';
import { type Gateway, listenLocally } from './gateway.js';

const PORT = 554;
const TLS_PORT = 322;
/**
 * A status line that sends the client elsewhere (RFC 2326, 10.10 and 11). It is looked for in all bytes, however
 * these are framed, and however loosely ffmpeg reads numbers.
 */
const REDIRECT = /RTSP\/\S*\s+\+?0*3\d\d(?!\d)/;
const LOCATION = /^location:\s*(\S+)/im;
/** Bytes that are kept, so that a status line is seen across two chunks. */
const KEPT = 1024;
/** From here on ffmpeg follows no redirect, and what comes are pictures. */
const PLAYING = /^PLAY /m;

/**
 * A connection to an RTSP camera that ends where the camera redirects. Bytes go through as they are: ffmpeg
 * speaks with the camera, over TLS where the address says so (any certificate is taken, as cameras have).
 */
export async function openRtspGateway(url: string): Promise<Gateway> {
  const subject = maskAddresses(url);
  const { scheme, host, port, isTls } = partsOf(url);
  const sockets = new Set<Socket>();
  let fault: Error | null = null;
  let isClosed = false;

  const failed = (found: string, next?: string): void => {
    if (isClosed) return;
    fault ??= codedError('MND_CAMERA_FAILED', {
      subject,
      found,
      ...(next !== undefined && { next }),
    });
  };

  const server = createServer((client) => {
    const camera = isTls
      ? connectTls({ host, port, rejectUnauthorized: false, ...nameFor(host) })
      : connectTcp({ host, port });
    let isPlaying = false;
    let kept = '';
    const end = (): void => {
      client.destroy();
      camera.destroy();
    };
    for (const socket of [client, camera]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('error', end);
    camera.on('error', (error) => {
      failed(messageOf(error));
      end();
    });
    client.on('data', (chunk: Buffer) => {
      isPlaying ||= PLAYING.test(chunk.toString('latin1'));
      camera.write(chunk);
    });
    camera.on('data', (chunk: Buffer) => {
      if (!isPlaying) {
        kept = (kept + chunk.toString('latin1')).slice(-KEPT - chunk.length);
        if (REDIRECT.test(kept)) {
          const to = LOCATION.exec(kept)?.[1];
          failed(
            `a redirect to another address${to === undefined ? '' : `: ${maskAddresses(to)}`}`,
            'give that address itself; redirects of RTSP cameras are not followed',
          );
          end();
          return;
        }
      }
      if (client.write(chunk)) return;
      camera.pause();
      client.once('drain', () => camera.resume());
    });
    camera.on('end', () => client.end());
  });
  const local = await listenLocally(server);
  return {
    url: replaced(url, scheme, local),
    fault: () => fault,
    close() {
      isClosed = true;
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function partsOf(url: string) {
  const address = parseAddress(url);
  if (address === null) {
    throw codedError('MND_CONFIG_INVALID', { subject: 'url', expected: 'an address' });
  }
  const isTls = address.url.protocol === 'rtsps:';
  const port = address.url.port === '' ? (isTls ? TLS_PORT : PORT) : Number(address.url.port);
  return { scheme: 'rtsp://', host: address.hostname, port, isTls };
}

/** A server name is sent for names only (RFC 6066, 3). */
function nameFor(host: string): { readonly servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

/** An address with its login and path, at a port of this machine. */
function replaced(url: string, scheme: string, port: number): string {
  const { authority = '', rest = '' } = splitAddress(url) ?? {};
  const login = authority.slice(0, authority.lastIndexOf('@') + 1);
  return `${scheme}${login}127.0.0.1:${port}${rest}`;
}
