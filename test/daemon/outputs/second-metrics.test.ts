import { Registry } from 'prom-client';
import t from 'tap';
import { MetricFamilies } from '#mobilenetd/daemon/outputs/metric-families.js';
import { readSecond } from '#mobilenetd/daemon/outputs/second-metrics.js';
import type { SecondReport } from '#mobilenetd/daemon/second-network.js';

const COUNTS = { runs: 7, named: 5, failed: 2, held: 3, medianMs: 12 };
const REPORT: SecondReport = { ...COUNTS, name: 'my_birds', state: 'works', error: null };
const LOAD = { runs: 7, busyMs: 84, variant: null };

type Second = Parameters<typeof readSecond>[1];

/** Lines that are no comments. */
async function read(network: Second): Promise<string[]> {
  const registry = new Registry();
  readSecond(new MetricFamilies(registry), network);
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

t.test('what the second network did, and what it took', async (t) => {
  t.same(await read(() => ({ report: () => REPORT, load: () => LOAD })), [
    'mobilenetd_second_working{model="my_birds"} 1',
    'mobilenetd_second_runs_total{model="my_birds",result="named"} 5',
    'mobilenetd_second_runs_total{model="my_birds",result="failed"} 2',
    'mobilenetd_second_runs_total{model="my_birds",result="unnamed"} 2',
    'mobilenetd_second_busy_seconds_total{model="my_birds"} 0.084',
    'mobilenetd_second_held_frames_total{model="my_birds"} 3',
  ]);
});

t.test('one that fails works not; without one there are no series', async (t) => {
  const failing: SecondReport = { ...REPORT, state: 'fails', error: 'gone' };
  const lines = await read(() => ({ report: () => failing, load: () => LOAD }));
  t.equal(lines[0], 'mobilenetd_second_working{model="my_birds"} 0');
  t.same(await read(() => null), []);
});

t.test('it is read when somebody asks: another network, then none', async (t) => {
  const registry = new Registry();
  let now: ReturnType<Second> = { report: () => REPORT, load: () => LOAD };
  readSecond(new MetricFamilies(registry), () => now);
  t.match(await registry.metrics(), 'model="my_birds"');
  now = { report: () => ({ ...REPORT, name: 'faces' }), load: () => LOAD };
  const other = await registry.metrics();
  t.match(other, 'model="faces"');
  t.notMatch(other, 'my_birds');
  now = null;
  t.notMatch(await registry.metrics(), 'faces');
});
