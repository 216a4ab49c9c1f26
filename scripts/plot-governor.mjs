#!/usr/bin/env node
// Draws the pictures of docs/governor.md, each as a user would: `mobilenetd simulate … --plot FILE`.
// usage: npm run build && node scripts/plot-governor.mjs
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PICTURES = {
  'governor-sun.svg': ['--scenario', 'sun'],
  'governor-all.svg': ['--scenario', 'sun', '--governor', 'all'],
  'governor-neighbour.svg': ['--board', 'pi4-bare', '--scenario', 'square-wave'],
  'governor-sensor.svg': ['--scenario', 'sensor-garbage'],
};

for (const [name, options] of Object.entries(PICTURES)) {
  // The last --board counts.
  const args = ['dist/cli/main.js', 'simulate', '--board', 'pi4-case', ...options];
  execFileSync(process.execPath, [...args, '--plot', `docs/${name}`], {
    cwd: root,
    stdio: 'inherit',
  });
}
