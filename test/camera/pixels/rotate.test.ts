import sharp from 'sharp';
import t from 'tap';
import { createRotation } from '#mobilenetd/camera/pixels/rotate.js';

const WIDTH = 70;
const HEIGHT = 38;

function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7919 + (i >> 3) * 31) % 251);
}

t.test('a turn is what sharp makes of it, plane by plane', async (t) => {
  for (const degrees of [90, 180, 270] as const) {
    const rgb = noise(WIDTH * HEIGHT * 3);
    const expected = await turn(rgb, WIDTH, HEIGHT, 3, degrees);
    const frame = { width: WIDTH, height: HEIGHT, format: 'rgb24', range: 'full' } as const;
    const turned = createRotation(degrees)({ ...frame, bytes: rgb });
    const [width, height] = degrees === 180 ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH];
    t.match(turned, { width, height, format: 'rgb24', range: 'full' });
    t.same(Buffer.from(turned.bytes), expected);

    const yuv = noise(WIDTH * HEIGHT * 1.5);
    const luma = WIDTH * HEIGHT;
    const quarter = luma / 4;
    const planes = [
      await turn(yuv.subarray(0, luma), WIDTH, HEIGHT, 1, degrees),
      await turn(yuv.subarray(luma, luma + quarter), WIDTH / 2, HEIGHT / 2, 1, degrees),
      await turn(yuv.subarray(luma + quarter), WIDTH / 2, HEIGHT / 2, 1, degrees),
    ];
    const other = createRotation(degrees)({ ...frame, format: 'yuv420p', bytes: yuv });
    t.same(Buffer.from(other.bytes), Buffer.concat(planes));
  }
});

t.test('encoded frames pass as they are', (t) => {
  const bytes = new Uint8Array([1]);
  const frame = { width: 0, height: 0, format: 'jpeg', range: 'full', bytes } as const;
  t.equal(createRotation(90)(frame), frame);
  t.end();
});

async function turn(
  bytes: Uint8Array,
  width: number,
  height: number,
  channels: 1 | 3,
  degrees: number,
): Promise<Buffer> {
  const picture = sharp(bytes, { raw: { width, height, channels } }).rotate(degrees);
  const grey = channels === 1 ? picture.toColourspace('b-w') : picture;
  return grey.raw().toBuffer();
}
