import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import type { RecordedCamera } from '#mobilenetd/daemon/line/recorder.js';
import { Allowance } from '#mobilenetd/daemon/line/second/allowance.js';
import { cropAround } from '#mobilenetd/daemon/line/second/crop.js';
import {
  SecondStage,
  type SecondStageOptions,
  type StageRules,
} from '#mobilenetd/daemon/line/second/stage.js';
import type { RunOptions } from '#mobilenetd/inference/engine.js';
import type { Box, Result, ScoredLabel } from '#mobilenetd/inference/result.js';
import { SILENT } from '#mobilenetd/log.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { createPresence } from '#mobilenetd/presence/presence.js';

const RULES: StageRules = {
  ...{ of: new Set(['bird']), minSize: 20, labels: null, minScore: 0.3 },
};
const VARIANT = { labels: ['background', 'wren', 'robin'], preprocessing: { centralCrop: 1 } };
type Seen = readonly [label: string, score: number, box: Box];
type Asked = RunOptions & { readonly bytes: readonly number[]; readonly answer: Answer };
interface Answer {
  readonly with: (
    labels: readonly (readonly [string, number])[],
    embedding?: Float32Array,
  ) => Promise<void>;
  readonly fail: (error: Error) => Promise<void>;
}

/** A stage whose network answers when the test says so, and a camera with presence. */
function workshop(rules: Partial<StageRules> = {}, options: Partial<SecondStageOptions> = {}) {
  let now = 0;
  let ids = 0;
  const asked: Asked[] = [];
  const named: (readonly [id: string, label: string, score: number])[] = [];
  const presence = createPresence('front', {
    ...{ enter: 0.5, stay: 0.3, offDelay: 1000, minFrames: 1, labels: {} },
    groups: { animal: ['dog', 'cat'] },
    createId: () => {
      ids += 1;
      return `event-${ids}`;
    },
  });
  let camera: RecordedCamera | undefined = { name: 'front', presence, filter: (all) => all };
  const stage: SecondStage = new SecondStage({
    rules: { ...RULES, ...rules },
    variant: VARIANT as unknown as Variant,
    infer: ({ bytes }, run) =>
      new Promise((resolve, reject) => {
        const settle = async (act: () => void) => {
          now += 100;
          act();
          await new Promise(setImmediate);
        };
        const answer: Answer = {
          with: (labels, embedding) =>
            settle(() =>
              resolve({
                labels: labels.map(([label, score]) => labelled(label, score, null)),
                embedding,
              } as unknown as Result),
            ),
          fail: (error) => settle(() => reject(error)),
        };
        asked.push({ ...run, bytes: [...bytes], answer });
      }),
    cameraOf: () => camera,
    onNamed: (_camera, id, { label, score }) => {
      const told = presence.name(id, { label, score }).length > 0;
      if (told) named.push([id, label, score]);
      return told;
    },
    budget: () => 1,
    log: SILENT,
    clock: { now: () => now, wall: () => now, setTimer: () => () => {} },
    ...options,
  });
  const look = (seen: readonly Seen[], bytes = new Uint8Array([1, 2, 3])) => {
    now += 1000;
    const labels = seen.map(([label, score, box]) => labelled(label, score, box));
    const result = {
      ...{ camera: 'front', capturedAt: now, time: now, model: 'm', alpha: 1, size: 300, labels },
    } as unknown as Result;
    presence.update(result);
    stage.look(result, { width: 640, height: 480, format: 'rgb24', bytes } as unknown as Frame);
  };
  const wait = (ms: number) => {
    now += ms;
  };
  const remove = () => {
    camera = undefined;
  };
  return { stage, presence, asked, named, look, wait, remove };
}

function labelled(label: string, score: number, box: Box | null): ScoredLabel {
  return { index: 0, label, score, box };
}

/** Looks three times, so that the median of the scores makes it present. */
function appear(look: (seen: readonly Seen[]) => void, seen: readonly Seen[]): void {
  for (let n = 0; n < 3; n += 1) look(seen);
}

