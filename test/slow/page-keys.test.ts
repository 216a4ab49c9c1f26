import type { Page } from 'playwright-core';
import t from 'tap';
import { parse } from 'yaml';
import { openBrowser, PATIENCE, TABS, WITHOUT_BROWSER } from './page-browser.js';
import { PASSWORDS, startPageDaemon } from './page-daemon.js';

t.setTimeout(600_000);

const WAIT = { timeout: PATIENCE };
/** More than any page has to stop at. */
const MOST_STOPS = 150;

/** Where the keyboard is: what it is called, and whether it can be seen that it is there. */
const HERE = `(async () => {
  // Where it is scrolled to is where it stands in the next picture.
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  const here = document.activeElement;
  if (here === null || here === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(here);
  const label = here.labels?.[0]?.textContent ?? here.getAttribute('aria-label');
  const place = here.getBoundingClientRect();
  // What stays above the content would hide what is below it.
  const isContent = document.querySelector('main').contains(here);
  const top = isContent ? document.querySelector('.top').getBoundingClientRect().bottom - 1 : 0;
  const isBelow = place.top >= top || place.height > innerHeight - top;
  return {
    tag: here.tagName,
    name: (label ?? here.textContent ?? '').trim().slice(0, 80),
    isShown: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
    isInSight: place.bottom > 0 && isBelow && place.top < innerHeight && place.right > 0 && place.left < innerWidth,
    className: here.className,
  };
})()`;

interface Stop {
  readonly tag: string;
  readonly name: string;
  readonly isShown: boolean;
  readonly isInSight: boolean;
  readonly className: string;
}

async function next(page: Page, key = 'Tab'): Promise<Stop | null> {
  await page.keyboard.press(key);
  return page.evaluate<Stop | null>(HERE);
}

/** Waits until answers no longer make the page longer: what comes later moves what is being looked at. */
async function settled(page: Page): Promise<void> {
  const lengthOf = () => page.evaluate<number>('document.documentElement.scrollHeight');
  let length = await lengthOf();
  for (let same = 0; same < 5; ) {
    await page.waitForTimeout(150);
    const now = await lengthOf();
    same = now === length ? same + 1 : 0;
    length = now;
  }
}

/** Goes on with the tab key until it is where it is wanted. */
async function goTo(page: Page, isWanted: (stop: Stop) => boolean): Promise<Stop> {
  for (let count = 0; count < MOST_STOPS; count += 1) {
    const stop = await next(page);
    if (stop !== null && isWanted(stop)) return stop;
  }
  throw new Error('the keyboard does not get there');
}

t.test('the page by the keyboard alone', { skip: WITHOUT_BROWSER }, async (t) => {
  const [browser, { url }] = await Promise.all([openBrowser(t), startPageDaemon(t)]);
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForSelector('.login', WAIT);
  await goTo(page, ({ name }) => name === 'User name');
  await page.keyboard.type('anna');
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORDS.anna);
  await page.keyboard.press('Enter');
  await page.waitForSelector('article.camera', WAIT);

  await t.test('the first stop skips what every page has', async (t) => {
    await page.goto(`${url}#/events`);
    await page.reload();
    await page.waitForSelector('.timeline', WAIT);
    t.match(await next(page), { name: 'Skip to the content', isShown: true, isInSight: true });
    await page.keyboard.press('Enter');
    t.match(await page.evaluate(HERE), { tag: 'MAIN' });
    t.match(page.url(), /#\/events$/, 'and leads to no other tab');
  });

  for (const tab of TABS) {
    await t.test(`every stop of ${tab} has a name and can be seen`, async (t) => {
      await page.goto(`${url}#/cameras`);
      await page.reload();
      await page.waitForSelector('nav a', WAIT);
      const title = tab.slice(0, 1).toUpperCase() + tab.slice(1);
      await goTo(page, ({ tag, name }) => tag === 'A' && name === title);
      await page.keyboard.press('Enter');
      await page.waitForSelector(`nav a[aria-current][href="#/${tab}"]`, WAIT);
      await page.waitForSelector('main .card', WAIT);
      await settled(page);
      let count = 0;
      for (let stop = await next(page); stop !== null; stop = await next(page)) {
        const { tag, name, isShown, isInSight } = stop;
        t.ok(name !== '' && isShown && isInSight, JSON.stringify(stop));
        if (tag === 'A' && name === title) break;
        count += 1;
        if (count > MOST_STOPS) throw new Error('there is no end');
      }
      t.ok(count >= 2, `${count} stops`);
      // And back, from the end: what comes next is above what can be seen.
      for (let back = 0; back < count; back += 1) {
        const stop = await next(page, 'Shift+Tab');
        t.ok(stop === null || stop.isInSight, JSON.stringify(stop));
      }
    });
  }

  await t.test('a zone is drawn', async (t) => {
    await page.goto(`${url}#/configuration`);
    await page.locator('.drawing img').waitFor(WAIT);
    await page.getByLabel('Name', { exact: true }).focus();
    await page.keyboard.type('Büro 2');
    await goTo(page, ({ className }) => className === 'canvas');
    await page.locator('.drawing .cross').waitFor(WAIT);
    await page.keyboard.press('Enter');
    t.equal(await page.locator('.lines').count(), 0, 'one corner is no zone');
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press(' ');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Backspace');
    const lines = parse((await page.locator('.lines pre').textContent()) ?? '');
    t.same(lines, {
      cameras: {
        front: {
          zones: {
            buro_2: {
              name: 'Büro 2',
              area: [
                [0.5, 0.5],
                [0.6, 0.5],
                [0.6, 0.51],
              ],
            },
          },
        },
      },
    });
  });

  await t.test('a number that is no limit is not set', async (t) => {
    const limit = async () => {
      const answer = await page.evaluate<{ settings: { limit: number } }>(
        `fetch('api/v1/state').then((answer) => answer.json())`,
      );
      return answer.settings.limit;
    };
    await page.goto(`${url}#/heat`);
    const before = await limit();
    await page.getByLabel('Never hotter than').focus();
    for (const typed of ['20', '200', '', '-']) {
      await page.keyboard.press('Control+a');
      await page.keyboard.press('Delete');
      await page.keyboard.type(typed);
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Shift+Tab');
      t.equal(await limit(), before, `"${typed}"`);
    }
    await page.getByText('A limit is between').waitFor(WAIT);
  });

  await t.test('nothing moves for who asks for that', async (t) => {
    await page.goto(`${url}#/cameras`);
    await page.waitForSelector('article.camera', WAIT);
    const moving = await page.evaluate<number>(`[...document.querySelectorAll('*')]
      .flatMap((element) => [getComputedStyle(element), getComputedStyle(element, '::after')])
      .filter((style) => parseFloat(style.transitionDuration) > 0 || style.animationName !== 'none')
      .length`);
    t.equal(moving, 0);
  });
});
