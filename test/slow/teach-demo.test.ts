// A process of its own: it runs a daemon on a board that gets hot
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import type { RecordingPayload, TaughtPayload } from '#mobilenetd/control/report.js';
import { eventually } from '../eventually.js';
import { drawMugs } from './drawn-mugs.js';
import { hotDaemon } from './hot-board.js';
import { HOT_BOARD, MIRROR, NETWORKS, SKIP } from './taught-networks.js';

const FPS = 5;
/** Mugs in different places that are enough for a label, and for its opposite. */
const ENOUGH = 18;
/** Times that the spoon is put in and taken out while the label is watched. */
const ROUNDS = 2;
const BASE = 'mobilenetd/board';
t.setTimeout(900_000);

/** Whether something wooden reaches above the table: wood is far more red than blue, wall and mug's shadow are not. */
function showsSpoon({ bytes, width }: Frame): boolean {
  for (let y = 20; y < 200; y += 4) {
    for (let x = 0; x < width; x += 4) {
      const [red = 0, green = 0, blue = 0] = bytes.subarray((y * width + x) * 3);
      if (red > 1.5 * blue && green > 1.3 * blue) return true;
    }
  }
  return false;
}

type Teach = TaughtPayload & RecordingPayload;

function asker(client: MqttClient) {
  let count = 0;
  return async (asked: object): Promise<Teach> => {
    // A board refuses whoever asks faster than people do.
    await delay(700);
    count += 1;
    const transaction = `t${count}`;
    const answered = new Promise<Teach>((resolve) => {
      const listen = (topic: string, payload: Buffer) => {
        if (topic !== `${BASE}/response/teach`) return;
        const answer = JSON.parse(payload.toString()) as { transaction: string; teach: Teach };
        if (answer.transaction !== transaction) return;
        client.off('message', listen);
        resolve(answer.teach);
      };
      client.on('message', listen);
    });
    await client.publishAsync(`${BASE}/request/teach`, JSON.stringify({ transaction, ...asked }));
    return answered;
  };
}

t.test('what the demo camera shows is taught, and told through heat', { skip: SKIP }, async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() => rmSync(place, { recursive: true, force: true }));
  let others = 0;
  const daemon = await hotDaemon(t, {
    ...HOT_BOARD,
    others: () => others,
    // It has a camera that shows pictures, which have nothing to do with this.
    picture: await drawMugs(place, 'front', { from: 1, count: 2, hasSpoon: false }),
    ...{ mirror: MIRROR, fps: 0.2, limitC: 80 },
    networks: NETWORKS,
    presence: {},
    model: { task: 'classify', top: 1, form: 'auto' },
    cameras: { demo: { source: 'demo', scene: 'mugs', size: [640, 480], fps: FPS } },
  });
  const client = await mqtt.connectAsync(daemon.broker.url);
  t.teardown(() => client.endAsync());
  await client.subscribeAsync([`${BASE}/demo/spoon`, `${BASE}/response/teach`], { qos: 1 });
  const ask = asker(client);

  let isIn: boolean | null = null;
  /** What was labelled and told, in its order: the spoon put in or taken out, the label, a network. */
  const course: string[] = [];
  const models = new Set<string>();
  daemon.signals.on('labelled', ({ result, frame }) => {
    if (result.camera !== 'demo') return;
    const now = showsSpoon(frame);
    if (now !== isIn) course.push(now ? 'in' : 'out');
    isIn = now;
    models.add(result.model);
  });
  client.on('message', (topic, payload) => {
    if (topic.endsWith('/spoon') && payload.length > 0) course.push(payload.toString());
  });
  await daemon.start();

  /** Records while it is in, or while it is out; what was begun too late is taken back and done again. */
  const record = async (wanted: boolean): Promise<void> => {
    for (;;) {
      t.ok(await eventually(() => isIn === !wanted), daemon.log.join(''));
      t.ok(await eventually(() => isIn === wanted));
      const turns = course.length;
      const not = !wanted;
      const { id } = await ask({ do: 'record', seconds: 600, label: 'spoon', camera: 'demo', not });
      const hasEnough = await eventually(async () => {
        const { recordings } = await ask({ do: 'list' });
        const kept = recordings.find((each) => each.id === id)?.kept ?? 0;
        return kept >= ENOUGH || isIn !== wanted;
      });
      await ask({ do: 'end', id });
      const moved = course.slice(turns).some((what) => what === 'in' || what === 'out');
      if (hasEnough && isIn === wanted && !moved) return;
      await ask({ do: 'undo' });
    }
  };
  await record(true);
  await record(false);
  const works = async () => (await ask({ do: 'list' })).tasks[0]?.state === 'works';
  t.ok(await eventually(works), daemon.log.join(''));

  // Heat, and nothing else, chooses the network meanwhile.
  models.clear();
  t.ok(await eventually(() => isIn === false));
  const begun = course.length;
  const ins = () => course.slice(begun).filter((what) => what === 'in').length;
  for (let round = 1; round <= ROUNDS; round += 1) {
    others = round % 2 === 1 ? 0.9 : 0;
    t.ok(await eventually(() => ins() >= round && isIn === false), course.join(' '));
  }
  t.ok(await eventually(() => course.at(-1) === 'OFF'), course.join(' '));
  const seen = course.slice(begun).filter((what, at) => at > 0 || what !== 'OFF');
  await daemon.stop();

  t.same(
    seen.slice(0, 4 * ROUNDS),
    Array.from({ length: ROUNDS }, () => ['in', 'ON', 'out', 'OFF']).flat(),
    'the label follows the spoon, and nothing else',
  );
  t.ok(
    models.size > 1,
    `${[...models].join(', ')} up to ${Math.max(...daemon.dieC).toFixed(1)} °C`,
  );
});
