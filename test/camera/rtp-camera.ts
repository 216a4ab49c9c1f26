import { execFileSync } from 'node:child_process';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';

/** An H.264 stream in access units, each a list of NAL units without start codes. */
export type AccessUnits = readonly (readonly Buffer[])[];

/** Encodes a test picture, ten frames a second, every frame a key frame. */
export function encodeH264(seconds: number): AccessUnits {
  const stream = execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=s=160x120:r=10:d=${seconds}`],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '1'],
      ...['-pix_fmt', 'yuv420p', '-x264-params', 'aud=1', '-f', 'h264', '-'],
    ],
    { maxBuffer: 1 << 26 },
  );
  const units: Buffer[][] = [];
  for (const nal of nalUnits(stream)) {
    // An access unit delimiter begins each picture (ITU-T H.264, 7.4.1.2.3).
    if (((nal[0] ?? 0) & 31) === 9) units.push([]);
    else units.at(-1)?.push(nal);
  }
  return units;
}

/** Cuts an Annex B stream at its start codes. */
function* nalUnits(stream: Buffer): Generator<Buffer> {
  const code = Buffer.from([0, 0, 1]);
  for (let at = stream.indexOf(code); at >= 0; ) {
    const next = stream.indexOf(code, at + 3);
    let end = next < 0 ? stream.length : next;
    while (stream[end - 1] === 0) end -= 1;
    yield stream.subarray(at + 3, end);
    at = next;
  }
}

export interface RtpCameraOptions {
  readonly units: AccessUnits;
  readonly fps: number;
  /** RTP time of a frame, ticks of 90 kHz; taken modulo 2³². */
  readonly stampOf: (frame: number) => number;
}

const MAX_PAYLOAD = 1400;
const TYPE = 96;
const SDP = [
  'v=0',
  'o=- 0 0 IN IP4 127.0.0.1',
  's=test',
  't=0 0',
  `m=video 0 RTP/AVP ${TYPE}`,
  `a=rtpmap:${TYPE} H264/90000`,
  `a=fmtp:${TYPE} packetization-mode=1`,
  'a=control:track1',
  '',
].join('\r\n');
const ANSWERS: Readonly<Record<string, string>> = {
  OPTIONS: 'Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n',
  DESCRIBE: `Content-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n`,
  SETUP: 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n',
  PLAY: 'Session: 1\r\n',
};

/** A camera that sends H.264 in RTP (RFC 6184) over its RTSP connection, with time stamps as told. */
export async function startRtpCamera(t: Test, options: RtpCameraOptions): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let request = '';
    socket.on('data', (chunk) => {
      request += chunk.toString('latin1');
      for (let end = request.indexOf('\r\n\r\n'); end >= 0; end = request.indexOf('\r\n\r\n')) {
        const head = request.slice(0, end);
        request = request.slice(end + 4);
        const method = /([A-Z]+) rtsp:/.exec(head)?.[1];
        if (method === undefined) continue;
        const number = /CSeq: (\d+)/i.exec(head)?.[1] ?? '0';
        const body = method === 'DESCRIBE' ? SDP : '';
        socket.write(`RTSP/1.0 200 OK\r\nCSeq: ${number}\r\n${ANSWERS[method] ?? ''}\r\n${body}`);
        if (method === 'PLAY') play(socket, options);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/live`;
}

function play(socket: Socket, { units, fps, stampOf }: RtpCameraOptions): void {
  const started = performance.now();
  let frame = 0;
  let sequence = 0;
  const timer = setInterval(() => {
    while (frame < ((performance.now() - started) * fps) / 1000) {
      const unit = units[frame % units.length] ?? [];
      const stamp = stampOf(frame) % 2 ** 32;
      for (const [index, nal] of unit.entries()) {
        for (const [payload, isLast] of pieces(nal, index === unit.length - 1)) {
          socket.write(packet(payload, { isLast, stamp, sequence }));
          sequence = (sequence + 1) % 65_536;
        }
      }
      frame += 1;
    }
  }, 10);
  socket.on('close', () => clearInterval(timer));
}

/** A NAL unit whole, or in fragments (FU-A, RFC 6184, 5.8). */
function* pieces(nal: Buffer, isLast: boolean): Generator<readonly [Buffer, boolean]> {
  if (nal.length <= MAX_PAYLOAD) return yield [nal, isLast];
  const header = nal[0] ?? 0;
  for (let at = 1; at < nal.length; at += MAX_PAYLOAD) {
    const end = Math.min(nal.length, at + MAX_PAYLOAD);
    const flags = (at === 1 ? 0x80 : 0) | (end === nal.length ? 0x40 : 0);
    const head = Buffer.from([(header & 0xe0) | 28, flags | (header & 31)]);
    yield [Buffer.concat([head, nal.subarray(at, end)]), isLast && end === nal.length];
  }
  return undefined;
}

function packet(
  payload: Buffer,
  head: { readonly isLast: boolean; readonly stamp: number; readonly sequence: number },
): Buffer {
  const header = Buffer.alloc(16);
  header.write('$', 0);
  header.writeUInt16BE(12 + payload.length, 2);
  header[4] = 0x80;
  header[5] = TYPE | (head.isLast ? 0x80 : 0);
  header.writeUInt16BE(head.sequence, 6);
  header.writeUInt32BE(head.stamp, 8);
  header.writeUInt32BE(0x1234, 12);
  return Buffer.concat([header, payload]);
}
