import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { isCodedError } from '#mobilenetd/errors.js';
import { decodePicture } from '#mobilenetd/vision/decode.js';

// Decodes the pictures that it is named, with at most so many pixels, and prints for each what became
// of it and how far the process's memory has ever risen above that at the start, MB.
const [maxPixels = '', ...files] = process.argv.slice(2);

function peak(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

await sharp({ create: { width: 8, height: 8, channels: 3, background: '#000' } })
  .jpeg()
  .toBuffer();
const before = peak();
for (const file of files) {
  let found = 'decoded';
  try {
    await decodePicture(readFileSync(file), { subject: file, maxPixels: Number(maxPixels) });
  } catch (error) {
    found = isCodedError(error) ? 'refused' : String(error);
  }
  process.stdout.write(`${JSON.stringify({ file, found, rise: peak() - before })}\n`);
}
