import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { soak } from './soak.js';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const CLOSED = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Longest wait for anything, ms: far beyond what a loaded machine takes. */
export const PATIENCE = 90_000;
export const WITHOUT_BROWSER = existsSync(CHROMIUM) ? false : 'chromium is not installed';
export const TABS = ['cameras', 'events', 'heat', 'system', 'configuration'] as const;
/** What every page is looked at in, one after the other: to open it anew for each is most of the work. */
export const LOOKS = ([360, 768, 1440] as const).flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
);

/** In what axe looks for what somebody cannot see or reach: each width and both kinds of colours; a soak has all. */
export const AXE_LOOKS = soak(
  LOOKS.filter((_, index) => [0, 3, 4].includes(index)),
  LOOKS,
);

export async function openBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [...FLAGS, ...CLOSED],
  });
  t.teardown(() => browser.close());
  return browser;
}

/** How wide a page is, and its colours, while it is open. */
export async function lookThrough(
  page: Page,
  { width, colorScheme }: { readonly width: number; readonly colorScheme: 'light' | 'dark' },
  height = 800,
): Promise<void> {
  await page.setViewportSize({ width, height });
  // Colours that slide into each other are none of the two.
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
}

/** Problems a browser tells: errors of scripts, of the console and of the content policy. */
export function watchFor(page: Page, problems: string[]): void {
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => problems.push(error.message));
}

/** Waits until a page has its content. */
export async function contentOf(page: Page): Promise<void> {
  await page.waitForSelector('main .card, main .empty', { timeout: PATIENCE });
}

/** What axe finds serious on a page, in short; the page was opened with `bypassCSP`. */
export async function seriousOf(page: Page): Promise<string> {
  const axe = await import('axe-core');
  await page.evaluate(axe.default.source);
  return page.evaluate(
    `axe.run().then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ' ' + nodes[0].html.slice(0, 120)).join('; '))`,
  );
}
