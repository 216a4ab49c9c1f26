import t from 'tap';
import { boardLadder } from '#mobilenetd/simulator/board-ladder.js';
import { createRandom } from '#mobilenetd/simulator/random.js';
import {
  allocate,
  allowedRungs,
  buildHull,
  dipped,
  type LadderRules,
} from '#mobilenetd/thermal/ladder.js';
import type { Rung } from '#mobilenetd/thermal/sample.js';

const RULES: LadderRules = {
  pin: 'auto',
  floorAlpha: 0,
  floorSize: 0,
  prefer: 'accuracy',
  minFps: 1,
};

function rung(
  name: string,
  costMs: number,
  accuracy: number,
  alpha: number | null = 1,
  size = 224,
): Rung {
  return { name, costMs, accuracy, alpha, size };
}

const THREE = [rung('a', 2, 40), rung('b', 6, 60), rung('c', 20, 70)];

t.test('hull', async (t) => {
  t.test('drops what a mix of its neighbours beats', async (t) => {
    const hull = buildHull([...THREE, rung('bad', 10, 61)], RULES);
    t.same(
      hull.map((c) => c.rung),
      [-1, 0, 1, 2],
    );
  });
  t.test('drops a slower and less accurate rung', async (t) => {
    const hull = buildHull([rung('a', 2, 40), rung('worse', 3, 39), rung('c', 20, 70)], RULES);
    t.same(
      hull.map((c) => c.rung),
      [-1, 0, 2],
    );
  });
  t.test('a rung of unknown accuracy runs only when it is pinned, or alone', async (t) => {
    const unknown = rung('mine', 1, 0);
    t.same(allowedRungs([unknown, ...THREE], RULES), [1, 2, 3]);
    t.same(
      allowedRungs([unknown, ...THREE], { ...RULES, prefer: 'fps', floorSize: 999 }),
      [1, 2, 3],
    );
    t.same(allowedRungs([unknown, ...THREE], { ...RULES, pin: 'mine' }), [0]);
    t.same(allowedRungs([unknown], RULES), [0]);
  });
  t.test('accuracy weighs dropped frames, fps does not', async (t) => {
    // The cheap rung is worth less than dropping frames of the good one.
    const steep = [rung('weak', 9, 20), rung('good', 10, 70)];
    t.same(
      buildHull(steep, RULES).map((c) => c.rung),
      [-1, 1],
    );
    t.same(
      buildHull(steep, { ...RULES, prefer: 'fps' }).map((c) => c.rung),
      [-1, 0, 1],
    );
  });
  t.test('no mix of any two rungs is better than the hull', async (t) => {
    const random = createRandom(3);
    for (let round = 0; round < 50; round += 1) {
      const ladder = Array.from({ length: 6 }, (_, i) =>
        rung(String(i), random.between(1, 30), random.between(20, 80)),
      ).sort((a, b) => a.costMs - b.costMs);
      const hull = buildHull(ladder, RULES);
      const costMs = random.between(1, 30);
      const plan = allocate(hull, (costMs * 10) / 1000, 10, { minFps: 0, segment: -1 });
      const { low, high, fraction } = plan.mix;
      const own =
        ((ladder[low]?.accuracy ?? 0) * (1 - fraction) + (ladder[high]?.accuracy ?? 0) * fraction) *
        (plan.fps / 10);
      const points = [rung('skip', 1e-9, 0), ...ladder];
      for (const a of points) {
        for (const b of points) {
          if (a.costMs > costMs || b.costMs < costMs) continue;
          const f = b.costMs > a.costMs ? (costMs - a.costMs) / (b.costMs - a.costMs) : 0;
          const mixed = a.accuracy * (1 - f) + b.accuracy * f;
          // The corner hysteresis may leave up to 6 % of a corner's cost unused.
          t.ok(own >= mixed - 80 * 0.06, `${own} against ${mixed}`);
        }
      }
    }
  });
});

