import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Engine } from '#mobilenetd/inference/engine.js';
import { median } from '#mobilenetd/inference/median.js';
import { profileVariant } from '#mobilenetd/inference/profile.js';
import { classifierVariant } from './tiny-models.js';

const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-profile-'));
t.teardown(() => rm(folder, { recursive: true }));

t.test('median', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.ok(Number.isNaN(median([])));
});

t.test('a real variant, by thread count', async (t) => {
  const variant = await classifierVariant(folder, 'colours');
  const { name, costs, best } = await profileVariant(variant, { threads: [2, 1], runs: 7 });
  t.equal(name, 'colours');
  t.same(
    costs.map(({ threads, runs }) => [threads, runs]),
    [
      [2, 7],
      [1, 7],
    ],
  );
  for (const { medianMs, minMs, cpuMs } of costs) {
    t.ok(minMs > 0 && medianMs >= minMs && cpuMs > 0);
  }
  t.ok(costs.includes(best));
});

/** An engine whose costs are given, by thread count. */
function fakeEngine(medians: Record<number, number>, log: string[]) {
  return async ({ threads }: { threads: number }): Promise<Engine> => {
    const unused = () => Promise.reject(new Error('not expected'));
    return {
      run: unused,
      release: unused,
      memory: unused,
      loaded: () => [],
      load: async (variant) => {
        log.push(`load ${variant.name} ${threads}`);
        if (threads === 4) throw new Error('does not load');
        return { ms: 1 };
      },
      profile: async (_name, { runs, warmup }) => {
        log.push(`profile ${runs} ${warmup}`);
        const medianMs = medians[threads] ?? 0;
        return { medianMs, minMs: medianMs, cpuMs: medianMs * threads, runs };
      },
      close: async () => {
        log.push('close');
      },
    };
  };
}

t.test('the fastest, unless more threads gain next to nothing', async (t) => {
  const variant = await classifierVariant(folder, 'colours');
  const best = async (medians: Record<number, number>) => {
    const start = fakeEngine(medians, []);
    return (await profileVariant(variant, { threads: [3, 2, 1], start })).best.threads;
  };
  t.equal(await best({ 1: 10, 2: 6, 3: 5 }), 3);
  t.equal(await best({ 1: 10, 2: 6, 3: 5.9 }), 2);
  t.equal(await best({ 1: 10, 2: 11, 3: 12 }), 1);
});

t.test('every engine is closed, and an abort ends it', async (t) => {
  const variant = await classifierVariant(folder, 'colours');
  const log: string[] = [];
  const start = fakeEngine({ 1: 1 }, log);
  await t.rejects(profileVariant(variant, { threads: [1, 4, 2], runs: 3, warmup: 2, start }), {
    message: 'does not load',
  });
  t.same(log, ['load colours 1', 'profile 3 2', 'close', 'load colours 4', 'close']);
  const signal = AbortSignal.abort(new Error('enough'));
  await t.rejects(profileVariant(variant, { start, signal }), { message: 'enough' });
  for (const wrong of [{ threads: [] }, { runs: 0 }, { warmup: -1 }, { runs: Number.NaN }]) {
    await t.rejects(profileVariant(variant, { start, ...wrong }), { code: 'MND_INTERNAL' });
  }
});
