// Makes the banks of unrelated embeddings that taught heads are judged by:
//
//   MOBILENETD_TEST_IMAGES=FOLDER node scripts/teach-bank.mjs [--models DIR] [VARIANT...]
//
// writes models/embeddings/VARIANT.bank for each installed variant that is named (all without a name). Of
// each picture of the folder: the whole, and three parts that do not overlap; then drawn scenes. A bank has
// numbers only, in the order of the pictures, so that what belongs to one picture lies together.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { embedPictures } from '#mobilenetd/inference/embed.js';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { mulberry32 } from '#mobilenetd/simulator/random.js';
import { encodeBank } from '#mobilenetd/teach/bank.js';

const DRAWN = 100;
/** Parts of a picture, as shares: left, top, width, height. */
const PARTS = [
  [0, 0, 1, 1],
  [0, 0, 0.5, 0.6],
  [0.5, 0, 0.5, 0.6],
  [0.2, 0.6, 0.6, 0.4],
];
const WIDTH = 320;
const HEIGHT = 240;

const folder = process.env.MOBILENETD_TEST_IMAGES;
if (folder === undefined) throw new Error('MOBILENETD_TEST_IMAGES names no folder of pictures');
const wanted = process.argv.slice(2);
const at = wanted.indexOf('--models');
const dir = at < 0 ? join(homedir(), '.local/state/mobilenetd/models') : wanted.splice(at, 2)[1];
const out = fileURLToPath(new URL('../models/embeddings/', import.meta.url));
mkdirSync(out, { recursive: true });

const pictures = [...(await photographed()), ...(await drawn())];
for (const variant of await openShelf({ dir }).variants()) {
  if (wanted.length > 0 && !wanted.includes(variant.name)) continue;
  const embeddings = [];
  for await (const embedding of embedPictures(variant, pictures)) embeddings.push(embedding);
  const bytes = encodeBank(variant.name, embeddings);
  writeFileSync(join(out, `${variant.name}.bank`), bytes);
  console.log(`${variant.name}: ${embeddings.length} embeddings, ${bytes.length} bytes`);
}

async function photographed() {
  const parts = [];
  for (const file of readdirSync(folder).sort()) {
    if (!/\.jpe?g$/i.test(file)) continue;
    const bytes = readFileSync(join(folder, file));
    const { width, height } = await sharp(bytes).metadata();
    for (const [left, top, across, down] of PARTS) {
      const region = {
        left: Math.floor(left * width),
        top: Math.floor(top * height),
        width: Math.floor(across * width),
        height: Math.floor(down * height),
      };
      parts.push(await sharp(bytes).extract(region).jpeg({ quality: 95 }).toBuffer());
    }
  }
  return parts;
}

/** Walls, skies, fences, tiles, things of no kind, night and noise. */
async function drawn() {
  const random = mulberry32(1);
  const scenes = [];
  for (let index = 0; index < DRAWN; index += 1) {
    const kind = [flat, gradient, stripes, tiles, things][index % 5];
    const light = 0.15 + 0.85 * random();
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">${kind(random)}` +
      `<rect width="100%" height="100%" fill="black" opacity="${(1 - light).toFixed(2)}"/></svg>`;
    const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({
      resolveWithObject: true,
    });
    const noise = 4 + 20 * random();
    for (let k = 0; k < data.length; k += 1) {
      data[k] = Math.min(255, Math.max(0, data[k] + noise * (random() + random() - 1)));
    }
    const raw = { width: info.width, height: info.height, channels: info.channels };
    scenes.push(await sharp(data, { raw }).jpeg({ quality: 90 }).toBuffer());
  }
  return scenes;
}

function colour(random) {
  return `hsl(${Math.floor(random() * 360)},${Math.floor(random() * 70)}%,${Math.floor(15 + random() * 70)}%)`;
}

function rectangle(x, y, width, height, fill) {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;
}

function flat(random) {
  return rectangle(0, 0, WIDTH, HEIGHT, colour(random));
}

function gradient(random) {
  const stops = [0, 1].map((offset) => `<stop offset="${offset}" stop-color="${colour(random)}"/>`);
  const ground = rectangle(0, HEIGHT * (0.5 + random() / 3), WIDTH, HEIGHT, colour(random));
  return `<linearGradient id="g" x2="${random() < 0.5 ? 0 : 1}" y2="1">${stops.join('')}</linearGradient>${rectangle(0, 0, WIDTH, HEIGHT, 'url(#g)')}${ground}`;
}

function stripes(random) {
  const [step, across] = [8 + Math.floor(random() * 40), random() < 0.5];
  const fill = colour(random);
  let svg = flat(random);
  for (let x = 0; x < WIDTH; x += step) {
    svg += across
      ? rectangle(x, 0, step / 2, HEIGHT, fill)
      : rectangle(0, x, WIDTH, step / 2, fill);
  }
  return svg;
}

function tiles(random) {
  const step = 16 + Math.floor(random() * 48);
  let svg = '';
  for (let y = 0; y < HEIGHT; y += step) {
    for (let x = 0; x < WIDTH; x += step)
      svg += rectangle(x, y, step - 2, step - 2, colour(random));
  }
  return svg;
}

function things(random) {
  let svg = gradient(random);
  for (let count = 3 + Math.floor(random() * 12); count > 0; count -= 1) {
    const [x, y, size] = [random() * WIDTH, random() * HEIGHT, 10 + random() * 80];
    svg +=
      random() < 0.5
        ? rectangle(x, y, size, size * (0.3 + random()), colour(random))
        : `<ellipse cx="${x}" cy="${y}" rx="${size / 2}" ry="${(size * (0.3 + random())) / 2}" fill="${colour(random)}"/>`;
  }
  return svg;
}
