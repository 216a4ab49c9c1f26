import t from 'tap';
import { createY4mReader } from '#mobilenetd/camera/pixels/y4m.js';

interface Seen {
  readonly width: number;
  readonly height: number;
  readonly range: string;
  readonly bytes: Uint8Array;
}

function readAll(stream: Uint8Array, chunkLength: number): Seen[] {
  const frames: Seen[] = [];
  const reader = createY4mReader(({ width, height, range, bytes }) => {
    frames.push({ width, height, range, bytes: bytes.slice() });
  });
  for (let from = 0; from < stream.length; from += chunkLength) {
    reader.push(stream.subarray(from, from + chunkLength));
  }
  return frames;
}

/** A stream of frames of 4 × 2, each filled with its number. */
function stream(
  count: number,
  header = 'YUV4MPEG2 W4 H2 F10:1 Ip C420jpeg',
  marker = 'FRAME',
): Buffer {
  const parts = [Buffer.from(`${header}\n`)];
  for (let frame = 1; frame <= count; frame += 1) {
    parts.push(Buffer.from(`${marker}\n`), Buffer.alloc(12, frame));
  }
  return Buffer.concat(parts);
}

t.test('frames are the same however the stream is cut', (t) => {
  const bytes = stream(5);
  for (const chunkLength of [1, 2, 3, 7, 13, 18, 19, 1000]) {
    const frames = readAll(bytes, chunkLength);
    t.equal(frames.length, 5);
    t.ok(frames.every((frame, index) => frame.bytes.every((byte) => byte === index + 1)));
    t.match(frames[0], { width: 4, height: 2, range: 'limited' });
  }
  t.end();
});

t.test('a frame that is not whole is not delivered', (t) => {
  const bytes = stream(3);
  t.equal(readAll(bytes.subarray(0, bytes.length - 1), 64).length, 2);
  t.end();
});

t.test('the range is that of the header', (t) => {
  const full = readAll(stream(1, 'YUV4MPEG2 W4 H2 F10:1 XYSCSS=420JPEG XCOLORRANGE=FULL'), 64);
  t.equal(full[0]?.range, 'full');
  const limited = readAll(stream(1, 'YUV4MPEG2 W4 H2 F10:1 C420mpeg2 XCOLORRANGE=LIMITED'), 64);
  t.equal(limited[0]?.range, 'limited');
  t.end();
});

t.test('odd sizes round chroma up, markers may have parameters', (t) => {
  const header = Buffer.from('YUV4MPEG2 W5 H3\nFRAME Ip\n');
  const frames = readAll(Buffer.concat([header, Buffer.alloc(15 + 12, 9)]), 10);
  t.match(frames, [{ width: 5, height: 3 }]);
  t.equal(frames[0]?.bytes.length, 27);
  t.end();
});

t.test('anything else is refused', (t) => {
  const outOfStep = Buffer.concat([stream(1), Buffer.from('FRAM'), stream(1)]);
  for (const bad of [
    Buffer.from('JUNK W4 H2\n'),
    Buffer.alloc(1000, 65),
    stream(1, 'YUV4MPEG2 W0 H2'),
    stream(1, 'YUV4MPEG2 W4'),
    stream(1, 'YUV4MPEG2 W-4 H2'),
    stream(1, 'YUV4MPEG2 W1e9 H1e9'),
    stream(1, 'YUV4MPEG2 W4 H2 C444'),
    stream(1, 'YUV4MPEG2 W4 H2 C420p10'),
    stream(1, undefined, 'FRAMES'),
    outOfStep,
  ]) {
    t.throws(() => readAll(bad, 16), { code: 'MND_FRAME_INVALID' });
  }
  t.end();
});
