#!/usr/bin/env node
// Draws the demo's own things in many variations, as pictures to train and validate on.
// usage: training/drawings.mjs FOLDER [PER_LABEL=800] [VALIDATION_PER_LABEL=60] [SEED=1]
// Writes FOLDER/{train,validation}/{background,clock,cup,stop sign,traffic light}/NNNN.jpg.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { clock, cup, stopSign, trafficLight } from '../dist/camera/sources/demo/objects.js';
import { mulberry32 } from '../dist/simulator/random.js';

const WIDTH = 235;
const HEIGHT = 176;

const [folder, perLabel = '800', perValidation = '60', seed = '1'] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write(
    'usage: training/drawings.mjs FOLDER [PER_LABEL] [VALIDATION_PER_LABEL] [SEED]\n',
  );
  process.exit(64);
}

const THINGS = {
  background: () => '',
  clock: (random) => clock(Math.floor(random() * 43_200_000), tint(random, [50, 12, 92, 8])),
  cup: (random) => cup(colour(random), tint(random, [25, 30, 20, 15])),
  'stop sign': (random) => stopSign(tint(random, [358, 8, 40, 10])),
  'traffic light': (random) =>
    trafficLight(
      ['red', 'amber', 'green'][Math.floor(random() * 3)],
      tint(random, [210, 90, 16, 12]),
    ),
};

const spread = (random, middle, width) => middle + (random() * 2 - 1) * width;

function colour(random) {
  return `hsl(${(random() * 360).toFixed(0)},${(random() * 90).toFixed(0)}%,${spread(random, 50, 40).toFixed(0)}%)`;
}

/** A colour around [hue, its spread, lightness %, its spread]. */
function tint(random, [hue, hueSpread, light, lightSpread]) {
  return `hsl(${spread(random, hue, hueSpread).toFixed(0)},${spread(random, 60, 35).toFixed(0)}%,${spread(random, light, lightSpread).toFixed(0)}%)`;
}

/** A wall or a sky, perhaps with ground, a pole and blocks in it: nothing that has a label. */
function surroundings(random) {
  const sky = random() < 0.3 ? 'hsl(206,30%,86%)' : colour(random);
  const parts = [
    `<defs><linearGradient id="g" x2="${random().toFixed(2)}" y2="1"><stop stop-color="${sky}"/><stop offset="1" stop-color="${random() < 0.5 ? sky : colour(random)}"/></linearGradient></defs>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="url(#g)"/>`,
  ];
  if (random() < 0.7) {
    const y = spread(random, 0.8, 0.15) * HEIGHT;
    const ground = random() < 0.4 ? 'hsl(92,5%,57%)' : colour(random);
    parts.push(`<rect y="${y.toFixed(1)}" width="${WIDTH}" height="${HEIGHT}" fill="${ground}"/>`);
  }
  for (let count = Math.floor(random() * 4); count > 0; count -= 1) {
    const [w, h] = [random() * WIDTH * 0.4, random() * HEIGHT * 0.5];
    const at = `x="${(random() * WIDTH - w / 2).toFixed(1)}" y="${(random() * HEIGHT - h / 2).toFixed(1)}"`;
    const shape = random() < 0.3 ? ` rx="${(w / 2).toFixed(1)}"` : '';
    parts.push(
      `<rect ${at} width="${w.toFixed(1)}" height="${h.toFixed(1)}"${shape} fill="${colour(random)}" opacity="${spread(random, 0.6, 0.4).toFixed(2)}"/>`,
    );
  }
  return parts.join('');
}

async function draw(label, random, file) {
  const scale = spread(random, 0.62, 0.3);
  const move = `translate(${spread(random, WIDTH / 2, WIDTH * 0.18).toFixed(1)},${spread(random, HEIGHT / 2, HEIGHT * 0.15).toFixed(1)})`;
  const turn = `rotate(${spread(random, 0, 14).toFixed(1)}) skewX(${spread(random, 0, 8).toFixed(1)})`;
  const size = `scale(${(scale * spread(random, 1, 0.15)).toFixed(3)},${scale.toFixed(3)})`;
  const pole =
    label !== 'cup' && label !== 'background' && random() < 0.5
      ? `<rect x="-5" y="80" width="10" height="400" fill="${colour(random)}"/>`
      : '';
  const thing = `<g transform="${move} ${turn} ${size}">${pole}${THINGS[label](random)}</g>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">${surroundings(random)}${thing}</svg>`;
  const { data, info } = await sharp(Buffer.from(svg))
    .flatten()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const noise = random() < 0.6 ? random() * 24 : 0;
  const gain = spread(random, 1, 0.25);
  for (let index = 0; index < data.length; index += 1) {
    data[index] = Math.max(0, Math.min(255, data[index] * gain + (random() - 0.5) * noise));
  }
  let picture = sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } });
  if (random() < 0.4) picture = picture.blur(0.4 + random() * 1.2);
  await picture.jpeg({ quality: Math.round(spread(random, 80, 15)) }).toFile(file);
}

sharp.concurrency(1);
for (const [split, count, offset] of [
  ['train', Number(perLabel), 0],
  ['validation', Number(perValidation), 1_000_000],
]) {
  for (const [index, label] of Object.keys(THINGS).entries()) {
    const to = join(folder, split, label);
    await mkdir(to, { recursive: true });
    const random = mulberry32(Number(seed) + offset + index * 1009);
    for (let number = 1; number <= count; number += 1) {
      await draw(label, random, join(to, `${String(number).padStart(4, '0')}.jpg`));
    }
  }
}
