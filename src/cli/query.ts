import { codedError } from '../errors.js';
import type { Bucket, BucketUnit } from '../store/buckets.js';
import { systemClock } from '../time.js';
import type { CommandContext, Register } from './command.js';
import {
  askHistory,
  briefColumns,
  DETECTION_FIELDS,
  detectionColumns,
  detectionRow,
  EVENT_FIELDS,
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
import { writeText } from './output.js';
import {
  type Column,
  csvLines,
  type Format,
  jsonLines,
  printRows,
  type Row,
  tableLines,
} from './rows.js';
import { localTime, span, TIME_HELP } from './times.js';

interface QueryFlags extends Filter {
  readonly events: boolean;
  readonly by?: BucketUnit;
  readonly limit?: number;
  readonly wide: boolean;
  readonly json: boolean;
  readonly csv: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('query')
    .summary('show what was seen, from the database')
    .description(
      [
        'Shows detections, or events with --events, oldest first, while the daemon runs or not.',
        'An event fits when any part of its stay lies in the time asked for.',
        TIME_HELP,
        'Tables show local times; --json and --csv have UTC. A table without --since, --until or --limit',
        `shows the newest ${SHORT_LIST}.`,
      ].join('\n'),
    );
  filterOptions(command)
    .option('--events', 'events (a stay from beginning to end) instead of detections', false)
    .option(
      '--by <unit>',
      'events by the hour or day, and label: how many began, and how long',
      parseUnit,
    )
    .option('--limit <n>', 'the newest n at most; 0 for all', parseLimit)
    .option('--wide', 'all columns, whole ids', false)
    .option('--json', 'one JSON object a line', false)
    .option('--csv', 'comma-separated values with a header', false)
    .action((flags: QueryFlags) => runQuery(flags, context));
};

async function runQuery(flags: QueryFlags, context: CommandContext): Promise<void> {
  if (flags.json && flags.csv) {
    throw codedError('MND_USAGE', { expected: '--json or --csv', found: 'both' });
  }
  const { queryBriefs, queryDetections, queryEvents, queryStays } = await import(
    '../store/query.js'
  );
  const isTable = !flags.json && !flags.csv;
  const bounded =
    flags.since !== undefined || flags.until !== undefined || flags.limit !== undefined;
  // One more than is shown tells whether there are more.
  const isShort = isTable && !bounded && flags.by === undefined;
  const query = toQuery(flags, isShort ? SHORT_LIST + 1 : flags.limit);
  await askHistory(context, async (database, onDamage) => {
    const asked = { ...query, onDamage };
    const show = <T>(items: Iterable<T>, format: Format<T>) =>
      print(items, format, isShort, context, flags);
    if (flags.by !== undefined) {
      const { countBuckets } = await import('../store/buckets.js');
      await show(countBuckets(queryStays(database, asked), bucketSpan(flags)), bucketFormat(flags));
    } else if (flags.events) {
      const columns = eventColumns(systemClock.wall());
      const rows = await eventRowsOf(context);
      if (!isTable || flags.wide) {
        await show(queryEvents(database, asked), formatOf(flags, EVENT_FIELDS, rows, columns));
      } else {
        await show(queryBriefs(database, asked), tableLines(briefColumns(systemClock.wall())));
      }
    } else {
      const columns = detectionColumns(flags.wide);
      await show(
        queryDetections(database, asked),
        formatOf(flags, DETECTION_FIELDS, detectionRow, columns),
      );
    }
  });
}

function formatOf<T>(
  { json, csv }: QueryFlags,
  fields: readonly string[],
  row: (item: T) => Row,
  columns: readonly Column<T>[],
): Format<T> {
  if (json) return jsonLines(row);
  return csv ? csvLines(fields, row) : tableLines(columns);
}

async function print<T>(
  items: Iterable<T>,
  format: Format<T>,
  isShort: boolean,
  context: CommandContext,
  { json, csv }: QueryFlags,
): Promise<void> {
  const list = isShort ? shortList([...items]) : { items, cut: false };
  const count = await printRows(list.items, format, context);
  if (list.cut) sayCut(context);
  if (count > 0 || json) return;
  if (csv) await writeText(context.stdout, `${format.header}\n`, context.signal);
  else sayNothing(context);
}

function parseUnit(text: string): BucketUnit {
  if (text === 'hour' || text === 'day') return text;
  throw codedError('MND_USAGE', {
    subject: '--by',
    expected: 'hour or day',
    found: JSON.stringify(text),
  });
}

function bucketSpan({ by = 'hour', since, until }: QueryFlags) {
  return {
    unit: by,
    since: since ?? null,
    until: until ?? systemClock.wall(),
    now: systemClock.wall(),
  };
}

const BUCKET_FIELDS = ['time', 'label', 'events', 'seconds', 'best'];

function bucketRow({ time, label, events, presentMs, best }: Bucket): Row {
  const seconds = Math.round(presentMs / 100) / 10;
  return {
    time: new Date(time).toISOString(),
    label,
    events,
    seconds,
    best: Math.round(best * 1e4) / 1e4,
  };
}

function bucketFormat(flags: QueryFlags): Format<Bucket> {
  const length = flags.by === 'day' ? 10 : 16;
  return formatOf(flags, BUCKET_FIELDS, bucketRow, [
    { title: flags.by ?? '', width: length, text: ({ time }) => localTime(time).slice(0, length) },
    { title: 'label', width: 28, text: ({ label }) => label },
    { title: 'events', width: 6, right: true, text: ({ events }) => String(events) },
    { title: 'present', width: 8, right: true, text: ({ presentMs }) => span(presentMs) },
    { title: 'best', width: 4, right: true, text: ({ best }) => best.toFixed(2) },
  ]);
}
