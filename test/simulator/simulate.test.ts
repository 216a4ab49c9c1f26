import t from 'tap';
import { benchRun, figures } from '#mobilenetd/simulator/bench.js';
import { BOARDS, type Board, boardLadder, findBoard } from '#mobilenetd/simulator/boards.js';
import { fitPlant, parseLog } from '#mobilenetd/simulator/fit.js';
import { settledPlant, stepPlant } from '#mobilenetd/simulator/plant.js';
import { plotRun } from '#mobilenetd/simulator/plot.js';
import { createReference } from '#mobilenetd/simulator/references.js';
import { replayLog } from '#mobilenetd/simulator/replay.js';
import { simulate } from '#mobilenetd/simulator/run.js';
import { createScenario, SCENARIO_NAMES } from '#mobilenetd/simulator/scenarios.js';
import { scoreRun } from '#mobilenetd/simulator/score.js';
import { simulatedBoard } from '#mobilenetd/simulator/simulated-board.js';
import { allocate } from '#mobilenetd/thermal/ladder.js';
import { LADDER, sampleOf } from '../thermal/plant-driver.js';

function board(name: string): Board {
  const found = findBoard(name);
  if (found === undefined) throw new Error(name);
  return found;
}

function scenario(name: string, seed = 1) {
  const found = createScenario(name, seed);
  if (found === undefined) throw new Error(name);
  return found;
}

t.setTimeout(300_000);

t.test('the boards stand where they were measured', async (t) => {
  t.ok(BOARDS.length >= 8);
  for (const b of BOARDS) {
    t.ok(b.anchors.length > 0, b.name);
    for (const anchor of b.anchors) {
      const around = { ambientC: anchor.ambientC, sunW: 0, fanWorks: true };
      const { dieC } = settledPlant(b.plant, around, anchor.state === 'idle' ? 0.03 : 1);
      const off = dieC - anchor.dieC;
      t.ok(
        Math.abs(off) <= anchor.toleranceC,
        `${b.name} ${anchor.state}: off by ${off.toFixed(1)}`,
      );
    }
  }
});

t.test('firmware throttles and the fan turns', async (t) => {
  const hot = { ambientC: 45, sunW: 0, fanWorks: true };
  const bare = settledPlant(board('pi4-bare').plant, hot, 1);
  t.ok(bare.throttled && bare.clock < 1);
  const cooled = settledPlant(board('pi5-cooler').plant, hot, 1);
  const failed = settledPlant(board('pi5-cooler').plant, { ...hot, fanWorks: false }, 1);
  t.ok(cooled.fanDuty > 0.5 && failed.fanDuty === 0);
  t.ok(failed.dieC > cooled.dieC + 3);
});

t.test('the bars hold on a small subset', async (t) => {
  const picks: [string, string][] = [
    ['pi4-case', 'nominal'],
    ['pi4-case', 'cpu-hog'],
    ['pi5-bare', 'square-wave'],
    ['pi4-bare', 'sensor-dropout'],
    ['pi3bplus-case', 'sensor-frozen'],
    ['pi5-case', 'fan-failure'],
  ];
  const runs = picks.map(([name, what]) => benchRun(board(name), what, 2));
  for (const figure of figures(runs)) {
    // Faults cost quality by design; over so few runs their share is not the bench's.
    if (figure.bar.includes('mean quality')) continue;
    t.ok(figure.pass, `${figure.bar}: ${figure.value.toFixed(2)} (${figure.worst})`);
  }
  const sound = runs.filter((r) => r.floorAfterS === null);
  const gap = sound.reduce((sum, r) => sum + r.gap, 0) / sound.length;
  t.ok(gap <= 1.4, `mean gap ${gap.toFixed(2)}`);
});

t.test('no governor overheats the same board', async (t) => {
  const b = board('pi4-case');
  const points = simulate({ board: b, scenario: scenario('nominal'), governor: 'none', seed: 1 });
  t.ok(scoreRun(points, b.limitC).secondsAtLimit > 1000);
});

t.test('frames mixed one by one do as well as seconds', async (t) => {
  const b = board('pi4-case');
  const run = (mixFrames: boolean) =>
    scoreRun(
      simulate({
        board: b,
        scenario: scenario('nominal'),
        governor: 'mobilenetd',
        seed: 1,
        mixFrames,
      }),
      b.limitC,
    );
  const frames = run(true);
  const seconds = run(false);
  t.equal(frames.secondsAtLimit, 0);
  t.ok(Math.abs(frames.quality - seconds.quality) < 0.5, `${frames.quality} ${seconds.quality}`);
});