t.test('an object is looked at once, and again when it has grown', async (t) => {
  const { asked, named, look, presence } = workshop();
  const small: Seen = ['bird', 0.9, [100, 100, 60, 40]];
  appear(look, [small]);
  t.equal(asked.length, 1, 'one at a time');
  await asked[0]?.answer.with([
    ['background', 0.5],
    ['wren', 0.4],
  ]);
  t.same(named, [['event-1', 'wren', 0.4]], 'the background is nothing');
  t.match(presence.open(), [{ subLabel: 'wren', subScore: 0.4 }]);
  look([small]);
  look([['bird', 0.95, [100, 100, 70, 50]]]);
  t.equal(asked.length, 1, 'as large as before, or hardly larger');
  look([['bird', 0.9, [90, 90, 100, 60]]]);
  t.equal(asked.length, 2, 'twice the area');
  await asked[1]?.answer.with([['robin', 0.35]]);
  t.match(presence.open(), [{ subLabel: 'wren' }], 'the surer answer stays');
  look([['bird', 0.9, [50, 50, 160, 120]]]);
  await asked[2]?.answer.with([['robin', 0.9]]);
  t.match(presence.open(), [{ subLabel: 'robin', subScore: 0.9 }]);
});

t.test('the best comes first, new ones before grown ones, all of one frame', async (t) => {
  const { asked, look, stage } = workshop();
  const left: Seen = ['bird', 0.7, [0, 0, 50, 50]];
  const right: Seen = ['bird', 0.9, [500, 300, 60, 60]];
  look([left, right]);
  look([left, right]);
  const [x] = asked[0]?.crop ?? [];
  t.ok(Number(x) > 400, 'the surest one');
  await asked[0]?.answer.with([['wren', 0.9]]);
  t.equal(asked.length, 2, 'the other one of the same frame');
  t.equal(asked[1]?.crop?.[0], 0, 'from the edge');
  await asked[1]?.answer.with([['wren', 0.9]]);
  await stage.idle();
  t.match(stage.counts(), { runs: 2, named: 2, failed: 0, held: 0, medianMs: 100 });
});

t.test('only what is asked for, large enough and in the frame', async (t) => {
  const { asked, look } = workshop({ minSize: 30 });
  const others: readonly Seen[] = [
    ['dog', 0.9, [0, 0, 100, 100]],
    ['bird', 0.9, [300, 300, 29, 20]],
  ];
  appear(look, others);
  t.equal(asked.length, 0);
});

t.test('a member of a group is looked at once, and both events are named', async (t) => {
  for (const wanted of ['animal', 'dog']) {
    const { asked, look, presence } = workshop({ of: new Set([wanted]) });
    appear(look, [['dog', 0.9, [0, 0, 100, 100]]]);
    await asked[0]?.answer.with([['wren', 0.9]]);
    t.equal(asked.length, 1);
    const names = presence.open().map(({ label, subLabel }) => `${label}: ${subLabel}`);
    t.same(names.sort(), ['animal: wren', 'dog: wren']);
  }
});

t.test('labels that do not count, or hardly, are not told', async (t) => {
  const { asked, named, look } = workshop({ labels: new Set(['robin']) });
  appear(look, [['bird', 0.9, [0, 0, 100, 100]]]);
  t.equal(asked[0]?.topK, 3, 'all labels are asked for');
  await asked[0]?.answer.with([
    ['wren', 0.8],
    ['robin', 0.1],
  ]);
  t.same(named, []);
  look([['bird', 0.9, [0, 0, 200, 200]]]);
  await asked[1]?.answer.with([
    ['wren', 0.6],
    ['robin', 0.35],
  ]);
  t.same(named, [['event-1', 'robin', 0.35]]);
});

t.test('a slow network holds nobody up and works on its own copy', async (t) => {
  const { asked, look, named, presence, stage } = workshop();
  const bytes = new Uint8Array([1, 2, 3]);
  const bird: Seen = ['bird', 0.9, [0, 0, 100, 100]];
  look([bird]);
  look([bird], bytes);
  bytes.fill(9);
  for (let n = 0; n < 50; n += 1) look([bird, ['bird', 0.8, [400, 300, 80, 80]]]);
  t.equal(asked.length, 1, 'nothing waits in a queue');
  t.same(asked[0]?.bytes, [1, 2, 3]);
  look([]);
  look([]);
  presence.tick({ capturedAt: 1e7, time: 1e7 });
  await asked[0]?.answer.with([['wren', 0.9]]);
  t.same(named, [], 'its event has ended');
  t.match(stage.counts(), { runs: 1, named: 0 });
});

t.test('one that fails is left alone for longer and longer', async (t) => {
  const { asked, look, stage, wait, named } = workshop();
  const bird: Seen = ['bird', 0.9, [0, 0, 100, 100]];
  appear(look, [bird]);
  await asked[0]?.answer.fail(new Error('it died'));
  t.match(stage.counts(), { failed: 1, runs: 0, error: 'it died' });
  wait(-900);
  look([bird]);
  t.equal(asked.length, 1, 'not at once');
  wait(120_000);
  look([bird]);
  t.equal(asked.length, 2, 'the object has not been looked at yet');
  await asked[1]?.answer.with([['wren', 0.9]]);
  t.match(stage.counts(), { failed: 1, runs: 1, error: null });
  t.equal(named.length, 1);
});

