// A process of its own: it runs a daemon on a board that gets hot
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import t from 'tap';
import type { Result } from '#mobilenetd/inference/result.js';
import { eventually } from '../eventually.js';
import { command } from '../integration/daemon-home.js';
import { drawMugs } from './drawn-mugs.js';
import { hotDaemon } from './hot-board.js';
import { HOT_BOARD, MIRROR, NETWORKS, SKIP } from './taught-networks.js';

const FPS = 5;
const LIMIT_C = 80;
t.setTimeout(900_000);

t.test('heat moves the rungs, and a taught label stays as it is', { skip: SKIP }, async (t) => {
  // The test's own folder is that of the daemon.
  const place = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() => rmSync(place, { recursive: true, force: true }));
  const taught = await drawMugs(place, 'with', { from: 1, count: 14, hasSpoon: true });
  const opposite = await drawMugs(place, 'without', { from: 100, count: 30, hasSpoon: false });
  const seen = await drawMugs(place, 'seen', { from: 1000, count: 8, hasSpoon: true });
  const empty = await drawMugs(place, 'empty', { from: 2000, count: 8, hasSpoon: false });
  let others = 0;
  const daemon = await hotDaemon(t, {
    ...HOT_BOARD,
    others: () => others,
    ...{ mirror: MIRROR, picture: seen, fps: FPS, limitC: LIMIT_C },
    networks: NETWORKS,
    model: { task: 'classify', top: 1, form: 'auto' },
    cameras: { empty: { source: 'files', path: empty, loop: true, fps: FPS } },
  });
  for (const args of [[taught], [opposite, '--not']] as const) {
    const done = await command(daemon.folder, daemon.file, 'teach', 'spoon', '--from', ...args);
    t.match(done, { status: 0 }, done.stderr);
  }
  const said: (readonly [topic: string, value: string])[] = [];
  const listener = await mqtt.connectAsync(daemon.broker.url);
  t.teardown(() => listener.endAsync());
  listener.on('message', (topic, payload) => said.push([topic, payload.toString()]));
  await listener.subscribeAsync('mobilenetd/board/+/spoon', { qos: 1 });
  const valuesOf = (camera: string, from = 0) =>
    said.slice(from).flatMap(([topic, value]) => (topic.endsWith(`${camera}/spoon`) ? value : []));
  const results: Result[] = [];
  daemon.signals.on('labelled', ({ result }) => results.push(result));
  await daemon.start();
  t.ok(await eventually(() => valuesOf('front').at(-1) === 'ON'), daemon.log.join(''));
  const [begun, first] = [said.length, results.length];

  // Heat, and nothing else, chooses the network: other programs heat the board, and let it cool again.
  const models = () => new Set(results.slice(first).map(({ model }) => model));
  const last = () => results.at(-1)?.model;
  const walked = () =>
    `${[...models()].join(', ')} up to ${Math.max(...daemon.dieC).toFixed(1)} °C`;
  // Once: to such a program that comes again the law does not yield, for that would cool nothing.
  for (const load of [0.9, 0]) {
    const before = last();
    others = load;
    t.ok(await eventually(() => last() !== before), `others take ${load}: ${walked()}`);
    const since = results.length;
    t.ok(await eventually(() => results.length >= since + 10 * FPS));
  }
  await daemon.stop();
  t.comment(walked());

  // The daemon's end says OFF for everything: once, and last.
  t.same(valuesOf('front', begun), ['OFF'], 'no OFF before the end, and no ON again');
  t.notOk(valuesOf('empty').includes('ON'), 'nor is it told where there is none');
  const store = daemon.openStore();
  const stays = [...store.events({ limit: 100 })].filter(({ label }) => label === 'spoon');
  store.close();
  t.equal(stays.length, 1, 'one event');
  t.match(stays, [{ camera: 'front' }]);
});
