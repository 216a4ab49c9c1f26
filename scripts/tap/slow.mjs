// Writes what `npm run test:slow` runs into .build/slow: a file for each test of test/slow, by a name that puts
// it in its place. Tap begins them in the order of their names: what takes longest begins first, so that the
// last minute has work for all.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TESTS = 'test/slow';
const RUN = '.build/slow';
const ENDING = '.test.ts';

/** The longest first. Most wait for brokers, clocks, browsers and cameras. */
const FIRST = [
  ...[
    'teach-mqtt',
    'page-typing',
    'cluster',
    'refusing-brokers',
    'teach',
    'scores',
    'setup',
    'tasks',
  ],
  ...['home-assistant', 'page-states', 'networks', 'readme', 'governor', 'retained-flood'],
  ...['page-labels', 'own-models', 'page', 'secrets', 'notify-storm', 'worst-pictures'],
];

/**
 * Beside as little as can be, when `npm test` has ended: these measure rates, heat a board by the clock, or have
 * three nodes agree.
 */
const LAST = 'cluster page-teach teach-demo teach-heat page-storm camera-cases cpu-hog'.split(' ');

rmSync(RUN, { recursive: true, force: true });
mkdirSync(RUN, { recursive: true });
const names = readdirSync(TESTS).flatMap((file) =>
  file.endsWith(ENDING) ? [file.slice(0, -ENDING.length)] : [],
);
for (const name of [...FIRST, ...LAST]) {
  if (!names.includes(name)) throw new Error(`${TESTS} has no ${name}`);
}
for (const name of names) {
  const place = placeOf(name);
  const file = `${String(place).padStart(2, '0')}-${name}.test.js`;
  writeFileSync(join(RUN, file), `await import('../test/slow/${name}.test.js');\n`);
}

function placeOf(name) {
  if (LAST.includes(name)) return FIRST.length + 1 + LAST.indexOf(name);
  return FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length;
}
