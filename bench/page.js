// What the page costs: bytes to load, time to the first paint, memory idle and with two viewers, processor
// time and disk writes while nobody looks, and a viewer's processor time beside that of inference.
// Usage: npm run bench:page [-- --state FOLDER --rounds 3 --seconds 10]
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
import { MODEL, prepare } from './page/prepared.js';
import { look } from './page/viewer.js';

const { values } = parseArgs({
  options: {
    state: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
  },
});
const [rounds, seconds] = [values.rounds, values.seconds].map(Number);
const state = values.state ?? mkdtempSync(join(tmpdir(), 'mobilenetd-page-'));
/** A daemon's first seconds have work of their own. */
const SETTLE_MS = 8000;

let isGood = true;
function tell(figure, all, bar, unit) {
  const value = median(all);
  const met = value <= bar;
  isGood &&= met;
  const shown = all.map((each) => Math.round(each * 10) / 10);
  console.log(
    JSON.stringify({ figure, value: Math.round(value * 100) / 100, unit, bar, met, shown }),
  );
}

function median(all) {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
}

/** What two daemons spend in the same seconds, and with how much memory they end. */
async function spend(daemons, forS = seconds) {
  const before = daemons.map((daemon) => daemon.usage());
  const begun = performance.now();
  await delay(forS * 1000);
  const wall = (performance.now() - begun) / 1000;
  return daemons.map((daemon, index) => {
    const after = daemon.usage();
    const rate = (of) => (of(after) - of(before[index])) / wall;
    return {
      cpu: rate(({ cpuMs }) => cpuMs),
      inference: rate(({ inferenceMs }) => inferenceMs),
      bytes: rate(({ writtenBytes }) => writtenBytes),
      rss: after.rssMb,
    };
  });
}

const files = readdirSync('dist/web').filter((name) => /\.(js|css)$/.test(name));
const bytes = files.map((name) => gzipSync(readFileSync(`dist/web/${name}`), { level: 9 }).length);
tell('script and style, gzip', [bytes.reduce((sum, each) => sum + each, 0) / 1000], 60, 'kB');

mkdirSync(state, { recursive: true, mode: 0o700 });
prepare(state, writeConfig(state, 'measure', null));
const [load] = loadavg();
console.log(JSON.stringify({ figure: 'load of the machine before', value: load }));
const all = { idle: [], two: [], unseen: [], disk: [], viewer: [], inference: [] };
let paints = null;
for (let round = 0; round < rounds; round += 1) {
  const [bare, page] = await Promise.all([
    startDaemon(state, 'bare', null),
    startDaemon(state, 'page', '127.0.0.1:0'),
  ]);
  await delay(SETTLE_MS);
  const [bareQuiet, quiet] = await spend([bare, page]);
  all.idle.push(quiet.rss - bareQuiet.rss);
  all.unseen.push(quiet.cpu - bareQuiet.cpu);
  all.disk.push((quiet.bytes - bareQuiet.bytes) / 1000);

  const leave = look(page.url);
  await delay(2000);
  const [bareSeen, seen] = await spend([bare, page]);
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
// What a clock of 10 ms and other work on the machine make of nothing.
tell('processor, unseen', all.unseen, 2, 'ms a second more than without');
tell('disk, unseen', all.disk, 1, 'kB a second more than without');
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
if (values.state === undefined) rmSync(state, { recursive: true, force: true });
process.exit(isGood ? 0 : 1);
