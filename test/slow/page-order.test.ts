import type { BrowserContext, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.js';
import { openBrowser, PATIENCE, WITHOUT_BROWSER } from './page-browser.js';
import { PASSWORDS, startPageDaemon } from './page-daemon.js';

t.setTimeout(600_000);

const WAIT = { timeout: PATIENCE };
/** What the page asks for by the clock comes never: only what it asks for itself is seen. */
const WITHOUT_POLLS = `
  const real = window.setTimeout;
  window.setTimeout = (run, ms, ...more) => (ms >= 3000 ? 0 : real(run, ms, ...more));
`;

type Letting = () => Promise<void>;

/** Holds back what the page asks for; each goes on when it is let. */
async function holdBack(page: Page, pattern: string): Promise<readonly Letting[]> {
  const held: Letting[] = [];
  await page.route(pattern, (route) => {
    held.push(async () => {
      const answered = page.waitForResponse((answer) => answer.request() === route.request());
      await route.continue();
      await (await answered).finished();
    });
  });
  return held;
}

async function until(t: Test, what: string, holds: () => boolean | Promise<boolean>) {
  t.ok(await eventually(holds), what);
}

/** Calls what is seen of each label a false alarm. */
async function callWrong(t: Test, context: BrowserContext, url: string, labels: readonly string[]) {
  type Row = { readonly id: string; readonly label: string; readonly box: unknown };
  const eventsOf = async (): Promise<readonly Row[]> =>
    (await context.request.get(`${url}api/v1/events`)).json();
  for (const wanted of labels) {
    const find = async () =>
      (await eventsOf()).find(({ label, box }) => label === wanted && box !== null);
    await until(t, `a ${wanted}`, async () => (await find()) !== undefined);
    const path = `${url}api/v1/events/${(await find())?.id}/wrong`;
    t.equal((await context.request.post(path, { data: {} })).status(), 200);
  }
}

t.test(
  'what is asked for later counts, whichever is answered first',
  { skip: WITHOUT_BROWSER },
  async (t) => {
    const [browser, { url }] = await Promise.all([openBrowser(t), startPageDaemon(t)]);
    const context = await browser.newContext();
    const data = { user: 'anna', password: PASSWORDS.anna };
    t.equal((await context.request.post(`${url}api/v1/login`, { data })).status(), 200);

    await t.test('two false alarms are taken back, one before the other is answered', async (t) => {
      const labels = ['person', 'car'];
      await callWrong(t, context, url, labels);
      const page = await context.newPage();
      await page.addInitScript(WITHOUT_POLLS);
      await page.goto(`${url}#/system`);
      const held = await holdBack(page, '**/api/v1/spots/*/undo');
      const [person, car] = labels.map((label) =>
        page.locator('.spots li', { hasText: `${label} at front` }),
      );
      for (const row of [person, car]) await row?.getByRole('button', { name: 'Undo' }).click(WAIT);
      await until(t, 'both are asked for', () => held.length === 2);
      await held[0]?.();
      await person?.waitFor({ ...WAIT, state: 'detached' });
      await held[1]?.();
      await car?.waitFor({ ...WAIT, state: 'detached' });
      t.pass('neither is shown any more');
      await page.close();
    });

    await t.test('a text that was mended while another was checked', async (t) => {
      const page = await context.newPage();
      await page.goto(`${url}#/configuration`);
      const held = await holdBack(page, '**/api/v1/config/check');
      for (const text of ['node: [', 'node: board\ncameras: { front: { source: demo } }\n']) {
        await page.getByRole('textbox', { name: 'Check a configuration' }).fill(text, WAIT);
        await page.getByRole('button', { name: 'Check', exact: true }).click(WAIT);
      }
      await until(t, 'both are asked for', () => held.length === 2);
      await held[1]?.();
      await page.getByText('No problem was found.').waitFor(WAIT);
      await held[0]?.();
      // By then the page has drawn what it makes of it.
      const drawn = 'new Promise((done) => setTimeout(() => requestAnimationFrame(done), 100))';
      await page.evaluate(drawn);
      t.equal(
        await page.locator('.problems li').count(),
        0,
        'the first text is not judged any more',
      );
      t.ok(await page.getByText('No problem was found.').isVisible());
      await page.close();
    });
  },
);
