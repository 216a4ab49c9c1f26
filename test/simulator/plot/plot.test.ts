import t from 'tap';
import { boardLadder } from '#mobilenetd/simulator/board-ladder.js';
import { findBoard } from '#mobilenetd/simulator/boards.js';
import { createPilot, type GovernorName } from '#mobilenetd/simulator/governors.js';
import { roundTicks, tickText, timeText, timeTicks } from '#mobilenetd/simulator/plot/axis.js';
import { binned } from '#mobilenetd/simulator/plot/bins.js';
import { courseOf } from '#mobilenetd/simulator/plot/course.js';
import { plotRuns } from '#mobilenetd/simulator/plot/plot.js';
import { simulate } from '#mobilenetd/simulator/run.js';
import { createScenario, SCENARIO_NAMES } from '#mobilenetd/simulator/scenarios.js';

function scene(boardName: string, scenarioName: string, durationS?: number) {
  const board = findBoard(boardName);
  const scenario = createScenario(scenarioName, 1);
  if (board === undefined || scenario === undefined) throw new Error('no such board or scenario');
  const course = durationS === undefined ? scenario : { ...scenario, durationS };
  return { board, scenario: course, ladder: boardLadder(board), marginC: 1.5 };
}

function picture(
  boardName: string,
  scenarioName: string,
  governors: readonly GovernorName[],
  durationS?: number,
) {
  const { board, scenario, ladder, marginC } = scene(boardName, scenarioName, durationS);
  const { limitC, requestedFps } = board;
  const runs = governors.map((governor) => {
    const pilot = createPilot(governor, { ladder, limitC, requestedFps, marginC });
    return { governor, points: simulate({ board, scenario, seed: 1, pilot }) };
  });
  return plotRuns({ board, scenario, ladder, marginC, runs });
}

t.test('what happens in a scenario, as tracks', async (t) => {
  const labels = (name: string, hasFan = false) =>
    courseOf(scene('pi4-case', name).scenario, hasFan).map(({ label }) => label);
  t.same(labels('nominal'), []);
  t.match(labels('sun'), [/^sun, [0-9.]+ W$/]);
  t.match(labels('diurnal'), [/^sun, up to [0-9.]+ W$/]);
  t.match(labels('cpu-hog'), [/^others [0-9]+ % CPU$/]);
  t.same(labels('frame-rate'), ['fewer frames asked', 'more frames asked']);
  t.same(labels('fan-failure', true), ['fan broken']);
  t.same(labels('fan-failure', false), [], 'nothing happens to a board without one');
  t.match(labels('sensor-frozen'), [/^others/, 'sensor frozen']);
  const [wave] = courseOf(scene('pi4-case', 'square-wave').scenario, false);
  t.ok((wave?.spans.length ?? 0) > 30, 'every visit is one span');
});

t.test(
  'a picture has limit, goal, rungs by name, events, what was asked for, and the score',
  async (t) => {
    const svg = picture('pi4-case', 'sun', ['mobilenetd']);
    for (const text of [
      /Pi 4 in the closed official case · sun · mobilenetd/,
      />limit 80<\/text>/,
      />goal 78.5<\/text>/,
      />0\.75\/192<\/text>/,
      />sun, [0-9.]+ W<\/text>/,
      />asked for<\/text>/,
      />quality [0-9.]+ %, 0 s at the limit, peak [0-9.]+ °C below it<\/text>/,
      />20 min<\/text>/,
      />75<\/text>/,
    ]) {
      t.match(svg, text);
    }
    t.match(svg, /prefers-color-scheme:dark/);
    t.ok(svg.length < 60_000, `${svg.length} bytes`);
  },
);

t.test('every scenario can be drawn', async (t) => {
  for (const name of SCENARIO_NAMES) {
    const svg = picture('pi5-cooler', name, ['none'], 1500);
    t.notMatch(svg, /NaN|Infinity|undefined/, name);
    t.equal(svg.match(/<text/g)?.length, svg.match(/<\/text>/g)?.length, name);
  }
});

t.test('a peak of one second is not thinned away', async (t) => {
  const { board, scenario, ladder, marginC } = scene('pi4-case', 'nominal');
  const { limitC, requestedFps } = board;
  const pilot = createPilot('none', { ladder, limitC, requestedFps, marginC });
  const points = simulate({ board, scenario, seed: 1, pilot }).map((point) =>
    point.timeS === 1000 ? { ...point, dieC: 99, peakC: 99 } : point,
  );
  const bins = binned(points, 100);
  t.ok(bins.length <= 100);
  t.equal(Math.max(...bins.map(({ hottestC }) => hottestC)), 99);
});

t.test('ticks are round', async (t) => {
  t.same(roundTicks(57, 81.5, 6), [60, 65, 70, 75, 80]);
  t.same(roundTicks(0, 1.1, 3), [0, 0.5, 1]);
  t.same(
    timeTicks(0, 3600, 8)
      .map((s) => timeText(s, 3600))
      .slice(0, 3),
    ['0 min', '10 min', '20 min'],
  );
  t.equal(timeText(5400, 6 * 3600), '1:30 h');
  t.equal(tickText(-2.5, [-2.5, 0]), '−2.5');
  t.equal(tickText(80, [75, 80]), '80');
});
