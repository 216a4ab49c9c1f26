// A process of its own: it starts a daemon and a browser
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page, Request, Route } from 'playwright-core';
import t from 'tap';
import { eventually } from '../eventually.js';
import { SHOTS, SKIP, startPage, WAIT } from './teach-page.js';

t.setTimeout(900_000);

const HOLD = 'button.hold';

/** Ids that the page has asked to end, in order. */
function endsOf(page: Page): string[] {
  const ids: string[] = [];
  page.on('request', (request: Request) => {
    if (request.url().endsWith('/teach/end')) ids.push(request.postDataJSON().id);
  });
  return ids;
}

/** Answers to `record` wait until they are let through, each by its number. */
async function slowly(page: Page) {
  const waiting: Route[] = [];
  await page.route('**/teach/record', (route) => {
    waiting.push(route);
  });
  const came = async (count: number) =>
    (await eventually(() => waiting.length >= count)) || Promise.reject(new Error('none asked'));
  return {
    came,
    /** The daemon's own answer, now. */
    through: async (n: number) => {
      const route = waiting[n] as Route;
      const response = await route.fetch();
      await route.fulfill({ response });
      return (await response.json()) as { readonly id: string };
    },
    refuse: (n: number, message: string) =>
      (waiting[n] as Route).fulfill({ status: 409, json: { code: 'MND_TEACH_BUSY', message } }),
    rest: () => page.unroute('**/teach/record'),
  };
}

async function shot(page: Page, name: string): Promise<void> {
  if (SHOTS === undefined) return;
  for (const width of [390, 900]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 1300 });
      await page.emulateMedia({ colorScheme });
      await page.screenshot({
        path: join(SHOTS, `hold-${name}-${width}-${colorScheme}.png`),
        fullPage: true,
      });
    }
  }
}

t.test('presses that overtake each other, and what ends a recording', { skip: SKIP }, async (t) => {
  const { page, show, mugs, daemon, folder, url, configure } = await startPage(t);
  const ends = endsOf(page);
  const button = page.locator(HOLD);
  const status = page.locator('.wide [role=status]').first();
  const alert = page.locator('.wide [role=alert]');
  const says = (pattern: RegExp) =>
    eventually(async () => pattern.test((await status.textContent()) ?? ''));
  const recordings = async () => {
    const answer = await page.request.get(new URL('api/v1/teach', url).href);
    return (await answer.json()).recordings as { id: string; state: string; kept: number }[];
  };
  const isOver = (id: string) =>
    eventually(
      async () => (await recordings()).find((each) => each.id === id)?.state !== 'recording',
    );
  // The page may still tell what an older one has kept.
  const keeps = () =>
    eventually(async () =>
      (await recordings()).some(({ state, kept }) => state === 'recording' && kept > 0),
    );
  // What is above may have moved the button.
  const press = async () => {
    await button.hover(WAIT);
    await page.mouse.down();
  };
  const letGo = async () => {
    await page.mouse.up();
    await page.getByRole('button', { name: 'Hold to record' }).waitFor(WAIT);
  };
  await page.getByLabel('What it is called').fill('spoon');

  // The first press is refused when the second is held already: that one is ended all the same.
  let slow = await slowly(page);
  await press();
  t.match(await button.textContent(), /Getting ready/, 'not recording yet, and it says so');
  await slow.came(1);
  await letGo();
  await press();
  await slow.came(2);
  const second = await slow.through(1);
  await page.getByRole('button', { name: 'Recording …' }).waitFor(WAIT);
  await slow.refuse(0, 'too many');
  t.ok(await says(/\d+ kept/));
  t.equal(await alert.count(), 0, 'what an older press was answered is not told of this one');
  await letGo();
  t.ok(await eventually(() => ends.includes(second.id)), 'ended by its own id');
  t.ok(await isOver(second.id));
  await slow.rest();

  // The first press is answered last: the page tells the second one.
  slow = await slowly(page);
  await press();
  await slow.came(1);
  await letGo();
  await press();
  await slow.came(2);
  const newer = await slow.through(1);
  await page.getByRole('button', { name: 'Recording …' }).waitFor(WAIT);
  const older = await slow.through(0);
  t.ok(await eventually(() => ends.includes(older.id)), 'the older one ends');
  t.ok(
    await page.getByRole('button', { name: 'Recording …' }).isVisible(),
    'the newer one does not',
  );
  await letGo();
  t.ok(await isOver(newer.id));
  t.ok(await isOver(older.id));
  await slow.rest();

  // Another button of the mouse, and a second key, hold nothing and let nothing go.
  const before = (await recordings()).length;
  await page.mouse.down({ button: 'right' });
  await page.mouse.up({ button: 'right' });
  await press();
  await page.getByRole('button', { name: 'Recording …' }).waitFor(WAIT);
  await page.keyboard.press('Space');
  t.ok(await page.getByRole('button', { name: 'Recording …' }).isVisible());
  t.equal((await recordings()).length, Math.min(16, before + 1));
  await shot(page, 'held');
  await button.hover(WAIT);
  await letGo();

  // By key.
  await button.focus();
  await page.keyboard.down('Enter');
  await page.getByRole('button', { name: 'Recording …' }).waitFor(WAIT);
  await page.keyboard.up('Enter');
  await page.getByRole('button', { name: 'Hold to record' }).waitFor(WAIT);

  // Taken back by another browser in the middle: the recording says so, and keeps nothing.
  show(mugs.without);
  await press();
  t.ok(await keeps());
  const headers = "{ 'Content-Type': 'application/json' }";
  const undo = `fetch('api/v1/teach/undo', { method: 'POST', headers: ${headers}, body: '{}' })`;
  t.ok(await page.evaluate(`${undo}.then(({ ok }) => ok)`));
  t.ok(await says(/pictures were taken back.*take the pictures again/));
  t.match(await button.textContent(), /It has ended: let go/, 'nothing was recorded');
  await shot(page, 'taken');
  await button.hover(WAIT);
  await letGo();

  // By this one after it.
  await press();
  t.ok(await keeps());
  await letGo();
  await page.getByRole('button', { name: 'Take the last pictures back' }).click();
  await page.getByText(/Taken back: \d+ pictures? of spoon/).waitFor(WAIT);
  await shot(page, 'undone');
  await page.route('**/teach/undo', (route) =>
    route.fulfill({ status: 507, json: { code: 'MND_TEACH_DISK', message: 'the disk is full' } }),
  );
  await page.getByRole('button', { name: 'Take the last pictures back' }).click();
  await page.getByText('the disk is full').waitFor(WAIT);
  await page.unroute('**/teach/undo');

  // Who goes to another view has let go.
  await press();
  await page.getByRole('button', { name: 'Recording …' }).waitFor(WAIT);
  await page.goto(`${url}#/events`);
  const all = async () => (await recordings()).every(({ state }) => state !== 'recording');
  t.ok(await eventually(all));
  await page.mouse.up();
  await page.goto(`${url}#/system`);

  // A reload that takes the zone away ends it, whoever holds.
  await press();
  await page.getByRole('button', { name: 'Recording …' }).waitFor(WAIT);
  configure(false);
  daemon.child.kill('SIGHUP');
  t.ok(await says(/restarted or has another configuration/));
  await page.getByRole('button', { name: /let go/ }).waitFor(WAIT);
  await shot(page, 'gone');
  await letGo();

  // Nothing comes from the camera.
  const empty = join(folder, 'nothing');
  mkdirSync(empty);
  show(empty);
  await press();
  t.ok(await says(/No picture comes from this camera/));
  await shot(page, 'idle');
  await letGo();
});
