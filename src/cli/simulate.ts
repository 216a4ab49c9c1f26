import { codedError } from '../errors.js';
import { readInputText } from '../input-file.js';
import { requireWritable, writeResult } from '../result-file.js';
import { BOARDS, type Board } from '../simulator/boards.js';
import { GOVERNOR_NAMES, type GovernorName } from '../simulator/governors.js';
import type { Point } from '../simulator/run.js';
import { SCENARIO_NAMES, type Scenario } from '../simulator/scenarios.js';
import { DEFAULT_MARGIN_C } from '../thermal/options.js';
import { GOVERNOR_RANGES } from '../thermal/ranges.js';
import { numberOption } from './arguments.js';
import type { CommandContext, Register } from './command.js';
import { addNotes } from './help-layout.js';
import { breathe, writeJsonLine, writeLine } from './output.js';
import { createProgressLine, type ProgressLine } from './progress-bar.js';
import { formatTable } from './table.js';

interface Flags {
  readonly board: string;
  readonly scenario: string;
  readonly governor: string;
  readonly seed: number;
  readonly margin: number;
  readonly plot?: string;
  readonly record?: string;
  readonly replay?: string;
  readonly wide: boolean;
  readonly json: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('simulate')
    .summary('try the thermal governor on simulated boards')
    .description(
      [
        'Runs governors on a simulated board through scenarios of an hour or more, and prints how much',
        'accuracy each kept, how hot it got and how calm it was. Quality is the accuracy of the frames',
        'asked for (a dropped frame counts as wrong), peak is the distance to the limit, °C. step-wise,',
        'bang-bang and ipa are what the Linux kernel has for cooling; none always runs the best network. With --plot and --governor all the',
        'governors are drawn over each other. docs/governor.md explains the figures.',
      ].join('\n'),
    )
    .option('--board <name>', 'the simulated board, or all', 'pi4-case')
    .option('--scenario <name>', 'the course of events, or all', 'all')
    .option('--governor <name>', `${GOVERNOR_NAMES.join(', ')}, or all`, 'mobilenetd')
    .option(
      '--seed <number>',
      'of noise and of the scenario',
      numberOption('--seed', { min: 0, max: 1e9, integer: true }),
      1,
    )
    .option(
      '--margin <degrees>',
      'distance kept from the limit, °C',
      numberOption('--margin', GOVERNOR_RANGES.marginC),
      DEFAULT_MARGIN_C,
    )
    .option('--plot <file>', 'draw the first board and scenario as SVG')
    .option('--record <file>', "write the (first) run's governor log")
    .option('--replay <file>', 'run a governor log through the governor and compare bit by bit')
    .option('--wide', 'all columns: how much the budget and how often the rungs changed', false)
    .option('--json', 'one JSON object a line', false)
    .action((flags: Flags) =>
      flags.replay === undefined
        ? runSimulate(flags, context)
        : runReplay(flags.replay, flags, context),
    );
  addNotes(command, `Boards: ${names(BOARDS)}`, `Scenarios: ${SCENARIO_NAMES.join(', ')}`);
};

function names(boards: readonly Board[]): string {
  return boards.map(({ name }) => name).join(', ');
}

async function runSimulate(flags: Flags, context: CommandContext): Promise<void> {
  const { requireBoard } = await import('../simulator/simulated-board.js');
  const boards = flags.board === 'all' ? BOARDS : [requireBoard(flags.board)];
  const scenarios = choose('scenario', flags.scenario, SCENARIO_NAMES);
  const governors = choose('governor', flags.governor, GOVERNOR_NAMES);
  for (const file of [flags.plot, flags.record]) if (file !== undefined) requireWritable(file);
  const courses = boards.flatMap((board) => scenarios.map((scenario) => ({ board, scenario })));
  const progress = createProgressLine(context.stderr, courses.length * governors.length);
  const rows: string[][] = [];
  try {
    for (const [index, course] of courses.entries()) {
      const runs: Flown[] = [];
      for (const governor of governors) {
        progress.begin(`${course.board.name}  ${course.scenario}  ${governor}`);
        const run = await fly({ ...course, governor, flags }, context.signal, progress);
        if (index === 0) runs.push(run);
        if (flags.json) writeJsonLine(context.stdout, run.row);
        else rows.push(cells(run.row));
      }
      if (index === 0) await keep(course.board, runs, flags);
    }
  } finally {
    progress.clear();
  }
  if (flags.json) return;
  const columns = flags.wide ? COLUMNS.length : NARROW;
  const cut = (row: readonly string[]) => row.slice(0, columns);
  writeLine(context.stdout, formatTable(cut(COLUMNS), rows.map(cut)));
}

/** Throws MND_USAGE when the name is none of these. */
function choose<T extends string>(what: string, name: string, names: readonly T[]): readonly T[] {
  if (name === 'all') return names;
  const found = names.filter((candidate) => candidate === name);
  if (found.length === 0) throw noSuch(what, name, names);
  return found;
}

