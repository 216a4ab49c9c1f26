import type { Page, Route } from 'playwright-core';
import t from 'tap';
import { lookThrough, openBrowser, PATIENCE, seriousOf, WITHOUT_BROWSER } from './page-browser.js';
import { PASSWORDS, startPageDaemon } from './page-daemon.js';
import { soak } from './soak.js';

t.setTimeout(600_000);

const WAIT = { timeout: PATIENCE };
const LOOKS = ([320, 768, 1440, 3840] as const).map((width, index) => ({
  width,
  colorScheme: (['light', 'dark'] as const)[index % 2] ?? 'light',
}));

type State = Record<string, unknown> & { readonly store: object; readonly cameras: object[] };

/** Shows the page another state than the daemon's. */
const withState = (change: (state: State) => object) => `
  const Source = window.EventSource;
  const change = ${change.toString()};
  window.EventSource = class extends Source {
    addEventListener(kind, listener) {
      super.addEventListener(kind, (message) =>
        listener(kind === 'state' ? { data: JSON.stringify(change(JSON.parse(message.data))) } : message));
    }
  };
`;

const answer = (status: number, body: object) => (route: Route) =>
  route.fulfill({ status, json: body, headers: status === 429 ? { 'Retry-After': '7' } : {} });

interface Odd {
  readonly what: string;
  readonly isLoggedOut?: boolean;
  readonly path?: string;
  readonly init?: string;
  readonly routes?: readonly (readonly [
    pattern: string,
    answer: (route: Route) => Promise<void>,
  ])[];
  readonly act?: (page: Page) => Promise<void>;
  /** What must be said. */
  readonly says: RegExp;
}

const STARTING = { phase: 'starting', doing: 'fetching the network ssd_300: 40 %', version: '1' };
const MOVED = [0, 1, 2, 3, 4].map((step) => ({
  time: new Date(1_790_000_000_000 + 500 * step).toISOString(),
  score: 0.9,
  box: [20 + 90 * step, 120 + 20 * step * step, 120, 160],
}));

const ODD: readonly Odd[] = [
  { what: 'a login', isLoggedOut: true, says: /Who are you\?/ },
  {
    what: 'a wrong login',
    isLoggedOut: true,
    act: (page) => logIn(page, 'wrong'),
    says: /The user name or the password is wrong\./,
  },
  {
    what: 'too many wrong logins',
    isLoggedOut: true,
    routes: [['**/api/v1/login', answer(429, { code: 'MND_HTTP_BUSY', message: 'busy' })]],
    act: (page) => logIn(page, 'wrong'),
    says: /Too many wrong logins\. Try again in 7 s\./,
  },
  {
    what: 'a board that does not answer',
    routes: [['**/api/**', (route) => route.abort()]],
    says: /The board does not answer/,
  },
  {
    what: 'a board that starts',
    routes: [['**/api/**', answer(503, STARTING)]],
    says: /The daemon is starting\. Fetching|The daemon is starting\. fetching/,
  },
  {
    what: 'a proxy that finds no board',
    routes: [['**/api/**', (route) => route.fulfill({ status: 502, body: '<html>' })]],
    says: /refuses \(502\)/,
  },
  {
    what: 'one viewer too many',
    routes: [['**/api/v1/stream', answer(429, { code: 'MND_HTTP_BUSY', message: 'busy' })]],
    says: /As many people are looking at this board as it has room for/,
  },
  {
    what: 'no camera',
    init: withState((state) => ({ ...state, cameras: [], found: ['no camera was found'] })),
    says: /No camera was found\./,
  },
  {
    what: 'a disk that is full, a broker that is away, a supply that is weak',
    path: 'system',
    init: withState((state) => ({
      ...state,
      ...{ undervoltage: true, throttled: true, outbox: 3 },
      store: { ...state.store, writable: false, error: 'the disk is full', waiting: 12 },
      broker: { ...(state.broker as object), connected: false, fault: 'nothing listens there' },
    })),
    says: /cannot be written; 12 events wait\. No connection to the broker: nothing listens there; 3 messages wait\. The power supply/,
  },
  {
    what: 'no event',
    path: 'events',
    routes: [['**/api/v1/events?*', answer(200, [])]],
    init: 'window.EventSource = class extends EventSource { addEventListener(kind, take) { if (kind !== "event") super.addEventListener(kind, take); } };',
    says: /Nothing was seen yet/,
  },
  {
    what: 'an answer that fails',
    path: 'events',
    routes: [
      [
        '**/api/v1/events?*',
        answer(503, { code: 'MND_STORE_FAILED', message: 'the database is away' }),
      ],
    ],
    says: /The database is away\./,
  },
  {
    what: 'a heat that nobody knows',
    path: 'heat',
    init: withState((state) => ({ ...state, temperature: null, governor: null })),
    routes: [
      ['**/api/v1/governor', answer(200, { state: null, ladder: [], forecast: [] })],
      ['**/api/v1/history*', answer(200, { range: '1h', points: [] })],
    ],
    says: /The ladder has not been measured on this board yet\./,
  },
];

