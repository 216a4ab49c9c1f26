// The camera of bench/storm.js: the tests' stand-in for rpicam-vid with a random fault each time.
import { appendFileSync } from 'node:fs';

const FAULTS = [
  'hang',
  'exit-255',
  'exit-0',
  'crash',
  'garbage',
  'lost',
  'half-frame',
  'trickle',
  'no-camera',
  'timeout',
  'stubborn',
  'wrong-size',
];
// A stubborn one takes seconds to end, whatever the clock: fewer of them.
const common = FAULTS.filter((name) => name !== 'stubborn');
const pool = Math.random() < 0.03 ? ['stubborn'] : common;
const fault = pool[Math.floor(Math.random() * pool.length)];
appendFileSync(process.env.STORM_LOG, `${fault}\n`);
process.env.FAKE_CAMERA = JSON.stringify(
  fault === 'wrong-size'
    ? { adjust: [96, 64], silent: true }
    : { fault, after: Math.floor(Math.random() * 20) },
);
await import('../test/fixtures/fake-rpicam-vid.mjs');
