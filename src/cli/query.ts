import { once } from 'node:events';
import { codedError } from '../errors.js';
import { eventPayload, isoTime, roundBox, roundScore } from '../mqtt/publish/payloads.js';
import type { Detection, Query } from '../store/store.js';
import type { CommandContext, Register } from './command.js';

interface QueryFlags {
  readonly since?: number;
  readonly until?: number;
  readonly label?: string;
  readonly camera?: string;
  readonly events: boolean;
  readonly limit: number;
  readonly json: boolean;
  readonly csv: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('query')
    .summary('show what was seen, from the database')
    .description(
      [
        'Shows detections, or events with --events, oldest first, while the daemon runs or not.',
        'Times are "90s", "30m", "1h", "7d" before now, or a date such as 2026-05-01T18:00.',
      ].join('\n'),
    )
    .option('--since <time>', 'from this time on', parseTime)
    .option('--until <time>', 'before this time', parseTime)
    .option('--label <label>', 'of this label only')
    .option('--camera <name>', 'of this camera only')
    .option('--events', 'events (a stay from beginning to end) instead of detections', false)
    .option('--limit <n>', 'the newest n at most; 0 for all', parseLimit, 100)
    .option('--json', 'one JSON object a line', false)
    .option('--csv', 'comma-separated values with a header', false)
    .action((flags: QueryFlags) => runQuery(flags, context));
};

async function runQuery(flags: QueryFlags, context: CommandContext): Promise<void> {
  if (flags.json && flags.csv) {
    throw codedError('MND_USAGE', { expected: '--json or --csv', found: 'both' });
  }
  const { databaseFile } = await import('../store/database.js');
  const { openForReading } = await import('../store/reading.js');
  const { queryDetections, queryEvents } = await import('../store/query.js');
  const database = openForReading(databaseFile(context.loadConfig().state_dir));
  try {
    const query = toQuery(flags);
    const rows = flags.events
      ? map(queryEvents(database, query), eventPayload)
      : map(queryDetections(database, query), detectionPayload);
    const columns = flags.events ? EVENT_COLUMNS : DETECTION_COLUMNS;
    await print(rows, columns, flags, context);
  } finally {
    database.close();
  }
}

function toQuery({ since, until, label, camera, limit }: QueryFlags): Query {
  return {
    limit: limit === 0 ? Number.MAX_SAFE_INTEGER : limit,
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(label !== undefined && { label }),
    ...(camera !== undefined && { camera }),
  };
}

type Row = Record<string, unknown>;

/** A column: its field, and its width in the table for people. */
type Column = readonly [field: string, width: number];

const DETECTION_COLUMNS: readonly Column[] = [
  ['time', 24],
  ['camera', 12],
  ['label', 20],
  ['score', 6],
  ['model', 28],
  ['alpha', 5],
  ['size', 4],
  ['box', 24],
  ['event', 0],
];

const EVENT_COLUMNS: readonly Column[] = [
  ['start', 24],
  ['end', 24],
  ['camera', 12],
  ['label', 20],
  ['score', 6],
  ['count', 5],
  ['type', 6],
  ['model', 28],
  ['alpha', 5],
  ['size', 4],
  ['box', 24],
  ['id', 0],
];

function detectionPayload(row: Detection): Row {
  const { camera, label, model, alpha, size, event } = row;
  const [score, box] = [roundScore(row.score), roundBox(row.box)];
  return { time: isoTime(row.time), camera, label, score, model, alpha, size, box, event };
}

async function print(
  rows: Iterable<Row>,
  columns: readonly Column[],
  flags: QueryFlags,
  context: CommandContext,
): Promise<void> {
  const { stdout, stderr, signal } = context;
  const format = flags.json
    ? (row: Row) => JSON.stringify(row)
    : flags.csv
      ? (row: Row) => columns.map(([field]) => csvField(row[field])).join(',')
      : (row: Row) =>
          columns
            .map(([field, width]) => cell(row[field], width))
            .join('  ')
            .trimEnd();
  let count = 0;
  for (const row of rows) {
    if (signal.aborted) throw signal.reason;
    if (count === 0 && !flags.json) stdout.write(`${header(columns, flags.csv)}\n`);
    count++;
    if (!stdout.write(`${format(row)}\n`)) await once(stdout, 'drain', { signal });
  }
  if (count > 0 || flags.json) return;
  if (flags.csv) stdout.write(`${header(columns, true)}\n`);
  else stderr.write('nothing was recorded that fits\n');
}

function header(columns: readonly Column[], csv: boolean): string {
  if (csv) return columns.map(([field]) => field).join(',');
  return columns
    .map(([field, width]) => field.padEnd(width))
    .join('  ')
    .trimEnd();
}

function cell(value: unknown, width: number): string {
  const text = value === null ? '-' : Array.isArray(value) ? value.join(' ') : String(value);
  // Names come from model files: what would drive a terminal is not printed.
  return text.replace(/\p{Cc}/gu, '?').padEnd(width);
}

/** RFC 4180, 2: fields with commas, quotes or line breaks are quoted, quotes doubled. */
function csvField(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = Array.isArray(value) ? value.join(' ') : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function* map<From, To>(items: Iterable<From>, convert: (item: From) => To): Generator<To> {
  for (const item of items) yield convert(item);
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

function parseTime(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) {
    return Date.now() - Number(amount) * (UNITS[unit] ?? 0);
  }
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(time)) return time;
  throw codedError('MND_USAGE', {
    expected: 'a time such as 90s, 30m, 1h, 7d or 2026-05-01T18:00',
    found: JSON.stringify(text),
  });
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(limit)) return limit;
  throw codedError('MND_USAGE', { expected: 'a whole number', found: JSON.stringify(text) });
}
