import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import { App } from '#mobilenetd/daemon/app.js';
import { provideModel } from '#mobilenetd/daemon/model.js';
import { Signals } from '#mobilenetd/daemon/signals.js';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { bestCost } from '#mobilenetd/profile/costs.js';
import { readProfiles } from '#mobilenetd/profile/profiles.js';
import { type Clock, systemClock } from '#mobilenetd/time.js';
import { logTo } from '../integration/collected-log.js';
import { CLASSES, LABELS, tinyModel } from '../models/sample-shelf.js';

const root = await mkdtemp(join(tmpdir(), 'mobilenetd-profiling-'));
t.teardown(() => rm(root, { recursive: true, force: true }));

const { config } = loadConfig({
  env: {},
  systemFile: join(root, 'none'),
  flags: {
    state_dir: root,
    models_dir: join(root, 'models'),
    'model.task': 'classify',
    'model.name': 'own',
    cameras: { demo: { source: 'demo', fps: 10 } },
    'mqtt.embedded.listen': '127.0.0.1:0',
    'governor.enabled': false,
  },
});

async function install(): Promise<void> {
  const [model, labels] = [join(root, 'own.tflite'), join(root, 'own.txt')];
  await writeFile(model, tinyModel());
  await writeFile(labels, LABELS.join('\n'));
  await openShelf({ dir: config.models_dir, env: {} }).add(model, { labels, name: 'own' });
}

t.test('a daemon measures its forms while frames go on, and runs the best', async (t) => {
  t.equal(LABELS.length, CLASSES);
  await install();
  const lines: string[] = [];
  const log = logTo(lines);
  const before = await provideModel({ config, env: {}, log });
  t.match(before.variant, { name: 'own', form: 'exact', threads: undefined });
  let frames = 0;
  const signals = new Signals(log);
  signals.on('labelled', () => {
    frames += 1;
  });
  const app = new App({ config, env: {}, log, signals, profileAfterMs: 0 });
  await app.start();
  t.teardown(() => app.stop(5000));
  const measured = () => lines.some((line) => line.includes('measured on this board'));
  const atFirst = frames;
  while (!measured()) await delay(20);
  t.ok(frames > atFirst, `${frames - atFirst} frames meanwhile`);
  const afterwards = frames;
  while (frames < afterwards + 3) await delay(20);

  const { costs = [] } = (await readProfiles(root, before.board)).variants.own ?? {};
  t.strictSame(
    [...new Set(costs.map(({ form }) => form))],
    ['exact', 'symmetric', 'reduced', 'float32'],
  );
  const best = bestCost(costs, config.model);
  const next = await provideModel({ config, env: {}, log });
  t.match(next.variant, { name: 'own', form: best?.form, threads: best?.threads });
  t.equal(next.measuredMs.get('own'), best?.minMs);
  const fixed = { ...config, model: { ...config.model, form: 'symmetric' as const } };
  t.match((await provideModel({ config: fixed, env: {}, log })).variant, {
    form: 'symmetric',
    threads: 1,
  });

  await app.stop(5000);
  const written = await readFile(join(root, 'profile.json'), 'utf8');
  lines.length = 0;
  const again = new App({ config, env: {}, log, profileAfterMs: 0 });
  await again.start();
  await delay(300);
  await again.stop(5000);
  t.notOk(measured(), 'the second start has nothing to measure');
  t.equal(await readFile(join(root, 'profile.json'), 'utf8'), written);
});

t.test('a daemon that stops in the middle of it leaves nothing behind', async (t) => {
  await rm(join(root, 'profile.json'));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const clock: Clock = {
    ...systemClock,
    setTimer(run, ms) {
      const end = systemClock.setTimer(() => {
        waiting.delete(cancel);
        run();
      }, ms);
      const cancel = () => {
        waiting.delete(cancel);
        end();
      };
      waiting.add(cancel);
      return cancel;
    },
  };
  const app = new App({ config, env: {}, log: logTo(lines), profileAfterMs: 0, clock });
  await app.start();
  await delay(150);
  t.ok(waiting.size > 0, 'timers run');
  await app.stop(5000);
  t.equal(waiting.size, 0, 'no timer that would keep the process alive');
  t.notOk(
    lines.some((line) => line.includes('profile:')),
    lines.join(''),
  );
});