async function logIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('User name').fill('anna', WAIT);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

async function says(page: Page, wanted: RegExp): Promise<string> {
  let text = '';
  while (!wanted.test(text)) {
    await page.waitForTimeout(50);
    text = (await page.locator('#app').innerText()).replace(/\s+/g, ' ');
  }
  return text;
}

t.test(
  'what is not as it should be is said, at every width',
  { skip: WITHOUT_BROWSER },
  async (t) => {
    const [browser, { url }] = await Promise.all([openBrowser(t), startPageDaemon(t)]);
    for (const {
      what,
      isLoggedOut,
      path = 'cameras',
      init,
      routes = [],
      act,
      says: wanted,
    } of ODD) {
      const context = await browser.newContext({ bypassCSP: true });
      const page = await context.newPage();
      if (init !== undefined) await page.addInitScript(init);
      if (isLoggedOut !== true) {
        const data = { user: 'anna', password: PASSWORDS.anna };
        t.equal((await context.request.post(`${url}api/v1/login`, { data })).status(), 200);
      }
      for (const [pattern, fulfil] of routes) await page.route(pattern, fulfil);
      await page.goto(`${url}#/${path}`);
      await act?.(page);
      for (const [index, look] of LOOKS.entries()) {
        const { width } = look;
        await lookThrough(page, look, Math.round(Math.max(640, width * 0.56)));
        const text = await says(page, wanted);
        t.notMatch(text, /undefined|NaN|\[object|MND_[A-Z]/, `${what} at ${width} px`);
        const isWide = 'document.documentElement.scrollWidth > window.innerWidth';
        t.notOk(await page.evaluate(isWide), `${what} fits ${width} px`);
        // Light on the narrowest, dark on the next; a soak has all.
        if (index > soak(1, LOOKS.length)) continue;
        t.equal(await seriousOf(page), '', `${what} at ${width} px: axe`);
      }
      await context.close();
    }
  },
);

t.test(
  'the way of something that moved is drawn over its picture',
  { skip: WITHOUT_BROWSER },
  async (t) => {
    const [browser, { url }] = await Promise.all([openBrowser(t), startPageDaemon(t)]);
    const context = await browser.newContext();
    const data = { user: 'anna', password: PASSWORDS.anna };
    await context.request.post(`${url}api/v1/login`, { data });
    const page = await context.newPage();
    await page.goto(`${url}#/events`);
    await page.locator('a.event', { hasText: 'person' }).first().click(WAIT);
    await page.locator('.event-page .overlay .box').waitFor(WAIT);
    await page.waitForSelector('.scores canvas', WAIT);
    t.equal(await page.locator('.track').count(), 0, 'what stands still has no way');
    await page.route('**/api/v1/events/*-*', async (route) => {
      const real = await route.fetch();
      const { event } = await real.json();
      await route.fulfill({ json: { event, scores: MOVED } });
    });
    await page.reload();
    await page
      .locator('.track polyline')
      .first()
      .waitFor({ ...WAIT, state: 'attached' });
    const points = await page.locator('.track polyline').first().getAttribute('points');
    t.equal(points, '80,200 170,220 260,280 350,380 440,520');
    await page.getByText('The line is the way that its middle took.').waitFor(WAIT);
    if (process.env.PAGE_PICTURE) await page.screenshot({ path: process.env.PAGE_PICTURE });
  },
);
