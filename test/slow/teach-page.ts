import { existsSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { eventually } from '../eventually.js';
import { type DaemonProcess, runDaemon } from '../integration/daemon-process.js';
import { installNetworks } from '../integration/random-model.js';
import { drawMugs } from './drawn-mugs.js';
import { openBrowser, PATIENCE, WITHOUT_BROWSER, watchFor } from './page-browser.js';

export const WAIT = { timeout: PATIENCE };
/** By it each mug has an embedding of its own, and the spoon is told in every picture that was left out. */
const NETWORK = 'mobilenet_v1_0.25_128_quant';
const MIRROR = process.env.MOBILENETD_MODELS_MIRROR ?? '../shared/models';
export const SKIP = existsSync(join(MIRROR, `${NETWORK}.tflite`))
  ? WITHOUT_BROWSER
  : `there is no ${NETWORK}`;
/** Where pictures of the running test are left, to be looked at; unset: nowhere. */
export const SHOTS = process.env.MOBILENETD_TEST_SHOTS;
/** A mug is in it; 64 of 320 pixels wide. */
const CORNER = [
  [0.2, 0.4],
  [0.4, 0.4],
  [0.4, 0.7],
  [0.2, 0.7],
];

export interface Shown {
  readonly daemon: DaemonProcess;
  readonly folder: string;
  readonly url: string;
  /** Writes the configuration anew, with or without the zone `corner`. */
  readonly configure: (hasZone: boolean) => void;
  readonly page: Page;
  readonly problems: readonly string[];
  /** Exchanges what stands before the camera. */
  readonly show: (pictures: string) => void;
  readonly mugs: Readonly<Record<'few' | 'with' | 'fewWithout' | 'without' | 'others', string>>;
}

/** A daemon whose camera sees what the test puts before it. */
export async function startPage(t: Test): Promise<Shown> {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20 }));
  // Of few nobody can have taught more by the time that the page says so.
  const mugs = {
    few: await drawMugs(folder, 'few', { from: 1, count: 3, hasSpoon: true }),
    fewWithout: await drawMugs(folder, 'few-without', { from: 100, count: 3, hasSpoon: false }),
    others: await drawMugs(folder, 'others', { from: 300, count: 3, hasSpoon: false }),
    with: await drawMugs(folder, 'with', { from: 1, count: 24, hasSpoon: true }),
    without: await drawMugs(folder, 'without', { from: 100, count: 80, hasSpoon: false }),
  };
  const seen = join(folder, 'seen');
  symlinkSync(mugs.with, seen);
  await installNetworks(folder, [NETWORK], MIRROR);
  const config = join(folder, 'config.yaml');
  const camera = { source: 'files', path: seen, fps: 5, loop: true };
  const configure = (hasZone: boolean) =>
    writeFileSync(
      config,
      JSON.stringify({
        ...{ node: 'board', log: { format: 'json' }, model: { task: 'classify', name: NETWORK } },
        ...{ mqtt: { embedded: { listen: '127.0.0.1:0' } }, status: { listen: '127.0.0.1:0' } },
        store: { pictures: { enabled: false } },
        cameras: { table: { ...camera, ...(hasZone && { zones: { corner: { area: CORNER } } }) } },
      }),
    );
  configure(true);
  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.end('SIGTERM'));
  const url = () => /"url":"(http:[^"]+)"/.exec(daemon.log())?.[1];
  if (!(await eventually(() => url() !== undefined))) throw new Error(daemon.log());
  const browser = await openBrowser(t);
  const page = await browser.newPage({ viewport: { width: 900, height: 1300 } });
  const problems: string[] = [];
  watchFor(page, problems);
  await page.goto(`${url()}#/system`);
  await page.locator('.teach-live img').waitFor(WAIT);
  const show = (pictures: string) => {
    unlinkSync(seen);
    symlinkSync(pictures, seen);
  };
  return { page, problems, show, mugs, daemon, folder, url: `${url()}`, configure };
}
