import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { codedError } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import type { PresenceEvent } from '../presence/event.js';
import { resultFailed } from '../result-file.js';
import type { EventBrief } from '../store/query.js';
import { systemClock } from '../time.js';
import type { CommandContext, Register } from './command.js';
import {
  askHistory,
  briefColumns,
  eventColumns,
  eventRowsOf,
  type Filter,
  filterOptions,
  parseLimit,
  SHORT_LIST,
  sayCut,
  sayNothing,
  shortList,
  toQuery,
} from './history.js';
import { writeLine } from './output.js';
import { type Format, jsonLines, printRows, tableLines } from './rows.js';
import { TIME_HELP } from './times.js';

interface Flags extends Filter {
  readonly limit?: number;
  readonly open?: string;
  readonly wide: boolean;
  readonly json: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('events')
    .summary('show events, and the pictures that belong to them')
    .description(
      [
        'Shows events (a stay from beginning to end), oldest first: those of which any part lies in the',
        'time asked for, or those whose ids are named (their first characters are enough).',
        TIME_HELP,
        `The table shows local times, --json has UTC; without --since, --until or --limit the newest ${SHORT_LIST}.`,
      ].join('\n'),
    )
    .argument('[ids...]', 'these events only');
  filterOptions(command)
    .option('--limit <n>', 'the newest n at most; 0 for all', parseLimit)
    .option('--open <folder>', 'also copy the pictures of the events there')
    .option('--wide', 'all columns, whole ids', false)
    .option('--json', 'one JSON object a line', false)
    .action((ids: readonly string[], flags: Flags) => runEvents(ids, flags, context));
};

async function runEvents(
  ids: readonly string[],
  flags: Flags,
  context: CommandContext,
): Promise<void> {
  const bounded =
    flags.since !== undefined || flags.until !== undefined || flags.limit !== undefined;
  const isShort = ids.length === 0 && !bounded && !flags.json;
  const printed = new Set<string>();
  await askHistory(context, async (database, onDamage) => {
    const { queryBriefs, queryEvents } = await import('../store/query.js');
    const query = { ...toQuery(flags, isShort ? SHORT_LIST + 1 : flags.limit), onDamage };
    const named = ids.length === 0 ? null : await find(database, ids);
    const show = async <T extends EventBrief>(found: Iterable<T>, format: Format<T>) => {
      const list = isShort ? shortList([...found]) : { items: found, cut: false };
      const count = await printRows(noting(list.items, printed), format, context);
      if (list.cut) sayCut(context);
      if (count === 0 && !flags.json) sayNothing(context);
    };
    if (flags.json) {
      await show(named ?? queryEvents(database, query), jsonLines(await eventRowsOf(context)));
    } else if (flags.wide) {
      await show(
        named ?? queryEvents(database, query),
        tableLines(eventColumns(systemClock.wall())),
      );
    } else {
      await show(
        named ?? queryBriefs(database, query),
        tableLines(briefColumns(systemClock.wall())),
      );
    }
  });
  if (flags.open !== undefined) await copyPictures(printed, flags.open, context);
}

async function find(database: Database, ids: readonly string[]): Promise<PresenceEvent[]> {
  const { eventsById } = await import('../store/query.js');
  return ids.map((id) => {
    const [event, other] = eventsById(database, id, 2);
    if (event !== undefined && (other === undefined || event.id === id)) return event;
    throw codedError('MND_USAGE', {
      subject: `event ${id}`,
      expected: 'the id of one event, or its first characters',
      found: event === undefined ? 'no such event' : 'several events that begin so',
      next: 'mobilenetd events lists them, with --wide their whole ids',
    });
  });
}

function* noting<T extends EventBrief>(events: Iterable<T>, ids: Set<string>): Generator<T> {
  for (const event of events) {
    ids.add(event.id);
    yield event;
  }
}

async function copyPictures(
  ids: ReadonlySet<string>,
  folder: string,
  context: CommandContext,
): Promise<void> {
  const { picturesOf } = await import('../store/pictures.js');
  const pictures = picturesOf(context.loadConfig().state_dir, ids);
  let copied = 0;
  let without = ids.size - pictures.size;
  try {
    if (pictures.size > 0) makeFolder(folder);
    for (const files of pictures.values()) {
      const before = copied;
      for (const file of files) if (await isCopied(file, folder)) copied += 1;
      if (copied === before) without += 1;
    }
  } catch (cause) {
    throw resultFailed(folder, cause);
  }
  const none = without === 0 ? '' : `; ${without} of the events have none`;
  writeLine(context.stderr, `${copied} pictures in ${folder}${none}`);
}

/** False: the picture has gone meanwhile, as retention removes them while a daemon runs. */
async function isCopied(file: string, folder: string): Promise<boolean> {
  try {
    await copyFile(file, join(folder, basename(file)));
    return true;
  } catch (error) {
    if (existsSync(file)) throw error;
    return false;
  }
}
