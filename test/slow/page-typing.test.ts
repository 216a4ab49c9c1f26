import type { ElementHandle, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { openBrowser, PATIENCE, TABS, WITHOUT_BROWSER, watchFor } from './page-browser.js';
import { PASSWORDS, startPageDaemon } from './page-daemon.js';

t.setTimeout(600_000);

const WAIT = { timeout: PATIENCE };
/** Everything of a page that is typed into, chosen from, dragged or switched. */
const FIELDS = 'main :is(input, textarea, select)';
/** Told by the browser of an answer of somebody who is not logged in any more. */
const REFUSED = /status of 401/;

/** Counts what the daemon tells of its state, after which the page has drawn itself anew. */
const COUNTING = `
  window.ticks = 0;
  const Source = window.EventSource;
  window.EventSource = class extends Source {
    constructor(url) {
      super(url);
      this.addEventListener('state', () => setTimeout(() => window.ticks++, 50));
    }
  };
`;

async function ticks(page: Page, count = 2): Promise<void> {
  const now = () => page.evaluate<number>('window.ticks');
  const before = await now();
  while ((await now()) < before + count) await page.waitForTimeout(100);
}

async function logIn(page: Page): Promise<void> {
  await page.getByLabel('User name').fill('anna', WAIT);
  await page.getByLabel('Password').fill(PASSWORDS.anna);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForSelector('main .card:not(.login)', WAIT);
}

/** What the test reads of a field in the browser. */
interface Input {
  readonly value: string;
  readonly checked: boolean;
  readonly type: string;
  readonly isConnected: boolean;
  readonly ariaLabel: string | null;
  readonly outerHTML: string;
  readonly options: Iterable<{ readonly value: string }>;
  closest(selector: string): { readonly textContent: string } | null;
}
type Field = ElementHandle<Input>;

/** Puts something into a field, slowly; resolves with what it must show from then on. */
async function use(page: Page, field: Field, kind: string): Promise<string> {
  if (kind === 'checkbox') {
    const was = await field.isChecked();
    await field.click();
    return String(!was);
  }
  if (kind === 'select-one') {
    const all = await field.evaluate(({ options }) => [...options].map(({ value }) => value));
    const last = all.at(-1) ?? '';
    await field.selectOption(last);
    return last;
  }
  if (kind === 'range') {
    await field.press('ArrowRight');
    return field.inputValue();
  }
  const [first, second] = kind === 'number' ? ['7', '1'] : ['ca', 'r'];
  await field.press('Control+a');
  await field.type(first);
  await ticks(page);
  await field.type(second);
  return first + second;
}

const shown = (field: Field, kind: string): Promise<string> =>
  field.evaluate(
    ({ value, checked }, isSwitch) => (isSwitch ? String(checked) : value),
    kind === 'checkbox',
  );

t.test(
  'what is typed into any field of the page stays while the daemon tells its state',
  { skip: WITHOUT_BROWSER },
  async (t) => {
    const [browser, { url }] = await Promise.all([openBrowser(t), startPageDaemon(t)]);
    const page = await browser.newPage();
    await page.addInitScript(COUNTING);
    const problems: string[] = [];
    watchFor(page, problems);
    await page.goto(url);
    await logIn(page);
    // So that every page has all that it can have.
    await page.goto(`${url}#/events`);
    await page.locator('a.event').first().waitFor(WAIT);
    let count = 0;
    for (const tab of TABS) {
      await page.goto(`${url}#/${tab}`);
      await ticks(page, 3);
      const fields = (await page.$$(FIELDS)) as unknown as Field[];
      // The last first: which zones there are to choose from follows from the camera before it.
      for (const field of fields.reverse()) count += await staysIn(t, page, field, tab);
    }
    t.ok(count >= 14, `${count} fields`);

    await t.test('and outlives another tab, and a login that has run out', async (t) => {
      const pasted = page.getByRole('textbox', { name: 'Check a configuration' });
      const text = 'node: porch\ncameras: {}\n';
      await page.goto(`${url}#/configuration`);
      await pasted.fill(text, WAIT);
      await page.goto(`${url}#/heat`);
      await page.waitForSelector('.heat', WAIT);
      await page.goto(`${url}#/configuration`);
      t.equal(await pasted.inputValue(), text, 'another tab');
      await page.evaluate(`fetch('api/v1/logout', {
        method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' },
      })`);
      await page.waitForSelector('.login', WAIT);
      t.equal(await page.locator('.banner').count(), 0, 'nobody is one viewer too many');
      await logIn(page);
      t.equal(await pasted.inputValue(), text, 'a login');
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.waitForSelector('.login', WAIT);
      await logIn(page);
      t.equal(await pasted.inputValue(), '', 'but not that somebody logs out');
    });

    t.same(
      problems.filter((problem) => !REFUSED.test(problem)),
      [],
      'nothing was wrong in the console',
    );
  },
);

/** 1 for a field that keeps what was put into it, 0 for one that cannot be used. */
async function staysIn(t: Test, page: Page, field: Field, tab: string): Promise<number> {
  if (!(await field.isEnabled())) return 0;
  const kind: string = await field.evaluate(({ type }) => type);
  const name: string = await field.evaluate(
    (input) => input.closest('label')?.textContent ?? input.ariaLabel ?? input.outerHTML,
  );
  const wanted = await use(page, field, kind);
  // By then a value that was set is in force, and one that was not is still a draft.
  await ticks(page, 4);
  const isThere = await field.evaluate((input) => input.isConnected);
  t.ok(isThere, `${tab}: ${name.slice(0, 60)} is still the same field`);
  t.equal(await shown(field, kind), wanted, `${tab}: ${name.slice(0, 60)}`);
  return 1;
}
