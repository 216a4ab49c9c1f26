import t from 'tap';
import { withinTime } from '#mobilenetd/thermal/ladder.js';
import { createWays, waysLike } from '#mobilenetd/thermal/law/ways.js';
import type { Rung } from '#mobilenetd/thermal/sample.js';

/** A rung with three threads and with one, which takes twice as long and 0.74 of the processor time. */
function rung(name: string, costMs: number): Rung {
  const ways = [
    { threads: 3, costMs, cpuMs: 2.7 * costMs, knob: '3' },
    { threads: 1, costMs: 2 * costMs, cpuMs: 2 * costMs, knob: '1' },
  ];
  return { name, alpha: 1, size: 128, accuracy: 50, costMs, ways };
}
const LADDER = [rung('small', 20), rung('large', 60)];
const calm = (fps: number, cooler = true) => ({ fps, slowdown: 1, cooler });

t.test('without ways there is nothing to choose, and the ladder is as it was', (t) => {
  const plain = LADDER.map(({ ways: _, ...rest }) => rest);
  const ways = createWays(plain);
  t.notOk(ways.any);
  t.equal(ways.hot, plain);
  t.notOk(ways.update(calm(5), []));
  t.same(ways.work([[0, 0.25]]), { load: 0.25, byKnob: [] });
  t.end();
});

t.test('the coolest way that keeps the rate, where cooler ones are wanted', (t) => {
  const ways = createWays(LADDER);
  ways.update(calm(5, false), [1]);
  t.same([ways.wayOf(0), ways.wayOf(1)], [0, 0], 'else the fastest');
  t.ok(ways.update(calm(5), [1]));
  t.same([ways.wayOf(0), ways.wayOf(1)], [1, 1]);
  t.equal(ways.ladder[1]?.costMs, 120, 'wall time');
  t.ok(
    Math.abs((ways.hot[1]?.costMs ?? 0) - (60 * 2) / 2.7) < 1e-9,
    'heat, in the busiest way’s ms',
  );
  ways.update(calm(10), [1]);
  t.same([ways.wayOf(0), ways.wayOf(1)], [1, 0], 'ten frames of 120 ms do not fit');
  ways.update({ fps: 10, slowdown: 3, cooler: true }, [1]);
  t.same([ways.wayOf(0), ways.wayOf(1)], [0, 0], 'beside other programs frames take longer');
  t.end();
});

t.test('between two bounds a way stays as it is', (t) => {
  const ways = createWays([rung('one', 60)]);
  ways.update(calm(6.5), [1]);
  t.equal(ways.wayOf(0), 0, '0.78 of each second is too much to enter');
  ways.update(calm(5), [1]);
  ways.update(calm(6.5), [1]);
  t.equal(ways.wayOf(0), 1, 'and no reason to leave');
  ways.update(calm(8), [1]);
  t.equal(ways.wayOf(0), 0);
  t.end();
});

t.test('a knob that heats more than its processor time is not cooler', (t) => {
  const ways = createWays(LADDER);
  ways.update(calm(5), [1.4]);
  t.equal(ways.wayOf(0), 0);
  ways.update(calm(5), [0.8]);
  t.equal(ways.wayOf(0), 1);
  t.ok(Math.abs((ways.hot[0]?.costMs ?? 0) - (0.8 * 20 * 2) / 2.7) < 1e-9);
  t.end();
});

t.test('a rung without ways, or with one that is none, heats as the busiest way does', (t) => {
  const { ways: _, ...plain } = rung('plain', 40);
  const odd = {
    ...rung('odd', 50),
    ways: [{ threads: 1, costMs: 50, cpuMs: Number.NaN, knob: 'x' }],
  };
  const ways = createWays([...LADDER, plain, odd]);
  ways.update(calm(5), [1]);
  t.same([ways.wayOf(2), ways.wayOf(3)], [0, 0]);
  t.same(
    ways.hot.slice(2).map(({ costMs }) => Math.round(costMs)),
    [40, 50],
  );
  t.same(ways.knobs, ['1']);
  t.ok(Math.abs(ways.work([[2, 0.3]]).load - 0.3) < 1e-9);
  t.end();
});

t.test('work counts by processor time, and by knob', (t) => {
  const ways = createWays(LADDER);
  ways.update(calm(10), [1]);
  // The small one runs on one thread, the large one on three.
  const { load, byKnob } = ways.work([
    [0, 0.27],
    [1, 0.3],
  ]);
  t.ok(Math.abs(load - 0.4) < 1e-9, `${load}`);
  t.ok(Math.abs((byKnob[0] ?? 0) - 0.1) < 1e-9, `${byKnob}`);
  t.end();
});

t.test('another ladder of the same knobs goes on, one of others has no ways', (t) => {
  const ways = createWays(LADDER);
  t.ok(waysLike(ways, [rung('other', 30), rung('more', 40)]).any);
  const odd = LADDER.map((one) => ({
    ...one,
    ways: (one.ways ?? []).map((way) => ({ ...way, knob: `new ${way.knob}` })),
  }));
  t.notOk(waysLike(ways, odd).any);
  t.end();
});

t.test('what heat allows is cut down to the time that there is', (t) => {
  const wall = [rung('a', 100), rung('b', 300)];
  const hot = [rung('a', 50), rung('b', 100)];
  const plan = { mix: { low: 0, high: 1, fraction: 0.5 }, fps: 5, load: 0.375, segment: 1 };
  const cut = withinTime(plan, { wall, hot, timeS: 0.8 });
  t.ok(Math.abs(cut.mix.fraction - 0.3) < 1e-9, 'less of the upper rung');
  t.ok(Math.abs(cut.load - 0.325) < 1e-9);
  const slow = withinTime(plan, { wall, hot, timeS: 0.25 });
  t.same([slow.mix.fraction, slow.fps], [0, 2.5], 'then fewer frames');
  t.equal(withinTime(plan, { wall, hot, timeS: 2 }), plan);
  t.equal(
    withinTime(plan, { wall, hot: wall, timeS: 0.1 }),
    plan,
    'where heat is time it was done',
  );
  t.end();
});
