import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';
import type { BrowserContext, Page } from 'playwright-core';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { eventually } from '../eventually.js';
import { openBrowser, PATIENCE, WITHOUT_BROWSER, watchFor } from './page-browser.js';
import { PASSWORDS, startPageDaemon } from './page-daemon.js';
import { appearanceOf, notesOf, takeNotes } from './page-notes.js';

/** Told by the browser of every answer that is no good one: a wrong login is one. */
const REFUSED = /status of 401/;
const WAIT = { timeout: PATIENCE };

async function logIn(page: Page, user: string, password: string): Promise<void> {
  await page.getByLabel('User name').fill(user, WAIT);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

const card = (page: Page, camera: string) =>
  page.locator('article.camera').filter({ has: page.locator(`[data-camera="${camera}"]`) });

t.test(
  'forms of the page, by those who may and those who may not',
  { skip: WITHOUT_BROWSER },
  async (t) => {
    const [browser, daemon] = await Promise.all([openBrowser(t), startPageDaemon(t)]);
    const { url } = daemon;
    const client = await mqtt.connectAsync(daemon.broker);
    t.teardown(() => client.endAsync());
    const values = new Map<string, string>();
    client.on('message', (topic, payload) => values.set(topic, payload.toString()));
    await client.subscribeAsync('mobilenetd/board/#');
    const until = async (topic: string, wanted: string) => {
      const isTold = () => values.get(`mobilenetd/board/${topic}`) === wanted;
      if (!(await eventually(isTold))) throw new Error(`${topic} does not become ${wanted}`);
    };
    const problems: string[] = [];
    const open = async (context: BrowserContext, route: string) => {
      const page = await context.newPage();
      watchFor(page, problems);
      await page.goto(`${url}#/${route}`);
      return page;
    };

    await t.test('who may look sees, and sets nothing', async (t) => {
      const context = await browser.newContext();
      const page = await open(context, 'cameras');
      await logIn(page, 'bert', 'not it');
      await page.waitForSelector('.login .problem', WAIT);
      await logIn(page, 'bert', PASSWORDS.bert);
      await card(page, 'front').locator('.overlay .box').first().waitFor(WAIT);
      t.equal(await card(page, 'front').getByRole('switch').isDisabled(), true);
      await page.goto(`${url}#/configuration`);
      await page.getByText('Only an administrator').waitFor(WAIT);
      await page.goto(`${url}#/events`);
      await page.locator('a.event').first().click(WAIT);
      await page.waitForSelector('.event-page', WAIT);
      t.equal(await page.getByRole('button', { name: 'Delete' }).count(), 0);
      t.equal(await page.getByRole('button', { name: 'Wrong' }).count(), 0);
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.waitForSelector('.login', WAIT);
      await context.close();
    });

    const context = await browser.newContext({
      permissions: ['clipboard-read', 'clipboard-write'],
      acceptDownloads: true,
    });
    const page = await open(context, 'cameras');
    await logIn(page, 'anna', PASSWORDS.anna);
    await card(page, 'front').waitFor(WAIT);

    await t.test('a box is on the live picture within two seconds of its event', async (t) => {
      const looking = await context.newPage();
      watchFor(looking, problems);
      await takeNotes(looking);
      await looking.goto(`${url}#/cameras`);
      const front = card(looking, 'front');
      await front.locator('.overlay .box').first().waitFor(WAIT);
      await front.getByRole('switch').click();
      await until('front/detect/state', 'OFF');
      await front.locator('.state.disabled').waitFor(WAIT);
      const begun: { readonly id: string; readonly label: string; readonly at: number }[] = [];
      client.on('message', (topic, payload) => {
        if (topic !== 'mobilenetd/board/front/events') return;
        const { id, type, label } = JSON.parse(payload.toString());
        if (type === 'new') begun.push({ id, label, at: Date.now() });
      });
      await front.getByRole('switch').click();
      const appearances = async () => {
        const notes = await notesOf(looking);
        return begun.map((event) => ({ ...event, shown: appearanceOf(notes, event.id) }));
      };
      await eventually(async () => {
        const all = await appearances();
        return all.length >= 2 && all.every(({ shown }) => shown !== null);
      });
      const all = await appearances();
      t.same(all.map(({ label }) => label).toSorted(), ['car', 'person']);
      for (const { label, at, shown } of all) {
        // The daemon tells its state once a second.
        t.ok(shown !== null && shown.states <= 2, `${label}: ${JSON.stringify(shown)}`);
        if (shown !== null) t.comment(`${label}: ${shown.at - at} ms after the event on MQTT`);
      }
      await looking.close();
    });

    await t.test('a threshold is set, told, and taken back', async () => {
      const front = card(page, 'front');
      await front.getByRole('slider').press('End');
      await until('front/threshold/state', '0.95');
      await front.locator('output', { hasText: '0.95' }).waitFor(WAIT);
      await page.goto(`${url}#/system`);
      await page.getByText('threshold/front is set to 0.95', { exact: false }).waitFor(WAIT);
      await page.goto(`${url}#/cameras`);
      await front.getByRole('button', { name: 'As configured' }).click(WAIT);
      await until('front/threshold/state', '0.6');
    });

    await t.test('events of a zone, as a list and as CSV', async (t) => {
      await page.goto(`${url}#/events`);
      await page.locator('a.event', { hasText: 'car' }).first().waitFor(WAIT);
      await page.getByLabel('Zone').selectOption('porch');
      await page
        .locator('a.event', { hasText: 'car' })
        .first()
        .waitFor({ ...WAIT, state: 'detached' });
      await page.locator('a.event', { hasText: 'person' }).first().waitFor(WAIT);
      const [download] = await Promise.all([
        page.waitForEvent('download', WAIT),
        page.getByRole('link', { name: 'Save as CSV' }).click(),
      ]);
      const lines = readFileSync(await download.path(), 'utf8')
        .trim()
        .split('\r\n');
      t.match(lines[0], /^id,camera,label/);
      t.ok(
        lines.length > 1 && lines.slice(1).every((line) => line.includes(',person,')),
        'of the zone',
      );
    });

    await t.test(
      'a false alarm is called one, and that is taken back, here and in the list',
      async (t) => {
        await page.goto(`${url}#/events`);
        await page.locator('a.event', { hasText: 'person' }).first().click(WAIT);
        await page.locator('.event-page .overlay .box').waitFor(WAIT);
        await page.getByRole('button', { name: 'Wrong' }).click(WAIT);
        await page.getByText('A false alarm.', { exact: false }).waitFor(WAIT);
        await until('front/person', 'OFF');
        await page.getByRole('button', { name: 'Undo' }).click();
        await page.getByRole('button', { name: 'Wrong' }).click(WAIT);
        await page.getByText('A false alarm.', { exact: false }).waitFor(WAIT);
        await page.goto(`${url}#/system`);
        const spot = page.locator('.spots li', { hasText: 'person at front' });
        await spot.getByRole('button', { name: 'Undo' }).click(WAIT);
        await spot.waitFor({ ...WAIT, state: 'detached' });
        await until('front/person', 'ON');
        t.pass('seen again');
      },
    );

    await t.test('an event that is over is deleted', async (t) => {
      await page.goto(`${url}#/cameras`);
      await card(page, 'front').getByRole('switch').click(WAIT);
      await card(page, 'front').locator('.state.disabled').waitFor(WAIT);
      await page.goto(`${url}#/events`);
      const first = page.locator('a.event').first();
      await first.waitFor(WAIT);
      const href = await first.getAttribute('href');
      // A picture that is deleted while it is on its way is not found, which the browser tells as well.
      const isThere = async (image: string) => {
        const isComplete = `document.querySelector('${image}')?.complete !== false`;
        t.ok(await eventually(() => page.evaluate<boolean>(isComplete)), `${image} is loaded`);
      };
      await isThere('a.event img');
      await first.click();
      await page.getByRole('button', { name: 'Delete' }).waitFor(WAIT);
      await isThere('.event-page img');
      page.once('dialog', (dialog) => void dialog.accept());
      await page.getByRole('button', { name: 'Delete' }).click(WAIT);
      await page.waitForSelector('.timeline', WAIT);
      await page.locator(`a.event[href="${href}"]`).waitFor({ ...WAIT, state: 'detached' });
      await page.goto(`${url}${href}`);
      await page.getByText('not in the database any more').waitFor(WAIT);
      // The browser tells of the answer that it is gone.
      t.match(problems.pop(), /status of 404/);
      await page.goto(`${url}#/cameras`);
      await card(page, 'front').getByRole('switch').click(WAIT);
      await until('front/detect/state', 'ON');
    });

    await t.test('a network is pinned, a limit set, and both are taken back', async () => {
      await page.goto(`${url}#/heat`);
      const pin = page.getByRole('combobox', { name: /^Network/ });
      await pin.selectOption('steady', WAIT);
      await until('governor/pin/state', 'steady');
      await pin.selectOption('auto');
      await until('governor/pin/state', 'auto');
      const limit = page.getByLabel('Never hotter than');
      const before = Number(await limit.inputValue());
      // The page is told of the state twice a second: what is typed meanwhile stays.
      await limit.press('Control+a');
      await limit.pressSequentially(String(before - 5), { delay: 900 });
      await limit.press('Enter');
      await until('governor/limit/state', String(before - 5));
      await page.getByRole('button', { name: 'As configured' }).click(WAIT);
      await until('governor/limit/state', String(before));
    });

    await t.test('what is drawn is a configuration that can be used', async (t) => {
      await page.goto(`${url}#/configuration`);
      const drawing = page.locator('figure.drawing');
      await drawing.locator('img').waitFor(WAIT);
      const corners = async (places: readonly (readonly [number, number])[]) => {
        const box = await drawing.boundingBox();
        for (const [x, y] of places) {
          await drawing.click({
            position: { x: x * (box?.width ?? 0), y: y * (box?.height ?? 0) },
          });
        }
      };
      const copied = async () => {
        await page.getByRole('button', { name: /^Cop/ }).click();
        return parse(await page.evaluate<string>('navigator.clipboard.readText()'));
      };
      await page.getByLabel('Name', { exact: true }).fill('Steps 2');
      await corners([
        [0.1, 0.1],
        [0.9, 0.1],
        [0.9, 0.9],
      ]);
      const zone = (await copied()).cameras.front.zones;
      t.same(Object.keys(zone), ['steps_2']);
      t.equal(zone.steps_2.area.length, 3);
      await page.getByRole('button', { name: 'Begin again' }).click();
      await page.getByRole('button', { name: 'Mask' }).click();
      await corners([
        [0, 0],
        [0.3, 0],
        [0.3, 0.3],
        [0, 0.3],
      ]);
      const { mask } = (await copied()).cameras.front;
      t.equal(mask[0].length, 4);

      const check = async (text: string) => {
        await page.getByRole('textbox', { name: 'Check a configuration' }).fill(text);
        await page.getByRole('button', { name: 'Check', exact: true }).click();
      };
      const { config } = daemon;
      const front = { ...config.cameras.front, zones: zone, mask };
      await check(stringify({ ...config, cameras: { ...config.cameras, front } }));
      await page.getByText('No problem was found.').waitFor(WAIT);
      await check(stringify({ ...config, cameras: { front: { ...front, mask: [[[0, 0]]] } } }));
      await page.locator('.problems li', { hasText: 'mask' }).first().waitFor(WAIT);
    });

    await t.test('the files are read again, and keys are found', async (t) => {
      await page.getByRole('button', { name: 'Read the files again' }).click(WAIT);
      await page.getByText('nothing has changed', { exact: false }).waitFor(WAIT);
      await page.getByLabel('Filter the keys').fill('cameras.front.fps');
      await page.waitForFunction("document.querySelectorAll('.values tbody tr').length === 1");
      t.match(await page.locator('.values tbody').textContent(), /config\.yaml/);
      t.notMatch(await page.content(), PASSWORDS.anna);
      await page.goto(`${url}#/system`);
      await page.getByLabel('Filter the log').fill('the page listens');
      await page.locator('.log', { hasText: 'the page listens' }).waitFor(WAIT);
    });

    t.same(
      problems.filter((problem) => !REFUSED.test(problem)),
      [],
      'nothing else was wrong in the console',
    );
  },
);
