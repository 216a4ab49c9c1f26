import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import t from 'tap';
import { encodeJpeg } from '#mobilenetd/camera/pixels/jpeg.js';

/** A picture that nothing can compress. */
function noise(width: number, height: number) {
  const bytes = randomBytes(width * height * 3);
  return sharp(bytes, { raw: { width, height, channels: 3 } });
}

t.test('a picture that fits is left as it is wanted', async (t) => {
  const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: '#a20' } });
  const jpeg = await encodeJpeg(picture, 80);
  const wanted = await picture.clone().jpeg({ quality: 80 }).toBuffer();
  const pixels = (bytes: Buffer) => sharp(bytes).raw().toBuffer();
  t.same(await pixels(jpeg), await pixels(wanted), 'its quality, whatever its code tables');
});

t.test('one that does not is coded with less quality, then made smaller', async (t) => {
  const picture = noise(400, 300);
  const full = await encodeJpeg(picture, 90);
  const lesser = await encodeJpeg(picture, 60);
  for (const [limit, width] of [
    [full.length, 400],
    [lesser.length, 400],
    [lesser.length - 1, null],
    [20_000, null],
    [3000, null],
  ] as const) {
    const jpeg = await encodeJpeg(picture, 90, limit);
    t.ok(jpeg.length <= limit, `${jpeg.length} of ${limit}`);
    t.ok(jpeg.length > limit / 4, 'and not much less than fits');
    const found = await sharp(jpeg).metadata();
    if (width === null) t.ok((found.width ?? 0) < 400);
    else t.equal(found.width, width);
    t.ok(Math.abs((found.width ?? 0) / (found.height ?? 1) - 4 / 3) < 0.05);
  }
});

t.test('a limit that nothing fits ends all the same', async (t) => {
  const { width } = await sharp(await encodeJpeg(noise(400, 300), 90, 10)).metadata();
  t.equal(width, 16);
});