t.test('it keeps to its share of the budget, and stops while it is too hot', async (t) => {
  let budget: number | null = null;
  const { asked, look, stage } = workshop({}, { budget: () => budget });
  const bird: Seen = ['bird', 0.9, [0, 0, 100, 100]];
  appear(look, [bird]);
  t.equal(asked.length, 0);
  t.ok(stage.counts().held >= 1);
  budget = 0.5;
  look([bird]);
  t.equal(asked.length, 1);

  const allowance = new Allowance();
  let now = 0;
  let spent = 0;
  for (; now < 600_000; now += 50) {
    if (!allowance.allows(0.4, now)) continue;
    allowance.spend(400);
    spent += 400;
  }
  t.ok(Math.abs(spent / now - 0.1) < 0.005, `a quarter of 0.4: ${spent / now}`);
  t.notOk(new Allowance().allows(0, 0));
});

t.test('what was taught of an object is told alone, after some looks if need be', async (t) => {
  const head = {
    ...{ labels: ['Minka', 'Felix'], dimension: 2, thresholds: Float32Array.of(0.7, 0.7) },
    probabilities: (embedding: Float32Array) => embedding,
    numbers: { centre: new Float32Array(2), sigmoid: { slope: -1, offset: 0 }, classes: [] },
  };
  const of: (readonly string[])[] = [];
  const { asked, look, named, wait } = workshop(
    { of: new Set(['cat']) },
    {
      taught(_camera, labels) {
        of.push(labels);
        return labels.includes('cat') ? [head] : [];
      },
    },
  );
  const cat: Seen = ['cat', 0.9, [0, 0, 100, 100]];
  appear(look, [cat]);
  t.ok(asked[0]?.embedding);
  t.same(of, [['cat', 'animal']]);
  // Neither of them: what the network calls it is not told in their place.
  await asked[0]?.answer.with([['wren', 0.99]], Float32Array.of(0.2, 0.69));
  t.same(named, []);
  wait(5000);
  look([cat]);
  t.equal(asked.length, 2, 'it is looked at again');
  await asked[1]?.answer.with([['wren', 0.99]], Float32Array.of(0.9, 0.1));
  t.match(named[0], ['event-1', 'Minka']);
  wait(5000);
  look([cat]);
  t.equal(asked.length, 2, 'what has a name is left alone until it has grown');

  const stranger = workshop({ of: new Set(['cat']) }, { taught: () => [head] });
  appear(stranger.look, [cat]);
  for (let n = 0; n < 15; n += 1) {
    await stranger.asked.at(-1)?.answer.with([], Float32Array.of(0, 0));
    stranger.wait(5000);
    stranger.look([cat]);
  }
  t.equal(stranger.asked.length, 10, 'a stranger is not looked at for ever');
  t.same(stranger.named, []);
});

t.test('a camera that goes, or a stage that is closed, hears of nothing', async (t) => {
  const gone = workshop();
  appear(gone.look, [['bird', 0.9, [0, 0, 100, 100]]]);
  gone.remove();
  await gone.asked[0]?.answer.with([['wren', 0.9]]);
  t.same(gone.named, []);
  const closed = workshop();
  appear(closed.look, [['bird', 0.9, [0, 0, 100, 100]]]);
  const end = closed.stage.close();
  await closed.asked[0]?.answer.with([['wren', 0.9]]);
  await end;
  t.same(closed.named, []);
  closed.look([['bird', 0.9, [0, 0, 300, 300]]]);
  t.equal(closed.asked.length, 1);
});

t.test('the crop is a square around the object, inside the frame', async (t) => {
  const near = (found: Box, expected: Box) =>
    t.ok(
      found.every((value, index) => Math.abs(value - (expected[index] ?? 0)) < 1e-6),
      `${found}`,
    );
  near(cropAround([200, 200, 100, 50], [640, 480], 1), [195, 170, 110, 110]);
  near(cropAround([200, 200, 100, 50], [640, 480], 0.5), [140, 115, 220, 220]);
  near(cropAround([0, 0, 100, 50], [640, 480], 1), [0, 0, 110, 110]);
  near(cropAround([600, 400, 40, 80], [640, 480], 1), [552, 392, 88, 88]);
  near(cropAround([0, 0, 640, 470], [640, 480], 1), [0, 0, 640, 480]);
  t.end();
});
