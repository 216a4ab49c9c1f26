import t from 'tap';
import { boardLadder } from '#mobilenetd/simulator/board-ladder.js';
import { type Board, findBoard } from '#mobilenetd/simulator/boards.js';
import { settledPlant, stepPlant } from '#mobilenetd/simulator/plant.js';
import { simulate } from '#mobilenetd/simulator/run.js';
import { createScenario } from '#mobilenetd/simulator/scenarios.js';
import { scoreRun } from '#mobilenetd/simulator/score.js';
import { benchRun, contest, figures } from '../../bench/lab/bars.js';
import { FAMILIES } from '../../bench/lab/families.js';
import { familyFigures, familyRun } from '../../bench/lab/family-bars.js';
import { fitPlant, parseLog } from '../../bench/lab/fit.js';
import { createContestant, REFERENCE_NAMES } from '../../bench/lab/references.js';
import { isFeasible } from '../../bench/lab/score.js';

function board(name: string): Board {
  const found = findBoard(name);
  if (found === undefined) throw new Error(name);
  return found;
}

t.setTimeout(500_000);

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
  const sound = runs.filter((r) => !r.faulty);
  const gap = sound.reduce((sum, r) => sum + r.gap, 0) / sound.length;
  t.ok(gap <= 1.4, `mean gap ${gap.toFixed(2)}`);
});

t.test('the oracle and the references stand where they belong', async (t) => {
  const score = (name: Parameters<typeof contest>[2]) =>
    scoreRun(contest(board('pi4-case'), 'nominal', name, 1), 80);
  const oracle = score('oracle');
  const floor = score('floor');
  t.ok(isFeasible(oracle, floor));
  t.ok(oracle.quality > floor.quality + 10);
  t.ok(Math.abs(oracle.peakC + 0.5) < 0.1, `${oracle.peakC}: it spends all there is`);
  t.ok(score('none').secondsAtLimit > 1000, 'nobody looks after it');
  for (const name of REFERENCE_NAMES) {
    const { quality } = score(name);
    t.ok(quality > floor.quality + 5 && quality < oracle.quality + 5, `${name}: ${quality}`);
  }
});

t.test('the planner saves for a neighbour that the greedy oracle runs into', async (t) => {
  const bare = board('pi4-bare');
  const { limitC, requestedFps } = bare;
  const ladder = boardLadder(bare);
  const visited = () => ({
    durationS: 800,
    startUtil: 0.6,
    at: (s: number) => ({ foreign: s >= 600 && s < 660 ? 0.9 : 0.03 }),
  });
  const scenario = createScenario('visited', 1, { visited });
  if (scenario === undefined) throw new Error('no scenario');
  const scoreOf = (name: Parameters<typeof contest>[2]) => {
    const pilot = createContestant(name, { ladder, limitC, requestedFps, marginC: 1.5 });
    return scoreRun(simulate({ board: bare, scenario, pilot, seed: 1 }), limitC);
  };
  const [oracle, planner, own] = [scoreOf('oracle'), scoreOf('planner'), scoreOf('mobilenetd')];
  t.ok(oracle.secondsAtLimit > 10, `${oracle.secondsAtLimit} s: it did not see it come`);
  t.equal(planner.secondsAtLimit, 0);
  t.ok(Math.abs(planner.peakC + 0.5) < 0.1, `${planner.peakC}: it spends all there is`);
  t.ok(planner.quality < oracle.quality && planner.quality > own.quality);
});

t.test('every family can be flown, and its goal is judged by its feasible runs', async (t) => {
  const runs = ['drift', 'short-low'].map((name) => familyRun(board('pi4-heatsink'), name, 1));
  t.ok(runs.every(({ gap }) => Number.isFinite(gap)));
  const run = { family: 'drift', board: 'x', seed: 1, feasible: true, gap: 1, avoidableS: 0 };
  const goal = FAMILIES.drift;
  if (goal === undefined) throw new Error('no drift');
  const judged = (more: Partial<typeof run>) => familyFigures([run, { ...run, ...more }])[0];
  t.ok(judged({})?.pass);
  t.notOk(judged({ gap: 2 * goal.gap + 1 })?.pass, 'the mean is judged');
  t.notOk(judged({ avoidableS: 1 })?.pass, 'the worst run is judged');
  t.ok(judged({ gap: 99, avoidableS: 9, feasible: false })?.pass, 'nobody could do better');
  t.throws(() => familyRun(board('pi4-case'), 'no such', 1), RangeError);
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
