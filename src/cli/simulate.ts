import { BOARDS, type Board } from '../simulator/boards.js';
import type { GovernorName } from '../simulator/governors.js';
import type { Point } from '../simulator/run.js';
import { SCENARIO_NAMES } from '../simulator/scenarios.js';
import { DEFAULT_MARGIN_C } from '../thermal/options.js';
import { GOVERNOR_RANGES } from '../thermal/ranges.js';
import { numberOption } from './arguments.js';
import type { CommandContext, Register } from './command.js';
import { writeJsonLine, writeLine, writeResult } from './output.js';
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
  readonly json: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('simulate')
    .summary('try the thermal governor on simulated boards')
    .description(
      [
        'Runs governors on a simulated board through scenarios of an hour or more, and prints how much',
        'accuracy each kept, how hot it got and how calm it was. Quality is the accuracy of the frames',
        'asked for (a dropped frame counts as wrong). step-wise is what the Linux kernel would do, none',
        'always runs the best network. docs/governor.md explains the figures.',
      ].join('\n'),
    )
    .option('--board <name>', 'the simulated board, or all', 'pi4-case')
    .option('--scenario <name>', 'the course of events, or all', 'all')
    .option('--governor <name>', 'mobilenetd, step-wise, none, or all', 'mobilenetd')
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
    .option('--plot <file>', 'draw the (first) run as SVG')
    .option('--record <file>', "write the (first) run's governor log")
    .option('--replay <file>', 'run a governor log through the governor and compare bit by bit')
    .option('--json', 'one JSON object a line', false)
    .addHelpText(
      'after',
      () => `\nBoards: ${names(BOARDS)}\nScenarios: ${SCENARIO_NAMES.join(', ')}`,
    )
    .action((flags: Flags) =>
      flags.replay === undefined
        ? runSimulate(flags, context)
        : runReplay(flags.replay, flags, context),
    );
};

function names(boards: readonly Board[]): string {
  return boards.map(({ name }) => name).join(', ');
}

async function runSimulate(flags: Flags, context: CommandContext): Promise<void> {
  const { requireBoard } = await import('../simulator/simulated-board.js');
  const { GOVERNOR_NAMES } = await import('../simulator/governors.js');
  const boards = flags.board === 'all' ? BOARDS : [requireBoard(flags.board)];
  const scenarios = await choose('scenario', flags.scenario, SCENARIO_NAMES);
  const governors = await choose('governor', flags.governor, GOVERNOR_NAMES);
  const rows: string[][] = [];
  let first = true;
  for (const board of boards) {
    for (const scenario of scenarios) {
      for (const governor of governors) {
        context.signal.throwIfAborted();
        const row = await runOne({ board, scenario, governor, flags, keep: first });
        first = false;
        if (flags.json) writeJsonLine(context.stdout, row);
        else rows.push(cells(row));
        // Lets a signal in between runs.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
  if (!flags.json) writeLine(context.stdout, formatTable(COLUMNS, rows));
}

/** Throws MND_USAGE when the name is none of these. */
async function choose<T extends string>(
  what: string,
  name: string,
  names: readonly T[],
): Promise<readonly T[]> {
  if (name === 'all') return names;
  const found = names.filter((candidate) => candidate === name);
  if (found.length > 0) return found;
  const { codedError } = await import('../errors.js');
  throw codedError('MND_USAGE', {
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
  'at limit s',
  'peak − limit',
  'budget/h',
  'pairs/h',
];

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
  /** Plot and record this run if asked to. */
  readonly keep: boolean;
}

async function runOne(request: RunRequest): Promise<Row> {
  const { boardLadder } = await import('../simulator/boards.js');
  const { createPilot } = await import('../simulator/governors.js');
  const { simulate } = await import('../simulator/run.js');
  const { createScenario } = await import('../simulator/scenarios.js');
  const { scoreRun } = await import('../simulator/score.js');
  const { board, flags } = request;
  const { limitC, requestedFps } = board;
  const log: string[] = [];
  const scenario = createScenario(request.scenario, flags.seed);
  const points: readonly Point[] =
    scenario === undefined
      ? []
      : simulate({
          board,
          scenario,
          seed: flags.seed,
          pilot: createPilot(request.governor, {
            ladder: boardLadder(board),
            limitC,
            requestedFps,
            marginC: flags.margin,
            log: (line) => log.push(line),
          }),
        });
  const score = scoreRun(points, limitC);
  if (request.keep) await keepRun(request, points, log);
  return {
    board: board.name,
    scenario: request.scenario,
    governor: request.governor,
    quality: score.quality,
    seconds_at_limit: score.secondsAtLimit,
    peak: score.peakC,
    budget_variation: score.budgetVariation,
    pair_changes: score.pairChanges,
  };
}

async function keepRun(
  request: RunRequest,
  points: readonly Point[],
  log: readonly string[],
): Promise<void> {
  const { board, flags } = request;
  if (flags.plot !== undefined) {
    const { plotRun } = await import('../simulator/plot.js');
    const title = `${board.description}, ${request.scenario}, ${request.governor} (simulated)`;
    await writeResult(
      flags.plot,
      plotRun(points, { title, limitC: board.limitC, marginC: flags.margin }),
    );
  }
  if (flags.record !== undefined) await writeResult(flags.record, log.join(''));
}

async function runReplay(file: string, flags: Flags, context: CommandContext): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  const { replayLog } = await import('../simulator/replay.js');
  const { codedError, messageOf } = await import('../errors.js');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw codedError('MND_INPUT_MISSING', { subject: file, found: messageOf(error), cause: error });
  });
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
