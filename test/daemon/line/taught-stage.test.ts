import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { bestOfEach, judge } from '#mobilenetd/daemon/line/taught/judge.js';
import { type Looking, TaughtStage } from '#mobilenetd/daemon/line/taught/stage.js';
import type { RunOptions } from '#mobilenetd/inference/engine.js';
import type { Result } from '#mobilenetd/inference/result.js';
import type { Head } from '#mobilenetd/teach/head.js';
import { createFakeClock } from '../../fake-clock.js';

/** A head whose probability of `open` is the embedding's only value. */
function headOf(threshold: number, label = 'open'): Head {
  return {
    labels: [label],
    dimension: 1,
    thresholds: Float32Array.of(threshold),
    probabilities: (embedding) => Float32Array.of(embedding[0] ?? 0),
    numbers: { centre: Float32Array.of(0), sigmoid: { slope: -1, offset: 0 }, classes: [] },
  };
}

const FRAME = { camera: 'front', width: 40, height: 30 } as Frame;
const RUN: RunOptions = { topK: 5, threshold: 0 };
const AREA = { box: [10, 0, 20, 30], size: [40, 30] } as const;

/** A stage whose network sees what the test says. */
function workshop(looking: readonly Looking[], budget: () => number | null = () => 1) {
  const clock = createFakeClock();
  const runs: { readonly run: RunOptions; readonly variant: string | undefined }[] = [];
  const errors: unknown[] = [];
  const seen = { model: 'large', whole: 0, part: 0, embeds: true, ms: 0 };
  const stage = new TaughtStage({
    lookingOf: () => looking,
    async infer(_frame, run, variant) {
      runs.push({ run, variant });
      if (seen.ms > 0) await clock.advance(seen.ms);
      if (Number.isNaN(seen.part) && run.crop) throw new Error('it broke');
      const value = run.crop ? seen.part : seen.whole;
      return {
        ...{ camera: 'front', model: seen.model },
        labels: [{ index: 1, label: 'cat', score: 0.5, box: null }],
        ...(run.embedding && seen.embeds && { embedding: Float32Array.of(value) }),
      } as unknown as Result;
    },
    budget,
    onError: (error) => errors.push(error),
    clock,
  });
  const scoreOf = async (label = 'open') => {
    const { labels } = await stage.infer(FRAME, RUN);
    return labels.find((scored) => scored.label === label)?.score ?? null;
  };
  return { stage, clock, runs, seen, errors, scoreOf };
}

t.test('scores of every head are on one scale: 0.6 is its threshold', (t) => {
  for (const threshold of [0.2, 0.6, 0.97]) {
    const score = (value: number) =>
      judge(headOf(threshold), Float32Array.of(value))[0]?.score ?? 0;
    t.ok(Math.abs(score(threshold) - 0.6) < 1e-6, `${threshold}`);
    t.ok(score(threshold * 0.99) < 0.6);
    t.ok(Math.abs(score(1) - 1) < 1e-6);
    t.equal(score(0), 0, 'what says nothing is not told');
  }
  t.equal(judge(headOf(1.0000001), Float32Array.of(1))[0]?.score.toFixed(2), '0.60');
  const best = bestOfEach([
    ...judge(headOf(0.5), Float32Array.of(0.2)),
    ...judge(headOf(0.5), Float32Array.of(0.9)),
  ]);
  t.equal(best.length, 1);
  t.ok((best[0]?.score ?? 0) > 0.9);
  t.end();
});

t.test('where nothing was taught a frame goes its way as ever', async (t) => {
  const { stage, runs } = workshop([]);
  t.same((await stage.infer(FRAME, RUN)).labels.length, 1);
  t.same(runs, [{ run: RUN, variant: undefined }]);
});

