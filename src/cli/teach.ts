import { Option } from 'commander';
import { codedError } from '../errors.js';
import type { CommandContext, Register } from './command.js';
import { addNotes } from './help-layout.js';
import { secondsOption, type TeachFlags } from './teach/flags.js';

export const register: Register = (program, context) => {
  const command = program
    .command('teach')
    .argument('[label]', 'what it is to be called, such as "gate open"')
    .summary('teach a new label from a few pictures')
    .description(
      [
        'Learns a label from pictures of a folder, or from what a camera sees now. Pictures that are',
        'nearly the same as others are left out. Also show what it is not (--not): the same place without',
        'it, and what looks alike. All of it stays in the state folder. A running daemon uses it at once.',
      ].join('\n'),
    )
    .option('--from <folder>', 'pictures that show it: a folder, or one file')
    .option('--camera <name>', 'the camera that it is for; without --from it is recorded')
    .addOption(
      new Option('--for <time>', 'how long to record, such as 20s or 2m')
        .argParser(secondsOption)
        .default(20, '20s'),
    )
    .option('--zone <name>', 'look at the rectangle of this zone of the camera only')
    .option('--of <labels>', 'look at each object of these labels, such as cat,dog', list)
    .option('--not', 'the pictures do not show it', false)
    .option('--report', 'what it is worth: recall, precision, confusion, what to add next')
    .option('--list', 'what was taught')
    .option('--undo', 'take the last batch of pictures back')
    .option('--drop <picture>', 'take one picture out, such as one that the report names')
    .option('--forget', 'forget the label; with --not, what it is not')
    .option('--export <file>', 'write pictures and numbers to a .tar, for another board')
    .option('--import <file>', 'add the pictures of such a file')
    .option('--json', 'one JSON object', false)
    .action((label: string | undefined, flags: TeachFlags) => {
      const isTimed = command.getOptionValueSource('for') === 'cli';
      return run(label, flags, isTimed, context);
    });
  addNotes(
    command,
    'A recording is done by the running daemon; without one the camera is opened for that time.',
  );
};

function list(text: string): readonly string[] {
  return text.split(',').map((label) => label.trim());
}

const DEEDS = ['report', 'list', 'undo', 'drop', 'forget', 'export', 'import'] as const;

/** What each deed can be narrowed by: anything else that is given was meant for something, and is refused. */
const TAKES: Readonly<Record<(typeof DEEDS)[number], readonly string[]>> = {
  report: ['LABEL', '--camera', '--zone', '--of'],
  list: [],
  undo: [],
  drop: [],
  forget: ['LABEL', '--not', '--camera', '--zone', '--of'],
  export: [],
  import: ['--camera', '--zone'],
};

/** Exactly one thing is done. @throws MND_USAGE */
async function run(
  label: string | undefined,
  flags: TeachFlags,
  isTimed: boolean,
  context: CommandContext,
): Promise<void> {
  const asked = DEEDS.filter((deed) => flags[deed] !== undefined);
  const [deed, ...more] = asked;
  const sources = [flags.from, flags.camera].filter((each) => each !== undefined);
  if (more.length > 0 || (deed !== undefined && flags.from !== undefined)) {
    throw usage('one thing to do', [...asked, ...(flags.from === undefined ? [] : ['from'])]);
  }
  if (deed === undefined && (label === undefined || sources.length === 0)) {
    throw usage('LABEL and --from FOLDER or --camera NAME, or one of --report, --list, --undo', []);
  }
  if (deed === 'forget' && label === undefined) throw usage('LABEL --forget', ['forget']);
  refuseIdle(deed, label, flags, isTimed);
  const { teach, tend } = await import('./teach/work.js');
  if (deed === undefined) await teach(label ?? '', flags, context);
  else await tend(deed, label ?? null, flags, context);
}

/** What is given and would do nothing. @throws MND_USAGE */
function refuseIdle(
  deed: (typeof DEEDS)[number] | undefined,
  label: string | undefined,
  { not, camera, zone, of, from }: TeachFlags,
  isTimed: boolean,
): void {
  const given = { LABEL: label, '--camera': camera, '--zone': zone, '--of': of };
  const names = [
    ...Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name])),
    ...(not ? ['--not'] : []),
    ...(isTimed ? ['--for'] : []),
  ];
  const isUsed = (name: string) =>
    deed === undefined ? name !== '--for' || from === undefined : TAKES[deed].includes(name);
  const [idle] = names.filter((name) => !isUsed(name));
  if (idle === undefined) return;
  const takes = deed === undefined ? [] : TAKES[deed];
  throw codedError('MND_USAGE', {
    subject: deed === undefined ? 'teach --from' : `teach --${deed}`,
    expected:
      deed === undefined
        ? 'no --for, which says how long a camera is recorded'
        : takes.length === 0
          ? 'nothing beside it'
          : `${takes.join(', ')} at most`,
    found: idle === 'LABEL' ? JSON.stringify(label) : idle,
    next: deed === 'undo' ? UNDO_NEXT : 'see mobilenetd teach --help',
  });
}

const UNDO_NEXT =
  '--undo takes the last batch back, whatever it was; teach LABEL --forget forgets one label';

function usage(expected: string, found: readonly string[]): Error {
  return codedError('MND_USAGE', {
    subject: 'teach',
    expected,
    found: found.length === 0 ? 'too little' : found.map((name) => `--${name}`).join(', '),
    next: 'see mobilenetd teach --help',
  });
}