t.test('a run is reproducible, its log replays bit by bit', async (t) => {
  const lines: string[] = [];
  const options = { board: board('pi5-bare'), governor: 'mobilenetd', seed: 7 } as const;
  const log = (line: string) => void lines.push(line);
  const a = simulate({ ...options, scenario: scenario('sensor-garbage'), log });
  const b = simulate({ ...options, scenario: scenario('sensor-garbage') });
  t.same(a.at(-1), b.at(-1));
  const replay = replayLog(lines.join(''));
  t.equal(replay.decisions, 3600);
  t.same(replay.differences, []);
  const tampered = lines.map((line, i) => (i === 500 ? line.replace('"rung":', '"rung":9') : line));
  t.ok(replayLog(tampered.join('')).differences.length > 0, 'a difference is seen');
  for (const bad of ['', '{}', 'nonsense', '{"options":{"ladder":[]}}\n']) {
    t.throws(() => replayLog(bad));
  }
});

t.test('every scenario is drawn from its seed', async (t) => {
  for (const name of SCENARIO_NAMES) {
    const one = scenario(name, 1);
    t.same(one.at(1234), scenario(name, 1).at(1234));
    t.ok(one.durationS >= 3600);
  }
  t.equal(createScenario('nothing', 1), undefined);
});

t.test('step_wise follows the trend at its trip point only', async (t) => {
  const governor = createReference('step-wise', { ladder: LADDER, limitC: 80, marginC: 2 });
  const rung = (tempC: number) => governor.decide(sampleOf(0, tempC)).rung;
  t.equal(rung(70), 3);
  t.equal(rung(79), 2, 'above and rising');
  t.equal(rung(79), 2, 'above and stable');
  t.equal(rung(78.5), 2, 'above and falling');
  t.equal(rung(77), 3, 'below and falling');
});

t.test('a plant is fitted to a log of idle, full, idle', async (t) => {
  const truth = { ...board('pi4-bare').plant, boardOutKW: 5.2, boardJK: 31, dieToBoardKW: 3.1 };
  const state = settledPlant(truth, { ambientC: 22, sunW: 0, fanWorks: true }, 0.02);
  const lines: string[] = ['time,temperature,load'];
  for (let s = 0; s < 1800; s += 1) {
    const load = s >= 300 && s < 1100 ? 1 : 0.02;
    stepPlant(truth, state, { ambientC: 22, sunW: 0, fanWorks: true }, load, 1);
    lines.push(`${s},${(Math.round(state.dieC * 2) / 2).toFixed(2)},${load}`);
  }
  const fit = fitPlant(parseLog(lines.join('\n')), {
    ambientC: 22,
    idleW: 2.1,
    fullW: 6.1,
    start: board('pi4-bare').plant,
  });
  t.ok(fit.errorC < 0.8, `rms ${fit.errorC.toFixed(2)}`);
  t.ok(Math.abs(fit.plant.boardOutKW - 5.2) < 0.8, `${fit.plant.boardOutKW}`);
  t.ok(Math.abs(fit.plant.dieToBoardKW - 3.1) < 0.8, `${fit.plant.dieToBoardKW}`);
  t.throws(() => parseLog('1,2,3'), { code: 'MND_INPUT_MISSING' });
});

t.test('a picture', async (t) => {
  const b = board('pi4-case');
  const points = simulate({ board: b, scenario: scenario('sun'), governor: 'mobilenetd', seed: 1 });
  const svg = plotRun(points, { title: 'a <b> & c', limitC: 80, marginC: 1.5 });
  t.match(svg, /^<svg [\s\S]*<\/svg>\n$/);
  t.match(svg, /a &lt;b&gt; &amp; c/);
  t.notMatch(svg, /NaN|undefined|Infinity/);
  t.equal((svg.match(/<path /g) ?? []).length, 10);
});

t.test('a simulated board stands in for a sensor', async (t) => {
  const one = simulatedBoard({ board: 'pi4-case', speed: 30, seed: 4 });
  const start = one.step(0, 0).tempC;
  let last = start;
  for (let i = 0; i < 60; i += 1) last = one.step(1, 1).tempC;
  t.equal(one.timeS, 1800);
  t.ok(last > start + 20, `${start} → ${last}`);
  const two = simulatedBoard({ board: 'pi4-case', speed: 30, seed: 4 });
  t.equal(two.step(0, 0).tempC, start);
  t.ok(Number.isFinite(one.step(Number.NaN, Number.NaN).tempC));
  t.throws(() => simulatedBoard({ board: 'pi9' }), { code: 'MND_USAGE' });
});

t.test('the ladder of the 16 networks is usable as it is', async (t) => {
  const ladder = boardLadder(board('pi4-case'));
  t.equal(ladder.length, 16);
  t.same(
    ladder.map((r) => r.costMs),
    ladder.map((r) => r.costMs).sort((a, b) => a - b),
  );
  t.ok(allocate([], 1, 10, { minFps: 1, segment: -1 }).mix, 'an empty hull does no harm');
});
