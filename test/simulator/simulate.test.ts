import t from 'tap';
import { boardLadder } from '#mobilenetd/simulator/board-ladder.js';
import { BOARDS, type Board, findBoard } from '#mobilenetd/simulator/boards.js';
import { createPilot, type GovernorName } from '#mobilenetd/simulator/governors.js';
import { settledPlant } from '#mobilenetd/simulator/plant.js';
import { replayLog } from '#mobilenetd/simulator/replay.js';
import { simulate } from '#mobilenetd/simulator/run.js';
import { createScenario, SCENARIO_NAMES } from '#mobilenetd/simulator/scenarios.js';
import { scoreRun } from '#mobilenetd/simulator/score.js';
import { simulatedBoard } from '#mobilenetd/simulator/simulated-board.js';
import { createWorld } from '#mobilenetd/simulator/world.js';
import { allocate } from '#mobilenetd/thermal/ladder.js';

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

interface How {
  readonly seed?: number;
  readonly mixFrames?: boolean;
  readonly log?: (line: string) => void;
}

function fly(name: string, what: string, governor: GovernorName, how: How = {}) {
  const b = board(name);
  const { limitC, requestedFps } = b;
  const options = { ladder: boardLadder(b), limitC, requestedFps, marginC: 1.5, ...how };
  const pilot = createPilot(governor, options);
  return simulate({ board: b, scenario: scenario(what), pilot, seed: how.seed ?? 1 });
}

t.setTimeout(500_000);

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

t.test("without a governor, and with the kernel's, the same board is hotter", async (t) => {
  const none = scoreRun(fly('pi4-case', 'nominal', 'none'), 80);
  const kernel = scoreRun(fly('pi4-case', 'nominal', 'step-wise'), 80);
  const ours = scoreRun(fly('pi4-case', 'nominal', 'mobilenetd'), 80);
  t.ok(none.secondsAtLimit > 1000);
  t.equal(ours.secondsAtLimit, 0);
  t.ok(kernel.peakC > ours.peakC && kernel.peakC < none.peakC);
  t.ok(ours.budgetVariation < kernel.budgetVariation / 3);
});

t.test('step_wise follows the trend at its trip point only', async (t) => {
  const ladder = boardLadder(board('pi4-case')).slice(0, 4);
  const pilot = createPilot('step-wise', { ladder, limitC: 80, requestedFps: 30, marginC: 2 });
  const world = createWorld({
    board: board('pi4-case'),
    ladder,
    scenario: scenario('nominal'),
    seed: 1,
  });
  const rung = (tempC: number) => pilot(world, { ...world.first(), tempC }).high;
  t.equal(rung(70), 3);
  t.equal(rung(79), 2, 'above and rising');
  t.equal(rung(79), 2, 'above and stable');
  t.equal(rung(78.5), 2, 'above and falling');
  t.equal(rung(77), 3, 'below and falling');
});

t.test('frames mixed one by one do as well as seconds', async (t) => {
  const run = (mixFrames: boolean) =>
    scoreRun(fly('pi4-case', 'nominal', 'mobilenetd', { mixFrames }), 80);
  const frames = run(true);
  const seconds = run(false);
  t.equal(frames.secondsAtLimit, 0);
  t.ok(Math.abs(frames.quality - seconds.quality) < 0.5, `${frames.quality} ${seconds.quality}`);
});

t.test('a run is reproducible, its log replays bit by bit', async (t) => {
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const a = fly('pi5-bare', 'sensor-garbage', 'mobilenetd', { seed: 7, log });
  const b = fly('pi5-bare', 'sensor-garbage', 'mobilenetd', { seed: 7 });
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