t.test('rules', async (t) => {
  const ladder = [
    rung('s', 1, 40, 0.25, 128),
    rung('m', 3, 55, 0.5, 160),
    rung('l', 9, 70, 1, 224),
  ];
  t.same(allowedRungs(ladder, { ...RULES, floorAlpha: 0.5 }), [1, 2]);
  t.same(allowedRungs(ladder, { ...RULES, floorSize: 200 }), [2]);
  t.same(allowedRungs(ladder, { ...RULES, pin: 'm' }), [1]);
  t.same(allowedRungs(ladder, { ...RULES, pin: 'gone' }), [0, 1, 2], 'an unknown pin is no pin');
  t.same(allowedRungs(ladder, { ...RULES, floorAlpha: 9 }), [0, 1, 2], 'never nothing');
  t.same(allowedRungs([rung('x', Number.NaN, 50), ...ladder], RULES), [1, 2, 3]);
});

t.test('a floor of α leaves networks without α', async (t) => {
  const ladder = [rung('narrow', 2, 40, 0.25), rung('other', 4, 50, null), rung('wide', 9, 60)];
  t.same(allowedRungs(ladder, { ...RULES, floorAlpha: 0.5 }), [1, 2]);
});

t.test('a budget is spent exactly', async (t) => {
  const ladder = boardLadder({ overheadMs: 1.5, msPerMillion: 0.045 });
  const hull = buildHull(ladder, RULES);
  for (let budget = 0.01; budget < 0.85; budget += 0.01) {
    const plan = allocate(hull, budget, 30, { minFps: 0.1, segment: -1 });
    const { low, high, fraction } = plan.mix;
    const mean =
      (ladder[low]?.costMs ?? 0) * (1 - fraction) + (ladder[high]?.costMs ?? 0) * fraction;
    const load = (mean * plan.fps) / 1000;
    t.ok(Math.abs(load - plan.load) < 1e-6, `${budget}: ${load}`);
    t.ok(load <= budget * 1.016);
    t.ok(load > budget * 0.94 || plan.load >= 0.8);
  }
});

t.test('a budget that flutters around a corner keeps its pair', async (t) => {
  const hull = buildHull(THREE, RULES);
  let segment = allocate(hull, 0.062, 10, { minFps: 1, segment: -1 }).segment;
  let changes = 0;
  for (let i = 0; i < 100; i += 1) {
    const plan = allocate(hull, 0.06 + 0.001 * (i % 2 === 0 ? 1 : -1), 10, { minFps: 1, segment });
    if (plan.segment !== segment) changes += 1;
    segment = plan.segment;
  }
  t.ok(changes <= 1, `${changes} changes`);
});

t.test('below the first rung frames are dropped, not under the least rate', async (t) => {
  const hull = buildHull(THREE, RULES);
  t.same(allocate(hull, 0.01, 10, { minFps: 1, segment: -1 }).fps, 5);
  t.same(allocate(hull, 0, 10, { minFps: 2, segment: -1 }).fps, 2);
  t.same(
    allocate(hull, 0, 0.5, { minFps: 2, segment: -1 }).fps,
    0.25,
    'half can always be left out',
  );
  t.same(allocate(hull, 1, 0, { minFps: 2, segment: -1 }).fps, 0, 'nothing asked');
});

t.test('a dip lowers the load by its factor with the same pair', async (t) => {
  const hull = buildHull(THREE, RULES);
  const plan = allocate(hull, 0.1, 10, { minFps: 1, segment: -1 });
  for (const factor of [0.9, 0.5, 0.3]) {
    const low = dipped(plan, THREE, factor);
    t.same([low.mix.low, low.mix.high], [plan.mix.low, plan.mix.high]);
    const mean = 6 * (1 - low.mix.fraction) + 20 * low.mix.fraction;
    t.ok(Math.abs((mean * low.fps) / 1000 - plan.load * factor) < 1e-9);
  }
  t.equal(dipped(plan, THREE, 1), plan);
});
