import { connectAsync } from 'mqtt';
import type { Browser } from 'playwright-core';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.js';
import { runDemo } from '../integration/demo-process.js';
import { installNetworks } from '../integration/random-model.js';
import { lastingFolder } from '../lasting-folder.js';
import { openBrowser, PATIENCE, WITHOUT_BROWSER, watchFor } from './page-browser.js';
import { installDetector } from './page-daemon.js';
import { appearanceOf, notesOf, takeNotes } from './page-notes.js';
import { THINGS } from './things.js';

t.setTimeout(900_000);

/** The demo as its user starts it, with the network that it chooses and the thresholds that go with it. */
const AS_IT_IS = {
  MOBILENETD_MODEL_TASK: undefined,
  MOBILENETD_MODEL_NAME: undefined,
  MOBILENETD_PRESENCE_ENTER: undefined,
  MOBILENETD_PRESENCE_STAY: undefined,
};
const STEADY = {
  ...AS_IT_IS,
  MOBILENETD_MODEL_TASK: 'detect',
  MOBILENETD_MODEL_NAME: 'steady',
};
const EVENTS = 6;

interface Begun {
  readonly id: string;
  readonly label: string;
  /** When MQTT told it. */
  readonly at: number;
}

/** A demo, and the networks that are installed before it. */
interface Watched {
  readonly install: (folder: string) => Promise<void>;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Every event that begins while somebody looks at the demo has its label on the picture. */
async function watchLabels(
  t: Test,
  browser: Browser,
  { install, args, env }: Watched,
): Promise<void> {
  const folder = lastingFolder(t);
  await install(folder);
  const demo = runDemo({ folder, model: '', args, env });
  t.teardown(() => demo.end('SIGTERM'));
  const ready = await demo.ready;
  const client = await connectAsync(ready.mqtt);
  t.teardown(() => client.endAsync());
  const page = await browser.newPage();
  t.teardown(() => page.close());
  const problems: string[] = [];
  watchFor(page, problems);
  await takeNotes(page);
  await page.goto(`${(ready as unknown as { readonly page: string }).page}#/cameras`);
  await page.waitForSelector('figure[data-camera=demo] img', { timeout: PATIENCE });
  const begun: Begun[] = [];
  client.on('message', (_topic, payload) => {
    const { id, label, type } = JSON.parse(payload.toString());
    if (type === 'new') begun.push({ id, label, at: Date.now() });
  });
  await client.subscribeAsync(`${ready.base}/demo/events`);
  // What stands still in the picture is there from the start: it goes and comes with the camera.
  const detect = page.getByRole('switch');
  for (let round = 0; begun.length < EVENTS && round < EVENTS; round += 1) {
    await detect.click({ timeout: PATIENCE });
    await page.waitForSelector('.state.disabled', { timeout: PATIENCE });
    const before = begun.length;
    await detect.click();
    if (!(await eventually(() => begun.length > before))) break;
    const newest = () => begun.slice(before);
    await eventually(async () => {
      const notes = await notesOf(page);
      return newest().every(({ id }) => appearanceOf(notes, id) !== null);
    });
  }
  const notes = await notesOf(page);
  t.ok(begun.length >= EVENTS, `${begun.length} events`);
  for (const { id, label, at } of begun) {
    const shown = appearanceOf(notes, id);
    t.ok(shown !== null && shown.states <= 2, `${label}: ${JSON.stringify(shown)}`);
    if (shown !== null) t.comment(`${label}: ${shown.at - at} ms after MQTT told of it`);
  }
  t.same(problems, [], 'no console error');
}

t.test(
  'what MQTT tells is on the live picture of the demo',
  { skip: WITHOUT_BROWSER },
  async (t) => {
    const browser = await openBrowser(t);
    await t.test('names of what the board of the heat page sees', (t) =>
      watchLabels(t, browser, {
        install: (folder) => installNetworks(folder, THINGS),
        ...{ args: ['--board', 'pi4-case'], env: AS_IT_IS },
      }),
    );
    await t.test('boxes of a detector', (t) =>
      watchLabels(t, browser, { install: installDetector, args: [], env: STEADY }),
    );
  },
);
