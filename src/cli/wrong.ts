import { askDaemon } from '../control/client.js';
import { codedError } from '../errors.js';
import type { CommandContext, Register } from './command.js';
import { writeJsonLine, writeLine } from './output.js';
import { type Column, tableLines } from './rows.js';
import { socketsOf } from './sockets.js';
import { localTime } from './times.js';

interface Flags {
  readonly list?: true;
  readonly undo?: string;
  readonly json?: true;
}

interface Shown {
  readonly id: string;
  readonly camera: string;
  readonly label: string;
  readonly box: readonly number[];
  readonly held: number;
  readonly last: string | null;
  readonly event: string;
}

export const register: Register = (program, context) => {
  program
    .command('wrong')
    .argument('[event]', 'id of the event, or its first characters')
    .summary('call an event a false alarm, so that it does not come again')
    .description(
      [
        'Remembers the label, place and size of an event, and keeps the same false alarm back from then on.',
        'What comes into that place from elsewhere is told all the same. Asks the running daemon; exits',
        'with 69 when none runs.',
      ].join('\n'),
    )
    .option('--list', 'show what is kept back, and how often')
    .option('--undo <id>', 'forget one of them')
    .option('--json', 'one JSON object a spot')
    .action((event: string | undefined, flags: Flags) => runWrong(event, flags, context));
};

async function runWrong(
  event: string | undefined,
  flags: Flags,
  context: CommandContext,
): Promise<void> {
  const request = requestOf(event, flags);
  const answer = await askDaemon(request, socketsOf(context));
  const spots = 'spots' in answer ? (answer.spots as readonly Shown[]) : [];
  const { stdout, stderr } = context;
  if (flags.json) {
    for (const spot of spots) writeJsonLine(stdout, spot);
  } else if (request.list) {
    if (spots.length === 0) writeLine(stderr, 'nothing is kept back');
    else printTable(spots, context);
  } else {
    const [spot] = spots;
    if (spot === undefined) return;
    const done = request.undo === null ? 'is kept back' : 'is told again';
    writeLine(stdout, `${spot.label} at this spot of ${spot.camera} ${done} (spot ${spot.id})`);
  }
}

/** Throws MND_USAGE for more or less than one thing to do. */
function requestOf(event: string | undefined, { list, undo }: Flags) {
  const given = [event, list, undo].filter((each) => each !== undefined).length;
  if (given !== 1) {
    throw codedError('MND_USAGE', {
      subject: 'wrong',
      expected: 'an event, --list or --undo ID',
      found: given === 0 ? 'none of them' : 'more than one of them',
    });
  }
  return { verb: 'wrong', event: event ?? null, undo: undo ?? null, list: list === true } as const;
}

const COLUMNS: readonly Column<Shown>[] = [
  { title: 'id', width: 4, right: true, text: ({ id }) => id },
  { title: 'camera', width: 12, text: ({ camera }) => camera },
  { title: 'label', width: 16, text: ({ label }) => label },
  { title: 'held', width: 6, right: true, text: ({ held }) => String(held) },
  {
    title: 'last',
    width: 19,
    text: ({ last }) => (last === null ? '-' : localTime(Date.parse(last))),
  },
  { title: 'box', width: 0, text: ({ box }) => box.map(Math.round).join(' ') },
];

function printTable(spots: readonly Shown[], { stdout }: CommandContext): void {
  const { header, line } = tableLines(COLUMNS);
  if (header !== null) writeLine(stdout, header);
  for (const spot of spots) writeLine(stdout, line(spot));
}
