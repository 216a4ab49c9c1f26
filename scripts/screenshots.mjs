#!/usr/bin/env node
// Pictures of the page for README and docs/page.md, taken in Chromium from the running demo.
// usage: node scripts/screenshots.mjs [--check] [--only NAME]
// With --check nothing is written and nothing left to run: pictures are taken, and names, sizes in pixels and
// bytes of those in docs/pictures are held against them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import sharp from 'sharp';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const { values } = parseArgs({
  options: { check: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const FOLDER = 'docs/pictures';
const CHROMIUM = '/usr/bin/chromium';
const SIZE = { width: 1120, height: 720 };
const MAX_BYTES = 60_000;
const PATIENCE = { timeout: 300_000 };
/** Sizes do not depend on what has happened meanwhile. */
const CHECK_MS = 1000;

/** What is shown: a demo, a page of it, what must be there and is looked at, and how long it is left to run first. */
const SHOTS = [
  {
    name: 'page-cameras',
    demo: [],
    route: 'cameras',
    shows: '.overlay .box',
    colorScheme: 'light',
  },
  {
    ...{ name: 'page-events', demo: [], route: 'events', shows: 'img.thumb', colorScheme: 'light' },
    waitMs: 45_000,
  },
  {
    ...{ name: 'page-teach', demo: [], route: 'system', shows: '.teach-live img' },
    ...{ colorScheme: 'light', fill: ['What it is called', 'red light'] },
  },
  {
    ...{ name: 'page-heat', demo: ['--board', 'pi4-case'], route: 'heat', shows: '.chart canvas' },
    ...{ colorScheme: 'dark', waitMs: 100_000 },
  },
];

async function startDemo(args) {
  const child = spawn('npm', ['run', '--silent', 'demo', '--', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MOBILENETD_NODE: 'porch' },
    detached: true,
  });
  const lines = createInterface({ input: child.stdout });
  const failed = once(child, 'exit').then(([status]) => {
    throw new Error(`the demo ended with ${status} before it had a page`);
  });
  const [first] = await Promise.race([once(lines, 'line'), failed]);
  failed.catch(() => {});
  return {
    url: JSON.parse(first).page,
    async end() {
      process.kill(-child.pid, 'SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function take(browser, url, { route, shows, fill = null, colorScheme, waitMs = 5000 }) {
  const page = await browser.newPage({ viewport: SIZE, colorScheme, locale: 'en-GB' });
  await page.goto(`${url}#/${route}`);
  await page.waitForSelector(shows, PATIENCE);
  await page.waitForTimeout(values.check ? CHECK_MS : waitMs);
  await page.waitForSelector(shows, PATIENCE);
  if (fill !== null) await page.getByLabel(fill[0]).fill(fill[1]);
  const isBelow = (element) => element.getBoundingClientRect().bottom > innerHeight;
  const shown = page.locator(shows).first();
  if (await shown.evaluate(isBelow)) {
    await shown.evaluate((element) => element.closest('.card').scrollIntoView());
  }
  const png = await page.screenshot();
  await page.close();
  return sharp(png).webp({ quality: 82, effort: 6 }).toBuffer();
}

if (!existsSync(CHROMIUM)) {
  console.log('SKIPPED: chromium is not installed');
  process.exit(0);
}
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
const taken = new Map();
const wanted = SHOTS.filter(({ name }) => values.only === undefined || name === values.only);
for (const demo of new Set(wanted.map((shot) => shot.demo.join(' ')))) {
  const running = await startDemo(demo === '' ? [] : demo.split(' '));
  for (const shot of wanted.filter((each) => each.demo.join(' ') === demo)) {
    taken.set(`${shot.name}.webp`, await take(browser, running.url, shot));
  }
  await running.end();
}
await browser.close();

const problems = [];
if (!values.check) mkdirSync(FOLDER, { recursive: true });
for (const [name, bytes] of taken) {
  if (bytes.length > MAX_BYTES) problems.push(`${name} has ${bytes.length} bytes`);
  const file = join(FOLDER, name);
  if (!values.check) {
    writeFileSync(file, bytes);
    console.log(`${file} ${bytes.length} bytes`);
  } else if (!existsSync(file)) problems.push(`${file} is missing`);
  else {
    const kept = await sharp(readFileSync(file)).metadata();
    const now = await sharp(bytes).metadata();
    if (kept.width !== now.width || kept.height !== now.height) problems.push(`${file}: size`);
    if (readFileSync(file).length > MAX_BYTES) problems.push(`${file} is too large`);
  }
}
const pages = ['README.md', 'docs/page.md'].map((page) => readFileSync(page, 'utf8')).join('');
for (const name of existsSync(FOLDER) ? readdirSync(FOLDER) : []) {
  if (!name.startsWith('page-')) continue;
  if (!SHOTS.some((shot) => `${shot.name}.webp` === name))
    problems.push(`${name} is taken by nobody`);
  if (values.check && !pages.includes(name)) problems.push(`${name} is shown nowhere`);
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
