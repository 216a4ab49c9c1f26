import sharp from 'sharp';
import t from 'tap';
import { JpegStreamReader } from '#mobilenetd/camera/pixels/jpeg-stream.js';

const noise = (width: number, height: number) =>
  sharp({
    create: {
      width,
      height,
      channels: 3,
      background: '#888',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  });

/** Encoded in the ways cameras and phones do it. */
const pictures = await Promise.all([
  noise(64, 48).jpeg({ quality: 95 }).toBuffer(),
  noise(320, 240).jpeg({ progressive: true }).toBuffer(),
  noise(33, 17).jpeg({ chromaSubsampling: '4:4:4', optimiseCoding: false }).toBuffer(),
  noise(64, 64).jpeg().withMetadata({ orientation: 6 }).toBuffer(),
  withThumbnail(await noise(80, 60).jpeg().toBuffer(), await noise(16, 16).jpeg().toBuffer()),
]);

/** A JPEG with another whole one inside a segment, as phones embed their previews. */
function withThumbnail(picture: Buffer, thumbnail: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(thumbnail.length + 2, 2);
  return Buffer.concat([picture.subarray(0, 2), head, thumbnail, picture.subarray(2)]);
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1');

/** Ways to put pictures into a stream. */
const DIALECTS: Readonly<Record<string, (picture: Buffer) => Buffer[]>> = {
  'boundary first': (p) => [
    text(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${p.length}\r\n\r\n`),
    p,
    text('\r\n'),
  ],
  'boundary after': (p) => [text('Content-Type: image/jpeg\r\n\r\n'), p, text('\r\n--frame\r\n')],
  'no length': (p) => [text('--x\r\nContent-Type: image/jpeg\r\n\r\n'), p, text('\r\n')],
  'bare line feeds': (p) => [text('--x\nContent-Type: image/jpeg\n\n'), p, text('\n')],
  'wrong length': (p) => [text('--x\r\nContent-Length: 7\r\n\r\n'), p, text('\r\n')],
  'nothing between': (p) => [p],
  'padding behind': (p) => [p, Buffer.alloc(512)],
};

function read(stream: Buffer, step: number, maxBytes = 1e6) {
  const found: Buffer[] = [];
  const reader = new JpegStreamReader((bytes) => found.push(Buffer.from(bytes)), maxBytes);
  for (let at = 0; at < stream.length; at += step) reader.push(stream.subarray(at, at + step));
  return { found, damaged: reader.damaged };
}

t.test('every picture comes whole, in every dialect and in chunks of any size', (t) => {
  for (const [name, write] of Object.entries(DIALECTS)) {
    const stream = Buffer.concat(pictures.flatMap(write));
    for (const step of [1, 7, 1000, stream.length]) {
      const { found, damaged } = read(stream, step);
      t.equal(found.length, pictures.length, `${name}, ${step}`);
      t.ok(
        found.every((bytes, index) => pictures[index]?.equals(bytes)),
        name,
      );
      t.equal(damaged, 0);
    }
  }
  t.end();
});

t.test('a damaged picture is passed over, the next one comes', (t) => {
  const [whole = Buffer.alloc(0)] = pictures;
  const broken: Readonly<Record<string, Buffer>> = {
    'cut off': whole.subarray(0, 200),
    'cut off in the data': whole.subarray(0, whole.length - 100),
    'no segment': Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 1, 2, 3]),
    'a foreign byte': Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0x41, 0x42]),
  };
  for (const [name, bytes] of Object.entries(broken)) {
    const stream = Buffer.concat([bytes, text('\r\n--frame\r\n\r\n'), whole, whole, whole]);
    const { found } = read(stream, 64);
    t.ok(found.length >= 2, `${name}: ${found.length}`);
    t.ok(
      found.slice(-2).every((picture) => picture.equals(whole)),
      name,
    );
  }
  const huge = Buffer.concat([whole.subarray(0, whole.length - 2), Buffer.alloc(5000, 7)]);
  const { found, damaged } = read(Buffer.concat([huge, huge, whole]), 100, whole.length + 1000);
  t.same(
    found.map(({ length }) => length),
    [whole.length],
  );
  t.ok(damaged >= 1);
  t.end();
});

t.test('a stream without pictures is given up, and takes no memory', (t) => {
  for (const fill of [0, 0xff, 0x41]) {
    const reader = new JpegStreamReader(() => t.fail('a picture'), 1e6);
    const chunk = Buffer.alloc(64 * 1024, fill);
    t.throws(
      () => {
        for (let count = 0; count < 100; count += 1) reader.push(chunk);
      },
      { code: 'MND_FRAME_INVALID' },
      String(fill),
    );
  }
  t.end();
});