function noSuch(what: string, name: string, names: readonly string[]): Error {
  return codedError('MND_USAGE', {
    subject: `--${what} ${name}`,
    expected: `all or one of ${names.join(', ')}`,
    found: `no such ${what}`,
  });
}

interface Row {
  readonly board: string;
  readonly scenario: string;
  readonly governor: string;
  readonly quality: number;
  readonly seconds_at_limit: number;
  readonly peak: number;
  readonly budget_variation: number;
  readonly pair_changes: number;
}

const COLUMNS = [
  'board',
  'scenario',
  'governor',
  'quality',
  's at limit',
  'peak',
  'budget/h',
  'pairs/h',
];
/** What a terminal of 80 places has room for. */
const NARROW = 6;

function cells(row: Row): string[] {
  return [
    row.board,
    row.scenario,
    row.governor,
    row.quality.toFixed(1),
    String(row.seconds_at_limit),
    row.peak.toFixed(1),
    row.budget_variation.toFixed(1),
    row.pair_changes.toFixed(0),
  ];
}

interface RunRequest {
  readonly board: Board;
  readonly scenario: string;
  readonly governor: GovernorName;
  readonly flags: Flags;
}

interface Flown {
  readonly governor: GovernorName;
  readonly scenario: Scenario;
  readonly points: readonly Point[];
  /** The governor's log. */
  readonly log: string;
  readonly row: Row;
}

/** Simulated seconds between two looks at the signal and the progress line. */
const SLICE_S = 120;

async function fly(
  request: RunRequest,
  signal: AbortSignal,
  progress: Pick<ProgressLine, 'at'>,
): Promise<Flown> {
  const { boardLadder } = await import('../simulator/board-ladder.js');
  const { createPilot } = await import('../simulator/governors.js');
  const { flight } = await import('../simulator/run.js');
  const { createScenario } = await import('../simulator/scenarios.js');
  const { scoreRun } = await import('../simulator/score.js');
  const { board, flags, governor } = request;
  const { limitC, requestedFps } = board;
  const { seed, margin: marginC } = flags;
  const ladder = boardLadder(board);
  const scenario = createScenario(request.scenario, seed);
  if (scenario === undefined) throw noSuch('scenario', request.scenario, SCENARIO_NAMES);
  const log: string[] = [];
  const options = { ladder, limitC, requestedFps, marginC, log: (line: string) => log.push(line) };
  const points: Point[] = [];
  for (const point of flight({ board, scenario, seed, pilot: createPilot(governor, options) })) {
    points.push(point);
    if (points.length % SLICE_S !== 0) continue;
    progress.at(points.length / scenario.durationS);
    await breathe(signal);
  }
  const score = scoreRun(points, limitC);
  const row = {
    board: board.name,
    scenario: scenario.name,
    governor,
    quality: score.quality,
    seconds_at_limit: score.secondsAtLimit,
    peak: score.peakC,
    budget_variation: score.budgetVariation,
    pair_changes: score.pairChanges,
  };
  return { governor, scenario, points, log: log.join(''), row };
}

/** Writes the picture and the log that were asked for, of the runs of one board and scenario. */
async function keep(board: Board, runs: readonly Flown[], flags: Flags): Promise<void> {
  const [first] = runs;
  if (first === undefined) return;
  if (flags.plot !== undefined) {
    const { boardLadder } = await import('../simulator/board-ladder.js');
    const { plotRuns } = await import('../simulator/plot/plot.js');
    const { scenario } = first;
    const ladder = boardLadder(board);
    writeResult(flags.plot, plotRuns({ board, ladder, scenario, marginC: flags.margin, runs }));
  }
  if (flags.record !== undefined) writeResult(flags.record, first.log);
}

/** More than a week of decisions. */
const MAX_LOG_BYTES = 256 * 1024 * 1024;

async function runReplay(file: string, flags: Flags, context: CommandContext): Promise<void> {
  const { replayLog } = await import('../simulator/replay.js');
  const text = await readInputText(file, 'a log that simulate --record wrote', MAX_LOG_BYTES);
  const { decisions, differences } = replayLog(text);
  if (flags.json) writeJsonLine(context.stdout, { decisions, differences });
  else {
    writeLine(
      context.stdout,
      `${decisions} decisions replayed, ${differences.length === 0 ? 'all the same' : `${differences.length} differ`}`,
    );
    for (const d of differences.slice(0, 10)) {
      writeLine(context.stdout, `line ${d.line}: recorded ${JSON.stringify(d.recorded)}`);
      writeLine(context.stdout, `line ${d.line}: replayed ${JSON.stringify(d.replayed)}`);
    }
  }
  if (differences.length > 0) {
    throw codedError('MND_INTERNAL', {
      subject: file,
      found: `${differences.length} decisions differ from the log`,
      next: 'was the log written by another version?',
    });
  }
}
