import sharp from 'sharp';
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
    [
      'SVG',
      Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg" width="6" height="4"><rect width="6" height="4" fill="#14c85a"/></svg>',
      ),
      [20, 200, 90],
      0,
    ],
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
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90000" height="90000"/>';
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
    ['huge SVG dimensions', Buffer.from(svg)],
    ['broken SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><g></svg>')],
  ];
  for (const [name, encoded] of cases) {
    await t.rejects(
      decodePicture(encoded, { subject }),
      { code: 'MND_IMAGE_INVALID', message: /^door\.jpg: .*found [^\n]+$/ },
      name,
    );
  }
  await t.rejects(decodePicture(jpeg, { subject, maxPixels: 4000 }), {
    code: 'MND_IMAGE_INVALID',
    message: /pixel limit/,
  });
  t.equal((await decodePicture(jpeg, { subject, maxPixels: 4096 })).width, 64);
});
