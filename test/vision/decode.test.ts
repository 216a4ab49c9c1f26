import sharp, { type Sharp } from 'sharp';
import t from 'tap';
import { decodePicture } from '#mobilenetd/vision/decode.js';

const subject = 'door.jpg';
const colour = { r: 20, g: 200, b: 90 };
const plain = (channels: 3 | 4 = 3, alpha = 1) =>
  sharp({
    create: {
      width: 6,
      height: 4,
      channels,
      background: channels === 4 ? { ...colour, alpha } : colour,
    },
  });

function near(found: Uint8Array, wanted: readonly number[], within: number): boolean {
  return wanted.every((value, i) => Math.abs((found[i] ?? -1000) - value) <= within);
}

t.test('kinds of pictures', async (t) => {
  const cases: [string, Buffer, readonly number[], number][] = [
    ['JPEG', await plain().jpeg({ quality: 100 }).toBuffer(), [20, 200, 90], 3],
    ['PNG', await plain().png().toBuffer(), [20, 200, 90], 0],
    ['WebP', await plain().webp({ lossless: true }).toBuffer(), [20, 200, 90], 1],
    ['16-bit PNG', await plain().toColourspace('rgb16').png().toBuffer(), [20, 200, 90], 1],
    ['grey', await plain().greyscale().png().toBuffer(), [149, 149, 149], 40],
    ['CMYK', await plain().toColourspace('cmyk').jpeg().toBuffer(), [20, 200, 90], 110],
    ['half transparent', await plain(4, 0.5).png().toBuffer(), [137, 227, 172], 2],
    ['TIFF', await plain().tiff().toBuffer(), [20, 200, 90], 6],
    ['GIF', await plain().gif().toBuffer(), [20, 200, 90], 6],
    ['AVIF', await plain().avif({ quality: 90 }).toBuffer(), [20, 200, 90], 8],
  ];
  for (const [name, encoded, pixel, within] of cases) {
    const picture = await decodePicture(encoded, { subject });
    t.same([picture.width, picture.height], [6, 4], name);
    t.equal(picture.bytes.length, 72, `${name}: three channels`);
    t.ok(near(picture.bytes, pixel, within), `${name}: ${picture.bytes.subarray(0, 3)}`);
  }
});

t.test('turned upright', async (t) => {
  const half = await sharp(Buffer.from([...new Array(12).fill(255), ...new Array(12).fill(0)]), {
    raw: { width: 4, height: 2, channels: 3 },
  })
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();
  const { width, height, bytes } = await decodePicture(half, { subject });
  t.same([width, height], [2, 4]);
  // Turned clockwise, the white upper row is the right column.
  t.same([bytes[0], bytes[3]], [0, 255]);
});

t.test('a picture in shared memory', async (t) => {
  const png = await plain().png().toBuffer();
  const shared = new Uint8Array(new SharedArrayBuffer(png.length + 8), 8);
  shared.set(png);
  const { bytes } = await decodePicture(shared, { subject });
  t.same([...bytes.subarray(0, 3)], [20, 200, 90]);
});

t.test('what cannot be decoded', async (t) => {
  const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) % 256));
  const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
    .jpeg()
    .toBuffer();
  const huge = Buffer.from(jpeg);
  // The frame header: marker, length, precision, then height and width.
  const header = huge.indexOf(Buffer.from([0xff, 0xc0]));
  huge.writeUInt16BE(65_500, header + 5);
  huge.writeUInt16BE(65_500, header + 7);
  const cases: [string, Buffer][] = [
    ['empty', Buffer.alloc(0)],
    ['one byte', Buffer.from([0xff])],
    ['only zeros', Buffer.alloc(5000)],
    ['text', Buffer.from('GET / HTTP/1.1\r\n\r\nhello')],
    ['random bytes', noise],
    ['cut in its header', jpeg.subarray(0, 100)],
    ['cut in half', jpeg.subarray(0, jpeg.length / 2)],
    ['without its end', jpeg.subarray(0, jpeg.length - 2)],
    ['a start marker alone', jpeg.subarray(0, 2)],
    ['garbage behind the marker', Buffer.concat([jpeg.subarray(0, 20), noise])],
    ['a cut PNG', (await plain().png().toBuffer()).subarray(0, 60)],
    ['huge JPEG dimensions', huge],
    ['broken SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><g></svg>')],
  ];
  for (const [name, encoded] of cases) {
    await t.rejects(
      decodePicture(encoded, { subject }),
      { code: 'MND_IMAGE_INVALID', message: /^door\.jpg: .*found [^\n]+$/ },
      name,
    );
  }
  t.equal((await decodePicture(jpeg, { subject, maxPixels: 4096 })).width, 64);
});

t.test('a picture of more pixels than are wanted is made smaller, and says how much', async (t) => {
  const wide = sharp({ create: { width: 400, height: 200, channels: 3, background: colour } });
  const turned = wide.clone().withMetadata({ orientation: 6 });
  for (const encode of [
    (picture: Sharp) => picture.jpeg({ quality: 100 }),
    (picture: Sharp) => picture.png(),
    (picture: Sharp) => picture.webp({ lossless: true }),
    (picture: Sharp) => picture.tiff(),
  ]) {
    const level = await decodePicture(await encode(wide.clone()).toBuffer(), {
      subject,
      maxPixels: 20_000,
    });
    t.match(level, { width: 200, height: 100, reduction: 2 });
    const upright = await decodePicture(await encode(turned.clone()).toBuffer(), {
      subject,
      maxPixels: 20_000,
    });
    t.match(upright, { width: 100, height: 200, reduction: 2 });
    t.ok(near(upright.bytes, [20, 200, 90], 4));
  }
});

t.test('a picture that is longer than a frame may be is made shorter', async (t) => {
  for (const [width, height] of [
    [60_000, 40],
    [20, 50_000],
    [65_000, 1],
  ] as const) {
    const encoded = await sharp({ create: { width, height, channels: 3, background: '#406080' } })
      .jpeg()
      .toBuffer();
    const decoded = await decodePicture(encoded, { subject: 'long' });
    t.ok(Math.max(decoded.width, decoded.height) <= 16_384, `${decoded.width}×${decoded.height}`);
    t.ok(Math.min(decoded.width, decoded.height) >= 1);
    t.equal(decoded.bytes.length, decoded.width * decoded.height * 3);
  }
});

t.test('kinds that are not read are named, with what to do', async (t) => {
  for (const [bytes, name, next] of [
    ['\0\0\0\x18ftypheic\0\0\0\0mif1', 'HEIC', /heif-convert/],
    ['BM\x36\0\0\0\0\0\0\0', 'BMP', /convert/],
    ['\0\0\0\x0cjP  \r\n', 'JPEG 2000', /convert/],
    ['P6\n4 4\n255\n', 'PPM', /convert/],
    ['<svg xmlns="http://www.w3.org/2000/svg" width="90000" height="90000"/>', 'SVG', /rsvg/],
    ['<?xml version="1.0"?><svg/>', 'SVG', /rsvg/],
    ['%PDF-1.7\n', 'PDF', /pdftoppm/],
    ['\xff\x0a....', 'JPEG XL', /convert/],
  ] as const) {
    await t.rejects(decodePicture(Buffer.from(bytes, 'latin1'), { subject }), {
      code: 'MND_IMAGE_INVALID',
      message: new RegExp(`found ${name}`),
      detail: { next },
    });
  }
});
