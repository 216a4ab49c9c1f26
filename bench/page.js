// What the page costs: bytes to load, time to the first paint, memory idle and with two viewers, processor
// time and disk writes while nobody looks, and a viewer's processor time beside that of inference.
// Usage: npm run bench:page [-- --state FOLDER --rounds 3 --seconds 10 --unseen]
// --unseen: nothing but what a page costs at which nobody looks
// (a state folder that is given is prepared once for this program and board, which takes half a minute)
// A round runs two daemons at the same time, one with and one without a page: what else the machine does
// costs both the same. Prints one JSON line a figure with its bar, the medians of the rounds; ends with 1
// when a bar is missed.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { firstPaints } from './page/browser.js';
import { FPS, startDaemon, writeConfig } from './page/daemon.js';
import { MODEL, prepare, SMALLEST } from './page/prepared.js';
import { SETTLE_MS, spend } from './page/spend.js';
import { unseen } from './page/unseen.js';
import { look } from './page/viewer.js';

const { values } = parseArgs({
  options: {
    state: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    unseen: { type: 'boolean', default: false },
  },
});
const [rounds, seconds] = [values.rounds, values.seconds].map(Number);
const state = values.state ?? mkdtempSync(join(tmpdir(), 'mobilenetd-page-'));

let isGood = true;
function tell(figure, all, bar, unit) {
  const value = median(all);
  const met = value <= bar;
  isGood &&= met;
  const shown = all.map((each) => Math.round(each * 10) / 10);
  console.log(JSON.stringify({ figure, value: round2(value), unit, bar, met, shown }));
}

function round2(value) {
  return Math.round(value * 100) / 100;
}

function median(all) {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
}

mkdirSync(state, { recursive: true, mode: 0o700 });
prepare(state, writeConfig(state, 'measure', { listen: null, model: MODEL }));
const [load] = loadavg();
console.log(JSON.stringify({ figure: 'load of the machine before', value: load }));
await tellUnseen();
if (!values.unseen) {
  tellBytes();
  await tellSeen();
}
if (values.state === undefined) rmSync(state, { recursive: true, force: true });
process.exit(isGood ? 0 : 1);

async function tellUnseen() {
  const { cpu, whole, apart, disk } = await unseen(state, { rounds, seconds });
  const figure = `two daemons without a page apart, ${SMALLEST} at ${FPS} fps`;
  console.log(JSON.stringify({ figure, value: round2(median(apart)), unit: 'ms a second' }));
  const spread = { value: round2(median(whole)), shown: whole.map(round2) };
  console.log(JSON.stringify({ figure: 'processor, unseen, with the network', ...spread }));
  tell('processor, unseen', cpu, 2, 'ms a second more than without');
  tell('disk, unseen', disk, 1, 'kB a second more than without');
}

function tellBytes() {
  const files = readdirSync('dist/web').filter((name) => /\.(js|css)$/.test(name));
  const bytes = files.map(
    (name) => gzipSync(readFileSync(`dist/web/${name}`), { level: 9 }).length,
  );
  tell('script and style, gzip', [bytes.reduce((sum, each) => sum + each, 0) / 1000], 60, 'kB');
}

/** Memory, what a viewer costs, and the time to the first paint. */
async function tellSeen() {
  const all = { idle: [], two: [], viewer: [], inference: [] };
  let paints = null;
  for (let round = 0; round < rounds; round += 1) {
    const [bare, page] = await Promise.all([
      startDaemon(state, 'bare', { listen: null, model: MODEL }),
      startDaemon(state, 'page', { listen: '127.0.0.1:0', model: MODEL }),
    ]);
    await delay(SETTLE_MS);
    const [bareQuiet, quiet] = await spend([bare, page], seconds);
    all.idle.push(quiet.rss - bareQuiet.rss);

    const leave = look(page.url);
    await delay(2000);
    const [bareSeen, seen] = await spend([bare, page], seconds);
    all.viewer.push((100 * (seen.cpu - bareSeen.cpu)) / bareSeen.inference);
    all.inference.push(bareSeen.inference);

    const leaveSecond = look(page.url);
    const [bareTwo, two] = await spend([bare, page], seconds / 2);
    all.two.push(two.rss - bareTwo.rss);
    leave();
    leaveSecond();
    await bare.end();
    paints ??= await firstPaints(page.url);
    await page.end();
  }
  tell('memory, idle', all.idle, 8, 'MB more than without');
  tell('memory, two viewers', all.two, 15, 'MB more than without');
  const inference = Math.round(median(all.inference) * 10) / 10;
  console.log(
    JSON.stringify({
      figure: `inference, ${MODEL} at ${FPS} fps`,
      value: inference,
      unit: 'ms a second',
    }),
  );
  tell('a viewer at 1 fps', all.viewer, 20, '% of inference');
  if (paints === null) console.error('SKIPPED: first paint, chromium is not installed');
  else tell('first paint', paints, 300, 'ms');
}
