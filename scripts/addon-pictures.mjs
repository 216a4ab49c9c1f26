#!/usr/bin/env node
// Draws the add-on's icon and logo from the page's icon: `node scripts/addon-pictures.mjs`.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const root = fileURLToPath(new URL('..', import.meta.url));
const svg = readFileSync(`${root}web/icon.svg`);
const addon = `${root}packaging/homeassistant-addon`;
const clear = { r: 0, g: 0, b: 0, alpha: 0 };
const shape = (width, height) =>
  sharp(svg, { density: 600 }).resize({ width, height, fit: 'contain', background: clear });

await shape(128, 128).png({ palette: true }).toFile(`${addon}/icon.png`);
await shape(250, 100).png({ palette: true }).toFile(`${addon}/logo.png`);
