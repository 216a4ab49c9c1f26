import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'mqtt';
import t from 'tap';
import { installRandomModel, runDemo } from '../integration/demo-process.js';
import { HAS_NGINX, type Place, startNginx } from '../integration/nginx.js';
import {
  AXE_LOOKS,
  contentOf,
  LOOKS,
  lookThrough,
  openBrowser,
  PATIENCE,
  seriousOf,
  TABS,
  WITHOUT_BROWSER,
  watchFor,
} from './page-browser.js';

/** As a proxy of one's own does it, and as Home Assistant's ingress does. */
const PLACES: readonly Place[] = [
  { prefix: '/mobilenetd/', headers: { 'X-Forwarded-Prefix': '/mobilenetd/' } },
  {
    prefix: '/api/hassio_ingress/abc/',
    headers: { 'X-Ingress-Path': '/api/hassio_ingress/abc' },
  },
];

/** How many parts of a page change or move in time. */
const MOVING = `[...document.querySelectorAll('*')]
  .flatMap((element) => [null, '::before', '::after'].map((part) => getComputedStyle(element, part)))
  .filter((style) => !/^0s(, 0s)*$/.test(style.transitionDuration) ||
    style.animationName !== 'none' || style.scrollBehavior !== 'auto').length`;

t.test('the page in a real browser', { skip: WITHOUT_BROWSER }, async (t) => {
  // A daemon that is just ending may write one file more.
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }),
  );
  const model = await installRandomModel(folder);
  const demo = runDemo({
    folder,
    model,
    args: ['--board', 'pi4-case'],
    env: { MOBILENETD_STATUS_TRUSTED_PROXIES: '["127.0.0.1"]' },
  });
  t.teardown(() => demo.end('SIGTERM'));
  const browser = await openBrowser(t);
  const ready = await demo.ready;
  const url = String((ready as unknown as { page: string }).page);
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/, 'the demo prints its address');

  await t.test('every tab at three widths, dark and light, without an error', async (t) => {
    const page = await browser.newPage();
    const problems: string[] = [];
    watchFor(page, problems);
    for (const look of LOOKS) {
      await lookThrough(page, look);
      for (const tab of TABS) {
        await page.goto(`${url}#/${tab}`);
        await contentOf(page);
        const isWide = 'document.documentElement.scrollWidth > window.innerWidth';
        t.notOk(await page.evaluate(isWide), `${tab} fits ${look.width} px`);
      }
      t.same(problems, [], `${look.width} px ${look.colorScheme}`);
    }
    await page.close();
  });

  await t.test('a live picture with what MQTT tells', async (t) => {
    const client = connect(ready.mqtt);
    t.teardown(() => client.endAsync());
    const label = new Promise<string>((resolve) =>
      client.on('message', (_topic, message) => resolve(message.toString())),
    );
    await client.subscribeAsync(`${ready.base}/demo/label`);
    const page = await browser.newPage();
    await page.goto(`${url}#/cameras`);
    await page.waitForSelector('figure[data-camera=demo] img', { timeout: PATIENCE });
    const payload = await label;
    await page.waitForSelector(`.chip:has-text("${payload}")`, { timeout: PATIENCE });
    t.pass(`${payload} is on the page`);
    await page.close();
  });

  await t.test('switches work and an event has its picture', async (t) => {
    const page = await browser.newPage();
    await page.goto(`${url}#/events`);
    await page.locator('a.event img.thumb').first().click({ timeout: PATIENCE });
    const picture = page.locator('.event-page figure img');
    await picture.waitFor({ timeout: PATIENCE });
    const width = await picture.evaluate((image: { naturalWidth: number }) => image.naturalWidth);
    t.equal(width, 640);
    await page.goto(`${url}#/cameras`);
    const detect = page.getByRole('switch');
    await detect.click({ timeout: PATIENCE });
    await page.waitForSelector('.state.disabled', { timeout: PATIENCE });
    await detect.click();
    await page.waitForSelector('.state.online', { timeout: PATIENCE });
    t.pass('off and on again');
    await page.goto(`${url}#/configuration`);
    await page.getByRole('textbox', { name: 'Check a configuration' }).fill('node: [');
    await page.getByRole('button', { name: 'Check', exact: true }).click();
    await page.waitForSelector('.problems li', { timeout: PATIENCE });
    await page.close();
  });

  await t.test('nothing moves by itself for who wants it so', async (t) => {
    const moving: number[] = [];
    for (const reducedMotion of ['no-preference', 'reduce'] as const) {
      const page = await browser.newPage({ reducedMotion });
      await page.goto(`${url}#/cameras`);
      await page.getByRole('switch').waitFor({ timeout: PATIENCE });
      moving.push(await page.evaluate(MOVING));
      await page.close();
    }
    const [usual = 0, reduced] = moving;
    t.ok(usual > 0, `${usual} parts that slide`);
    t.equal(reduced, 0);
  });

  await t.test('the heat page moves', async (t) => {
    const page = await browser.newPage();
    await page.goto(`${url}#/heat`);
    const temperature = page.locator('.dial .big');
    await temperature.waitFor({ timeout: PATIENCE });
    const first = await temperature.textContent();
    while ((await temperature.textContent()) === first) await page.waitForTimeout(200);
    await page.waitForSelector('.chart canvas', { timeout: PATIENCE });
    t.pass('temperature and chart');
    await page.close();
  });

  const withoutNginx = HAS_NGINX ? false : 'nginx is not installed';
  await t.test('behind nginx, and as ingress does it', { skip: withoutNginx }, async (t) => {
    const nginx = await startNginx(url, PLACES);
    t.teardown(() => nginx.end());
    for (const { prefix } of PLACES) {
      const page = await browser.newPage();
      const problems: string[] = [];
      watchFor(page, problems);
      await page.goto(`${nginx.url}${prefix}`);
      await page.waitForSelector('figure[data-camera=demo] img', { timeout: PATIENCE });
      const detect = page.getByRole('switch');
      await detect.click({ timeout: PATIENCE });
      await page.waitForSelector('.state.disabled', { timeout: PATIENCE });
      await detect.click();
      await page.waitForSelector('.state.online', { timeout: PATIENCE });
      await page.goto(`${nginx.url}${prefix}#/events`);
      await page.locator('a.event img.thumb').first().click({ timeout: PATIENCE });
      await page.waitForSelector('.event-page figure img', { timeout: PATIENCE });
      for (const tab of TABS) {
        await page.goto(`${nginx.url}${prefix}#/${tab}`);
        await contentOf(page);
      }
      t.same(problems, [], prefix);
      await page.close();
    }
  });

  await t.test('axe finds nothing serious', async (t) => {
    const page = await browser.newPage({ bypassCSP: true });
    for (const look of AXE_LOOKS) {
      const { width, colorScheme } = look;
      await lookThrough(page, look);
      for (const tab of TABS) {
        await page.goto(`${url}#/${tab}`);
        await contentOf(page);
        t.equal(await seriousOf(page), '', `${tab} at ${width} px, ${colorScheme}`);
      }
      await page.goto(`${url}#/events`);
      await page.locator('a.event').first().click({ timeout: PATIENCE });
      await page.waitForSelector('.event-page', { timeout: PATIENCE });
      t.equal(await seriousOf(page), '', `an event at ${width} px, ${colorScheme}`);
    }
    await page.close();
  });
});
