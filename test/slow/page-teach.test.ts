// A process of its own: it starts a daemon and a browser
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.js';
import { runDaemon } from '../integration/daemon-process.js';
import { installNetworks } from '../integration/random-model.js';
import { drawMugs } from './drawn-mugs.js';
import { openBrowser, PATIENCE, WITHOUT_BROWSER, watchFor } from './page-browser.js';

t.setTimeout(900_000);

const WAIT = { timeout: PATIENCE };
/** Where pictures of the running test are left, to be looked at; unset: nowhere. */
const SHOTS = process.env.MOBILENETD_TEST_SHOTS;
/** A mug is in it; 64 of 320 pixels wide. */
const CORNER = [
  [0.2, 0.4],
  [0.4, 0.4],
  [0.4, 0.7],
  [0.2, 0.7],
];

interface Shown {
  readonly page: Page;
  readonly problems: readonly string[];
  /** Exchanges what stands before the camera. */
  readonly show: (pictures: string) => void;
  readonly mugs: Readonly<Record<'with' | 'without', string>>;
}

/** A daemon with the smallest network of the package, whose camera sees what the test puts before it. */
async function start(t: Test): Promise<Shown> {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20 }));
  const mugs = {
    with: await drawMugs(folder, 'with', { from: 1, count: 30, hasSpoon: true }),
    without: await drawMugs(folder, 'without', { from: 100, count: 30, hasSpoon: false }),
  };
  const seen = join(folder, 'seen');
  symlinkSync(mugs.with, seen);
  const network = 'mobilenetd_things_0.25_96';
  await installNetworks(folder, [network]);
  const config = join(folder, 'config.yaml');
  const camera = { source: 'files', path: seen, fps: 5, loop: true };
  writeFileSync(
    config,
    JSON.stringify({
      ...{ node: 'board', log: { format: 'json' }, model: { task: 'classify', name: network } },
      ...{ mqtt: { embedded: { listen: '127.0.0.1:0' } }, status: { listen: '127.0.0.1:0' } },
      store: { pictures: { enabled: false } },
      cameras: { table: { ...camera, zones: { corner: { area: CORNER } } } },
    }),
  );
  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.end('SIGTERM'));
  const url = () => /"url":"(http:[^"]+)"/.exec(daemon.log())?.[1];
  if (!(await eventually(() => url() !== undefined))) throw new Error(daemon.log());
  const browser = await openBrowser(t);
  const page = await browser.newPage({ viewport: { width: 900, height: 1300 } });
  const problems: string[] = [];
  watchFor(page, problems);
  await page.goto(`${url()}#/system`);
  await page.getByLabel('What it is called').waitFor(WAIT);
  const show = (pictures: string) => {
    unlinkSync(seen);
    symlinkSync(pictures, seen);
  };
  return { page, problems, show, mugs };
}

/** What the wizard says now. */
async function told(page: Page) {
  const texts = await page.locator('.teach-worth p').allTextContents();
  const status = (await page.locator('.wide [role=status]').first().textContent()) ?? '';
  const [, kept, same] = /(\d+) kept, (\d+) left out/.exec(status) ?? [];
  return { texts, kept: Number(kept ?? 0), same: Number(same ?? 0) };
}

type Told = Awaited<ReturnType<typeof told>>;

/** Holds the button until what is told has it; resolves with everything that was told meanwhile. */
async function hold(page: Page, name: string, isEnough: (now: Told) => boolean): Promise<Told[]> {
  const button = page.locator('button.hold');
  await button.scrollIntoViewIfNeeded();
  await button.hover();
  const all: Told[] = [];
  await page.mouse.down();
  const came = await eventually(async () => {
    all.push(await told(page));
    return isEnough(all.at(-1) as Told);
  });
  if (SHOTS !== undefined)
    await page.screenshot({ path: join(SHOTS, `teach-${name}.png`), fullPage: true });
  await page.mouse.up();
  await page.getByRole('button', { name: 'Hold to record' }).waitFor(WAIT);
  if (!came) throw new Error(`${name}: ${JSON.stringify(all.slice(-3))}`);
  return all;
}

const saying = (pattern: RegExp) => (now: Told) => now.texts.some((text) => pattern.test(text));
const figuresIn = (all: readonly Told[]) =>
  new Set(all.flatMap(({ texts }) => texts.filter((text) => text.startsWith('So far:'))));

t.test(
  'the wizard tells what is worth while the button is held',
  { skip: WITHOUT_BROWSER },
  async (t) => {
    const { page, problems, show, mugs } = await start(t);
    await page.getByLabel('What it is called').fill('spoon');
    const first = await hold(
      page,
      'with',
      (now) => now.kept >= 8 && now.same >= 5 && saying(/So far/)(now),
    );
    t.ok(first.some(saying(/too few|add \d+ or more, each from another side/)), 'it asks for more');
    t.ok(
      saying(/no pictures without any of these: add 20/)(first.at(-1) as Told),
      'and the opposite',
    );
    t.ok(figuresIn(first).size >= 1);
    t.notOk(first.some(saying(/well enough/)), 'nothing is called good without an opposite');

    show(mugs.without);
    await page.getByRole('button', { name: 'It is not there', exact: true }).click();
    const second = await hold(
      page,
      'without',
      (now) => now.kept >= 8 && !saying(/without any/)(now),
    );
    t.ok(figuresIn([...first, ...second]).size >= 2, 'figures move while pictures come');

    // Another label of the place, of which there are few pictures.
    await page.getByRole('button', { name: 'It is there', exact: true }).click();
    await page.getByLabel('What it is called').fill('mug');
    await hold(page, 'few', saying(/mug has .*another label has \d+/));

    // A place that is a few pixels wide.
    await page.getByLabel('Place').selectOption('corner');
    await page.getByLabel('What it is called').fill('handle');
    await hold(page, 'small', saying(/handle is only \d\d pixels small/));
    t.same(problems, [], 'no console error');
  },
);
