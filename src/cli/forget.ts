import { readdirSync } from 'node:fs';
import { codedError } from '../errors.js';
import type { Forgetting } from '../store/forget.js';
import type { CommandContext, Register } from './command.js';
import { type Filter, filterOptions, toQuery } from './history.js';
import { endWith, writeJsonLine, writeLine } from './output.js';
import { ask } from './prompt.js';
import { TIME_HELP, timeOption } from './times.js';

interface Flags extends Filter {
  readonly before?: number;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('forget')
    .summary('remove what was seen, by time or label')
    .description(
      [
        'Removes detections and events from the database, with the pictures of the events and messages that',
        'wait to tell of them, while the daemon runs or not. What is removed is overwritten in the file.',
        'Events of which any part lies in the time are removed; those that have not ended stay.',
        TIME_HELP,
      ].join('\n'),
    );
  filterOptions(command)
    .option('--before <time>', 'the same as --until', timeOption('--before'))
    .option('--dry-run', 'say what would be removed and do nothing', false)
    .option('--yes', 'do not ask', false)
    .option('--json', 'one JSON object: detections, events, pictures, open', false)
    .action((flags: Flags) => runForget(flags, context));
};

async function runForget(flags: Flags, context: CommandContext): Promise<void> {
  const what = requireBounds(flags);
  const { countForgotten, forget } = await import('../store/forget.js');
  const { databaseFile } = await import('../store/path.js');
  const { removePictures } = await import('../store/pictures.js');
  const { state_dir: stateDir } = context.loadConfig();
  const file = databaseFile(stateDir);
  if (flags.dryRun) {
    report('would be removed', { ...countForgotten(file, what), pictures: null }, flags, context);
    return;
  }
  if (!flags.yes) {
    const { detections, events } = countForgotten(file, what);
    await confirm(`Remove ${detections} detections and ${events} events for good?`, context);
  }
  const { eventIds, ...counts } = await forget(file, what, context.signal);
  const pictures = removePictures(stateDir, eventIds);
  report('removed', { ...counts, pictures }, flags, context);
  const copies = copiesIn(stateDir);
  if (copies.length > 0 && !flags.json) {
    writeLine(
      context.stderr,
      `older copies may still have it: ${copies.join(', ')} in ${stateDir}`,
    );
  }
}

/** Throws MND_USAGE where everything would be removed, or nothing. */
function requireBounds({ before, ...flags }: Flags): Forgetting {
  if (before !== undefined && flags.until !== undefined) {
    throw codedError('MND_USAGE', { expected: '--before or --until', found: 'both' });
  }
  const { limit: _, ...what } = toQuery({
    ...flags,
    ...(before !== undefined && { until: before }),
  });
  if (Object.keys(what).length > 0) return what;
  throw codedError('MND_USAGE', {
    subject: 'forget',
    expected: 'at least one of --before, --since, --until, --label, --camera',
    found: 'none',
    next: '`--before 0s` means everything up to now',
  });
}

interface Counts {
  readonly detections: number;
  readonly events: number;
  readonly open: number;
  readonly pictures: number | null;
}

function report(verb: string, counts: Counts, flags: Flags, { stdout }: CommandContext): void {
  if (flags.json) {
    writeJsonLine(stdout, counts);
    return;
  }
  const { detections, events, open, pictures } = counts;
  const more = pictures === null ? '' : `, ${pictures} pictures`;
  writeLine(stdout, `${detections} detections, ${events} events${more} ${verb}`);
  if (open > 0) writeLine(stdout, `${open} events have not ended and stay`);
}

async function confirm(question: string, context: CommandContext): Promise<void> {
  if (process.stdin.isTTY !== true) {
    throw codedError('MND_USAGE', {
      subject: 'forget',
      expected: 'a terminal to ask on, or --yes',
      found: 'neither',
    });
  }
  const answer = await ask(`${question} [y/N] `, context);
  if (!/^y(es)?$/i.test(answer.trim())) throw endWith(1);
}

/** Copies of the database beside it. */
function copiesIn(stateDir: string): readonly string[] {
  return readdirSync(stateDir).filter((name) =>
    /^mobilenetd\.db\.(corrupt-[^/]*Z|v\d+)$/.test(name),
  );
}
