import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseAddress } from '../../address.js';
import { codedError, messageOf } from '../../errors.js';
import { createHttpClient, type HttpAnswer, type HttpOptions } from '../http/client.js';
import { type Gateway, listenLocally } from './gateway.js';

/** Headers of an answer that ffmpeg needs; all others could only lead it elsewhere. */
const PASSED_ON = ['content-length', 'content-range', 'accept-ranges'] as const;
/** First bytes of files that consist of addresses to open. */
const PLAYLIST =
  /^\uFEFF?\s*(?:#EXTM3U|ffconcat|\[playlist\]|<\?xml|<MPD|<SmoothStreaming|<asx|v=0\r?\n)/i;
const PLAYLIST_TYPE = /mpegurl|dash\+xml|x-scpls|ms-asf|ms-sstr|application\/sdp/i;
const LOOKED_AT_BYTES = 256;

/**
 * A video at an address: our own client asks for it (same host and scheme through every redirect, Basic and
 * Digest, certificates), and ffmpeg gets the bytes. Playlists are refused.
 */
export async function openHttpGateway(options: HttpOptions): Promise<Gateway> {
  const client = createHttpClient(options);
  const closing = new AbortController();
  let fault: Error | null = null;
  // The name of the file is a hint at its format; the rest is known to ffmpeg alone.
  const name =
    /[\w-]{1,40}\.\w{1,5}$/.exec(parseAddress(options.url)?.url.pathname ?? '')?.[0] ?? 'video';
  const path = `/${randomUUID()}/${name}`;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asking = new AbortController();
    response.on('close', () => asking.abort());
    response.on('error', () => asking.abort());
    try {
      const { range } = request.headers;
      const signal = AbortSignal.any([closing.signal, asking.signal]);
      const answer = await client.get(signal, range === undefined ? {} : { range });
      response.on('close', () => answer.body.destroy());
      const first = await firstBytes(answer);
      if (isPlaylist(answer, first)) throw playlistError(client.subject);
      fault = null;
      response.writeHead(answer.status === 206 ? 206 : 200, passedOn(answer));
      response.write(first);
      passOn(answer, response);
    } catch (error) {
      if (!closing.signal.aborted && !asking.signal.aborted) {
        fault = error instanceof Error ? error : new Error(messageOf(error));
      }
      if (!response.headersSent) response.writeHead(502);
      response.end();
    }
  }

  const server = createServer((request, response) => {
    if (request.url === path) void serve(request, response);
    else response.writeHead(404).end();
  });
  const port = await listenLocally(server);
  return {
    url: `http://127.0.0.1:${port}${path}`,
    fault: () => fault,
    close() {
      closing.abort();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The rest of the body; one that breaks off is broken off here, too. */
function passOn({ body }: HttpAnswer, response: ServerResponse): void {
  const close = (): void => {
    if (body.complete) response.end();
    else response.destroy();
  };
  if (body.readableEnded || body.destroyed) close();
  else body.on('close', close).pipe(response);
}

function passedOn({ headers }: HttpAnswer): Record<string, string> {
  const kept = PASSED_ON.map((name) => [name, headers[name]] as const);
  return Object.fromEntries(
    kept.filter((entry): entry is [(typeof PASSED_ON)[number], string] => entry[1] !== undefined),
  );
}

/** The first bytes of a body, which is paused behind them; empty when it ends at once. */
function firstBytes({ body }: HttpAnswer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const finish = (bytes: Buffer): void => {
      body.off('end', end);
      body.off('error', fail);
      body.off('close', end);
      body.pause();
      resolve(bytes);
    };
    const end = (): void => finish(Buffer.alloc(0));
    const fail = (error: Error): void => reject(error);
    body.once('data', finish);
    body.once('end', end);
    body.once('close', end);
    body.once('error', fail);
  });
}

function isPlaylist({ headers }: HttpAnswer, first: Buffer): boolean {
  if (PLAYLIST_TYPE.test(headers['content-type'] ?? '')) return true;
  return PLAYLIST.test(first.subarray(0, LOOKED_AT_BYTES).toString('utf8'));
}

function playlistError(subject: string): Error {
  return codedError('MND_CAMERA_FAILED', {
    subject,
    found: 'a playlist (HLS, DASH or the like), which names other addresses to open',
    next: 'give the address of the video itself, or the camera’s RTSP or MJPEG stream',
  });
}
