import { execFileSync } from 'node:child_process';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** An MPEG transport stream of an input of ffmpeg's lavfi, at ten frames a second. */
export function encodeStream(input: string, seconds: number, coding: readonly string[]): Buffer {
  return execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-f', 'lavfi', '-i', `${input}:r=10:d=${seconds}`],
      ...coding,
      ...['-f', 'mpegts', '-'],
    ],
    { maxBuffer: 1 << 26 },
  );
}

/** A network camera that can be pulled out, plugged in again, and made to hang. */
export interface RtspCamera {
  /** With the credentials, if any, in front of the host. */
  url(credentials?: string): string;
  /** How often somebody has begun to play its stream. */
  plays(): number;
  /** Whether it keeps connections open and sends nothing. */
  hang(on: boolean): void;
  /** Cuts every connection and refuses new ones. */
  unplug(): void;
  /** Listens again, at the same address. */
  plug(): Promise<void>;
}

const TS_PACKETS = 7 * 188;
const TICK_MS = 10;
/** Sent at once: ffmpeg looks at five seconds of a transport stream before it shows any of it. */
const HEAD_START_MS = 5000;
const SDP = [
  'v=0',
  'o=- 0 0 IN IP4 127.0.0.1',
  's=test',
  't=0 0',
  'm=video 0 RTP/AVP 33',
  'a=control:track1',
  '',
].join('\r\n');

/** What the server adds to its answer (RFC 2326). */
const ANSWERS: Readonly<Record<string, string>> = {
  OPTIONS: 'Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n',
  DESCRIBE: `Content-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n`,
  SETUP: 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n',
  PLAY: 'Session: 1\r\n',
};

/** A transport stream in RTP packets (RFC 2250), each with the header of the connection they share. */
function* packetsOf(stream: Buffer): Generator<Buffer> {
  for (let at = 0, sequence = 0; at < stream.length; at += TS_PACKETS, sequence += 1) {
    const payload = stream.subarray(at, at + TS_PACKETS);
    const header = Buffer.alloc(16);
    header.write('$', 0);
    header.writeUInt16BE(12 + payload.length, 2);
    header.writeUInt16BE(0x8000 | 33, 4);
    header.writeUInt16BE(sequence & 0xffff, 6);
    header.writeUInt32BE((sequence * 3600) >>> 0, 8);
    header.writeUInt32BE(0x1234, 12);
    yield Buffer.concat([header, payload]);
  }
}

/** Starts an RTSP server of one stream that lasts `seconds`, on loopback. */
export async function startRtspCamera(stream: Buffer, seconds: number): Promise<RtspCamera> {
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  let port = 0;
  let hanging = false;
  let plays = 0;

  function play(socket: Socket): void {
    plays += 1;
    const packets = packetsOf(stream);
    const started = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      const due =
        (stream.length * (performance.now() - started + HEAD_START_MS)) / (seconds * 1000);
      while (!hanging && sent < due) {
        const { value, done } = packets.next();
        if (done) return;
        sent += TS_PACKETS;
        socket.write(value);
      }
    }, TICK_MS);
    socket.on('close', () => clearInterval(timer));
  }

  function serve(socket: Socket): void {
    let request = '';
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      request += chunk.toString('latin1');
      for (let end = request.indexOf('\r\n\r\n'); end >= 0; end = request.indexOf('\r\n\r\n')) {
        const head = request.slice(0, end);
        request = request.slice(end + 4);
        const start = head.search(/[A-Z]+ rtsp:/);
        if (start < 0 || hanging) continue;
        const method = head.slice(start).split(' ')[0] ?? '';
        const number = /CSeq: (\d+)/i.exec(head)?.[1] ?? '0';
        const body = method === 'DESCRIBE' ? SDP : '';
        socket.write(`RTSP/1.0 200 OK\r\nCSeq: ${number}\r\n${ANSWERS[method] ?? ''}\r\n${body}`);
        if (method === 'PLAY') play(socket);
      }
    });
  }

  async function plug(): Promise<void> {
    const listening = createServer(serve);
    server = listening;
    await new Promise<void>((resolve, reject) => {
      listening.once('error', reject);
      listening.listen(port, '127.0.0.1', resolve);
    });
    port = (listening.address() as AddressInfo).port;
  }

  await plug();
  return {
    url: (credentials = '') => `rtsp://${credentials}127.0.0.1:${port}/live`,
    plays: () => plays,
    hang(on) {
      hanging = on;
    },
    unplug() {
      server?.close();
      for (const socket of sockets) socket.destroy();
    },
    plug,
  };
}