t.test('the whole frame is judged by its own run, and the embedding goes no further', async (t) => {
  const heads = new Map([
    ['large', headOf(0.5)],
    ['small', headOf(0.9)],
  ]);
  const { stage, runs, seen, scoreOf } = workshop([{ id: 'any', area: null, heads }]);
  seen.whole = 0.9;
  t.ok(((await scoreOf()) ?? 0) > 0.9);
  t.equal(runs.length, 1, 'no second run');
  const result = await stage.infer(FRAME, RUN);
  t.notOk('embedding' in result);
  t.same(
    result.labels.map(({ label }) => label),
    ['open', 'cat'],
    'the best first',
  );
  seen.model = 'small';
  t.equal((await scoreOf())?.toFixed(2), '0.60', 'each variant has its own head');
  t.match(stage.counts(), { frames: 3, runs: 0, unjudged: 0 });
});

t.test('what was said last stands while a variant cannot tell, but not for ever', async (t) => {
  const heads = new Map([['large', headOf(0.5)]]);
  const { clock, seen, scoreOf, stage } = workshop([{ id: 'any', area: null, heads }]);
  seen.whole = 1;
  await scoreOf();
  seen.model = 'small';
  seen.whole = 0;
  t.equal(await scoreOf(), 1, 'a variant without a head');
  seen.model = 'large';
  seen.embeds = false;
  t.equal(await scoreOf(), 1, 'a session without embeddings');
  await clock.advance(10_001);
  t.equal(await scoreOf(), null);
  t.equal(stage.counts().unjudged, 3);
});

t.test(
  'a part of the frame is shown to the same variant, now and then, and smoothed',
  async (t) => {
    const heads = new Map([['large', headOf(0.5)]]);
    const { stage, clock, runs, seen, scoreOf } = workshop([{ id: 'zone', area: AREA, heads }]);
    seen.part = 1;
    t.equal(await scoreOf(), 0.5, 'one look alone is not believed');
    t.match(runs.at(-1), {
      run: { crop: AREA.box, cropOf: AREA.size, embedding: true },
      variant: 'large',
    });
    t.notOk(runs[0]?.run.embedding, 'the frame needs none');
    t.equal(await scoreOf(), 0.5, 'the next frame is too near');
    t.equal(stage.counts().runs, 1);
    await clock.advance(400);
    t.equal(await scoreOf(), 1);
    seen.part = 0;
    await clock.advance(400);
    t.equal(await scoreOf(), 1, 'one miss among three looks');
    await clock.advance(400);
    t.equal(await scoreOf(), 0);
  },
);

t.test('parts take turns, keep to the budget, and a failure costs the frame nothing', async (t) => {
  const heads = new Map([['large', headOf(0.5)]]);
  const zones = ['a', 'b'].map((id) => ({
    id,
    area: AREA,
    heads: new Map([['large', headOf(0.5, id)]]),
  }));
  const taking = workshop(zones);
  taking.seen.part = 1;
  for (let n = 0; n < 4; n += 1) {
    await taking.scoreOf();
    await taking.clock.advance(400);
  }
  t.equal(await taking.scoreOf('a'), 1);
  t.equal(await taking.scoreOf('b'), 1);

  const hot = workshop([{ id: 'zone', area: AREA, heads }], () => null);
  t.equal(await hot.scoreOf(), null);
  t.match(hot.stage.counts(), { held: 1, runs: 0 });

  const slow = workshop([{ id: 'zone', area: AREA, heads }], () => 0.1);
  slow.seen.ms = 2000;
  for (let n = 0; n < 4; n += 1) await slow.scoreOf();
  t.ok(slow.stage.counts().runs < 4, `${slow.stage.counts().runs} runs`);
  t.ok(slow.stage.counts().held > 0);

  const broken = workshop([{ id: 'zone', area: AREA, heads }]);
  broken.seen.part = Number.NaN;
  t.equal((await broken.stage.infer(FRAME, RUN)).labels.length, 1);
  t.equal(broken.errors.length, 1);
  t.equal(broken.stage.counts().failed, 1);
});
