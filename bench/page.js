// What the page costs: bytes to load, time to the first paint, memory idle and with two viewers, processor
// time and disk writes while nobody looks, and a viewer's processor time beside that of inference.
// Usage: npm run bench:page [-- --state FOLDER --rounds 3 --seconds 20]
// (a state folder that has mobilenetd_things installed saves a minute)
// Prints one JSON line a figure with its bar; ends with 1 when a bar is missed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const { values } = parseArgs({
  options: {
    state: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '20' },
  },
});
const [rounds, seconds] = [values.rounds, values.seconds].map(Number);
const state = values.state ?? mkdtempSync(join(tmpdir(), 'mobilenetd-page-'));
/** Clock ticks a second of /proc (Linux has 100 everywhere). */
const TICKS = 100;
const FPS = 10;
const MODEL = 'mobilenetd_things_1.0_128';
const CHROMIUM = '/usr/bin/chromium';

let isGood = true;
function tell(figure, value, bar, unit) {
  const met = value <= bar;
  isGood &&= met;
  console.log(JSON.stringify({ figure, value: Math.round(value * 100) / 100, unit, bar, met }));
}

function median(all) {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
}

/** The daemon as the unit starts it, with or without a page. */
async function start(listen) {
  const file = join(state, 'bench.yaml');
  const config = {
    node: 'bench',
    state_dir: state,
    log: { level: 'info', format: 'json' },
    model: { task: 'classify', name: 'mobilenetd_things' },
    governor: { enabled: false, pin: MODEL },
    mqtt: { embedded: { listen: '127.0.0.1:0' } },
    status: { listen },
    cameras: { demo: { source: 'demo', size: [640, 480], fps: FPS } },
  };
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=2', 'dist/cli/main.js', 'run', '--config', file],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, MALLOC_ARENA_MAX: '2', MOBILENETD_STATE: state },
    },
  );
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const isReady = () => log.includes('"msg":"started"') && (listen === null || urlOf() !== null);
  const urlOf = () => /"url":"(http:[^"]+)"/.exec(log)?.[1] ?? null;
  while (!isReady()) {
    if (child.exitCode !== null) throw new Error(log);
    await delay(100);
  }
  return {
    url: urlOf(),
    cpuMs() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
    },
    rssMb: () =>
      (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) * 1024) /
      1e6,
    writtenBytes: () =>
      Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${child.pid}/io`, 'utf8'))[1]),
    async end() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** A tab that shows one picture a second and hears everything. */
function look(url) {
  const stop = new AbortController();
  const { signal } = stop;
  request(`${url}api/v1/stream`, { signal }, (answer) => answer.resume().on('error', () => {}))
    .on('error', () => {})
    .end();
  const poll = async () => {
    for (let after = -1; !signal.aborted; ) {
      const answer = await fetch(`${url}api/v1/cameras/demo/frame.jpg?after=${after}`, { signal });
      after = Number(answer.headers.get('x-frame-sequence') ?? after);
      await answer.arrayBuffer();
      await delay(1000, undefined, { signal });
    }
  };
  poll().catch(() => {});
  return () => stop.abort();
}

/** Processor milliseconds and disk bytes a second. */
async function spend(daemon) {
  const before = { at: performance.now(), cpu: daemon.cpuMs(), bytes: daemon.writtenBytes() };
  await delay(seconds * 1000);
  const wall = (performance.now() - before.at) / 1000;
  return {
    cpu: (daemon.cpuMs() - before.cpu) / wall,
    bytes: (daemon.writtenBytes() - before.bytes) / wall,
  };
}

async function inferenceMs(url) {
  const text = await (await fetch(`${url}metrics`)).text();
  const of = (what) =>
    [...text.matchAll(new RegExp(`^mobilenetd_inference_duration_seconds_${what}{.*} (.*)$`, 'gm'))]
      .map(([, value]) => Number(value))
      .reduce((sum, value) => sum + value, 0);
  return (1000 * of('sum')) / of('count');
}

async function firstPaint(url) {
  const { chromium } = await import('playwright-core');
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
  ];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args });
  const times = [];
  for (let round = 0; round < 7; round += 1) {
    // A context of its own: nothing is in its cache.
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForSelector('main');
    const paint = `new Promise((resolve) => new PerformanceObserver((list) => {
      const found = list.getEntriesByName('first-contentful-paint')[0];
      if (found) resolve(found.startTime);
    }).observe({ type: 'paint', buffered: true }))`;
    times.push(await page.evaluate(paint));
    await context.close();
  }
  await browser.close();
  return median(times);
}

const files = readdirSync('dist/web').filter((name) => /\.(js|css)$/.test(name));
const bytes = files.map((name) => gzipSync(readFileSync(`dist/web/${name}`), { level: 9 }).length);
tell('script and style, gzip', bytes.reduce((sum, each) => sum + each, 0) / 1000, 60, 'kB');

const rss = { without: [], idle: [], viewers: [] };
const unseen = { without: [], with: [] };
const viewer = [];
const paints = [];
let perFrame = 0;
for (let round = 0; round < rounds; round += 1) {
  const bare = await start(null);
  await delay(15_000);
  unseen.without.push(await spend(bare));
  rss.without.push(bare.rssMb());
  await bare.end();

  const daemon = await start('127.0.0.1:0');
  await delay(15_000);
  const quiet = await spend(daemon);
  unseen.with.push(quiet);
  rss.idle.push(daemon.rssMb());
  const end = look(daemon.url);
  await delay(2000);
  const seen = await spend(daemon);
  viewer.push(seen.cpu - quiet.cpu);
  const endSecond = look(daemon.url);
  await delay(seconds * 1000);
  rss.viewers.push(daemon.rssMb());
  end();
  endSecond();
  perFrame = await inferenceMs(daemon.url);
  if (existsSync(CHROMIUM)) paints.push(await firstPaint(daemon.url));
  await daemon.end();
}
const difference = (a, b, of) => median(a.map((each, index) => of(each) - of(b[index])));
tell(
  'memory, idle',
  difference(rss.idle, rss.without, (each) => each),
  8,
  'MB more than without',
);
tell(
  'memory, two viewers',
  difference(rss.viewers, rss.without, (each) => each),
  15,
  'MB more',
);
tell(
  'processor, unseen',
  difference(unseen.with, unseen.without, ({ cpu }) => cpu),
  // What a clock of 10 ms and other work on the machine make of nothing.
  2,
  'ms a second more than without',
);
tell(
  'disk, unseen',
  difference(unseen.with, unseen.without, ({ bytes: written }) => written) / 1000,
  1,
  'kB a second more than without',
);
console.log(JSON.stringify({ figure: 'inference', value: perFrame * FPS, unit: 'ms a second' }));
tell('a viewer at 1 fps', (100 * median(viewer)) / (perFrame * FPS), 20, '% of inference');
if (paints.length > 0) tell('first paint', median(paints), 300, 'ms');
else console.error('SKIPPED: first paint, chromium is not installed');
if (values.state === undefined) rmSync(state, { recursive: true, force: true });
process.exit(isGood ? 0 : 1);
