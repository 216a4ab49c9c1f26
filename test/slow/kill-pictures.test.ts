import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import t from 'tap';
import { PictureShelf } from '#mobilenetd/store/picture-shelf.js';
import { openStore } from '#mobilenetd/store/store.js';
import { broker as startBroker } from '../integration/daemon-home.js';
import { lastingFolder } from '../lasting-folder.js';
import { openLine } from './picture-line.js';
import { soak } from './soak.js';

t.setTimeout(3_600_000);

/** At each of the ten moments below once. */
const KILLS = soak(10, 300);
const CAMERAS = ['front', 'back'] as const;
const ROOT = 'mobilenetd/board';
const PROCESS = fileURLToPath(new URL('line-process.js', import.meta.url));

interface Published {
  readonly id: string;
  readonly type: string;
  readonly picture: string | null;
}

t.test(`${KILLS} kills under load: each event is kept, with its picture or none`, async (t) => {
  const folder = lastingFolder(t);
  const { url, listener } = await startBroker(t);
  const published: Published[] = [];
  /** Pictures that were not there, or not whole, when their event was told. */
  const missing: string[] = [];
  const shelf = join(folder, 'pictures');
  listener.client.on('message', (topic, payload) => {
    if (!topic.endsWith('/events')) return;
    const event: Published = JSON.parse(payload.toString());
    published.push(event);
    if (event.picture === null) return;
    const file = join(shelf, `${event.id}.jpg`);
    try {
      const jpeg = readFileSync(file);
      if (jpeg.readUInt16BE(0) !== 0xffd8 || jpeg.readUInt16BE(jpeg.length - 2) !== 0xffd9) {
        missing.push(`${event.id} is half a picture`);
      }
    } catch {
      missing.push(`${event.id} has none`);
    }
  });
  const began = performance.now();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const told = published.length;
    const child = spawn(process.execPath, [PROCESS, folder, url, ...CAMERAS], { stdio: 'inherit' });
    const exited = once(child, 'exit');
    while (published.length === told && child.exitCode === null) await delay(5);
    // At any moment: after the first message, among the first, and in the middle of many.
    await delay((kill % 10) * 20);
    child.kill('SIGKILL');
    const [code] = await exited;
    t.equal(code, null, 'it was killed');
  }
  const seconds = Math.round((performance.now() - began) / 1000);

  const last = await openLine({ folder, url, cameras: CAMERAS });
  const isDone = () => listener.values.get(`${ROOT}/state`) === 'online';
  await delay(1000);
  while (!isDone() || last.store.outbox.depth() > 0) await delay(20);
  await delay(500);
  const retained = await retainedOf(url);
  t.notOk([...retained.values()].includes('ON'), 'nothing is stuck ON');
  await last.close();

  const store = openStore({
    file: join(folder, 'mobilenetd.db'),
    ...{ commitInterval: 2, detectionInterval: 1, retention: { days: 30, maxBytes: 1e9 } },
    outbox: { maxAge: 3600, maxRows: 1000 },
  });
  t.teardown(() => store.close());
  t.same(store.openEvents(), [], 'every event has ended');
  const lost = published.filter(({ id }) => store.event(id) === null);
  t.same(lost, [], 'every event that was told is in the database');
  t.same(missing, [], 'a picture that is told of is there, and whole');

  const begun = published.filter(({ type }) => type === 'new');
  const pictured = new Set(published.filter(({ picture }) => picture !== null).map(({ id }) => id));
  // Without a picture are those that a kill caught, or whose picture took longer than they wait for it: how
  // many that are is the machine's affair.
  const without = new Set(begun.map(({ id }) => id).filter((id) => !pictured.has(id)));
  const files = readdirSync(shelf);
  t.same(
    files.filter((name) => name.endsWith('.part')),
    [],
    'no half file',
  );
  const kept = new PictureShelf(folder, { days: 7, maxBytes: 1e9 });
  const orphans = files.filter((name) => store.event(name.replace('.jpg', '')) === null);
  t.same(orphans, [], 'no picture without its event');
  const unreadable = files.filter((name) => kept.timeOf(name.replace('.jpg', '')) === null);
  t.same(unreadable, [], 'each picture is whole');
  const ended = new Set(published.filter(({ type }) => type === 'end').map(({ id }) => id));
  const open = begun.filter(({ id }) => !ended.has(id));
  t.same(open, [], 'the end of each was told');
  t.ok(begun.length >= KILLS / 2, `${begun.length} events`);
  t.ok(pictured.size > 0, `${pictured.size} with a picture`);
  const known = new Set(begun.map(({ id }) => id));
  t.comment(
    `${KILLS} kills in ${seconds} s: ${published.length} messages about ${known.size} events, ` +
      `${without.size} of them without a picture; ${files.length} pictures`,
  );
});

/** What a new subscriber is told of labels. */
async function retainedOf(url: string): Promise<ReadonlyMap<string, string>> {
  const client = await mqtt.connectAsync(url);
  const found = new Map<string, string>();
  client.on('message', (topic, payload, { retain }) => {
    // Whether a camera is looked at is a switch, not a label.
    if (retain && !topic.endsWith('/detect/state')) found.set(topic, payload.toString());
  });
  await client.subscribeAsync(`${ROOT}/#`, { qos: 1 });
  await delay(500);
  await client.endAsync();
  return found;
}
