// A process of its own: it starts a daemon and a browser
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import t from 'tap';
import { eventually } from '../eventually.js';
import { SHOTS, SKIP, startPage, WAIT } from './teach-page.js';

t.setTimeout(900_000);

/** What the wizard says now. */
async function told(page: Page) {
  const texts = await page.locator('.teach-worth p').allTextContents();
  const status = (await page.locator('.wide [role=status]').first().textContent()) ?? '';
  const [, kept, same] = /(\d+) kept, (\d+) left out/.exec(status) ?? [];
  return { texts, kept: Number(kept ?? 0), same: Number(same ?? 0) };
}

type Told = Awaited<ReturnType<typeof told>>;

async function press(page: Page): Promise<void> {
  const button = page.locator('button.hold');
  const isHeld = async () => {
    await button.hover(WAIT);
    await page.mouse.down();
    if ((await button.getAttribute('aria-pressed')) === 'true') return true;
    // What is above has moved it away from under the mouse.
    await page.mouse.up();
    return false;
  };
  if (!(await eventually(isHeld))) throw new Error('the button is not held');
  await page.getByRole('button', { name: 'Recording …' }).waitFor(WAIT);
}

async function letGo(page: Page): Promise<void> {
  await page.mouse.up();
  await page.getByRole('button', { name: 'Hold to record' }).waitFor(WAIT);
}

/**
 * Holds the button until what is told has it; resolves with everything that was told meanwhile. On a busy
 * machine a minute, after which a recording ends by itself, is too short: it is pressed once more then.
 */
async function hold(page: Page, name: string, isEnough: (now: Told) => boolean): Promise<Told[]> {
  const all: Told[] = [];
  /** Of the recordings before this one. */
  let kept = 0;
  await press(page);
  const came = await eventually(async () => {
    const now = await told(page);
    all.push({ ...now, kept: kept + now.kept });
    if (isEnough(all.at(-1) as Told)) return true;
    if (await page.getByRole('button', { name: 'Recording …' }).isVisible()) return false;
    kept = all.at(-1)?.kept ?? 0;
    await letGo(page);
    await press(page);
    return false;
  });
  if (SHOTS !== undefined) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.locator('.teach-work').scrollIntoViewIfNeeded();
      const path = join(SHOTS, `teach-${name}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
  await letGo(page);
  if (!came) throw new Error(`${name}: ${JSON.stringify(all.slice(-3))}`);
  return all;
}

const saying = (pattern: RegExp) => (now: Told) => now.texts.some((text) => pattern.test(text));
const isGood = saying(/tells these apart well enough/);

t.test(
  'the wizard says what pictures are worth while the button is held',
  { skip: SKIP },
  async (t) => {
    const { page, problems, show, mugs } = await startPage(t);
    // As from a slow disk: the next recording has begun when the end of the one before is answered.
    await page.route('**/teach/end', async (route) => {
      const response = await route.fetch();
      await delay(1500);
      await route.fulfill({ response });
    });
    const name = page.getByLabel('What it is called');
    await name.fill('spoon');
    const live = page.locator('.teach-live img');
    const turnTo = async (pictures: string) => {
      show(pictures);
      // One of those before may have been read already.
      for (let frame = 0; frame < 2; frame += 1) {
        const before = await live.getAttribute('src');
        const isNext = async () => (await live.getAttribute('src')) !== before;
        t.ok(await eventually(isNext), 'the camera goes on');
      }
    };
    await turnTo(mugs.few);
    const none = saying(/no pictures without any of these: add 20/);
    const asks = saying(/spoon has .*: add \d or more, each from another side/);
    const begun = await hold(page, 'few', (now) => asks(now) && none(now));
    await turnTo(mugs.with);
    // What there is, and then the same again: which of them are nearly the same depends on their order.
    const first = await hold(page, 'with', (now) => {
      return now.kept >= 8 && now.same >= 1 && none(now) && saying(/So far: spoon \d+ %/)(now);
    });
    t.notOk([...begun, ...first].some(isGood), 'nothing is good enough without an opposite');

    await turnTo(mugs.fewWithout);
    await page.getByRole('button', { name: 'It is not there', exact: true }).click();
    const isFew = saying(/There (is|are) .* without any of these: add \d+ or more/);
    const few = await hold(page, 'few-without', isFew);
    t.notOk(few.some(isGood), 'few are not enough');
    await turnTo(mugs.without);
    const second = await hold(page, 'without', isGood);
    t.match(second.at(-1)?.texts, [/So far: spoon (9\d|100) %/, /well enough/]);

    // Another label of the place: of few pictures, and of what was said to be none of them.
    await page.getByRole('button', { name: 'It is there', exact: true }).click();
    await name.fill('mug');
    await turnTo(mugs.others);
    const isTooFew = saying(/mug has .*, another label has \d+: add some/);
    const third = await hold(page, 'others', (now) => {
      return isTooFew(now) && saying(/So far: mug \d+ %.*; spoon \d+ %/)(now);
    });
    t.notOk(isGood(third.at(-1) as Told), 'too few beside the other');

    await page.unrouteAll({ behavior: 'wait' });

    // A place that is a few pixels wide.
    await page.getByLabel('Place').selectOption('corner');
    await name.fill('handle');
    await hold(page, 'small', saying(/handle is only \d\d pixels small/));
    t.same(problems, [], 'no console error');
  },
);
