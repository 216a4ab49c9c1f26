import type { Database } from 'better-sqlite3';
import type { Command } from 'commander';
import { codedError, messageOf } from '../errors.js';
import { eventPayload, isoTime, roundBox, roundScore } from '../mqtt/publish/payloads.js';
import type { PresenceEvent } from '../presence/event.js';
import type { EventBrief } from '../store/query.js';
import type { Detection, Query } from '../store/store.js';
import type { CommandContext } from './command.js';
import { writeLine } from './output.js';
import type { Column, Row } from './rows.js';
import { localTime, requireSpan, span, timeOption } from './times.js';

/** Which rows a command is about; times in milliseconds since the epoch. */
export interface Filter {
  readonly since?: number;
  readonly until?: number;
  readonly label?: string;
  readonly camera?: string;
}

/** The options of every command that asks the history. */
export function filterOptions(command: Command): Command {
  return command
    .option('--since <time>', 'from this time on', timeOption('--since'))
    .option('--until <time>', 'before this time', timeOption('--until'))
    .option('--label <label>', 'of this label only')
    .option('--camera <name>', 'of this camera only');
}

/** Rows of a table without --since, --until or --limit. */
export const SHORT_LIST = 100;

/** Parser of `--limit`. Throws MND_USAGE. */
export function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(limit)) return limit;
  throw codedError('MND_USAGE', {
    subject: '--limit',
    expected: 'a whole number from 0, which is all',
    found: JSON.stringify(text),
  });
}

/** Throws MND_USAGE for a span that ends before it begins. */
export function toQuery(filter: Filter, limit = 0): Query {
  const { since, until, label, camera } = filter;
  requireSpan(since, until);
  return {
    limit: limit === 0 ? Number.MAX_SAFE_INTEGER : limit,
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(label !== undefined && { label }),
    ...(camera !== undefined && { camera }),
  };
}

/**
 * Runs `ask` with the database of the configuration, open for reading. Where parts of it are damaged,
 * what can be read is read, and the command then fails with MND_STORE_CORRUPT.
 */
export async function askHistory<T>(
  context: CommandContext,
  ask: (database: Database, onDamage: (error: unknown) => void) => Promise<T>,
): Promise<T> {
  const { databaseFile } = await import('../store/path.js');
  const { openForReading } = await import('../store/reading.js');
  const { isDamage } = await import('../store/damage.js');
  const file = databaseFile(context.loadConfig().state_dir);
  const database = openForReading(file);
  let damage: unknown = null;
  const corrupt = (cause: unknown) =>
    codedError('MND_STORE_CORRUPT', {
      subject: file,
      found: messageOf(cause),
      next: 'what could be read was read; the daemon sets the file aside at its next start (mobilenetd doctor)',
      cause,
    });
  try {
    const answer = await ask(database, (error) => {
      damage ??= error;
    });
    if (damage !== null) throw corrupt(damage);
    return answer;
  } catch (error) {
    throw isDamage(error) ? corrupt(error) : error;
  } finally {
    database.close();
  }
}

/** The newest items, at most `SHORT_LIST`, and whether there are more. */
export function shortList<T>(items: readonly T[]): {
  readonly items: readonly T[];
  readonly cut: boolean;
} {
  return { items: items.slice(-SHORT_LIST), cut: items.length > SHORT_LIST };
}

export function sayCut({ stderr }: CommandContext): void {
  writeLine(stderr, `(the newest ${SHORT_LIST}; --limit 0 shows all, --since 1d those of a day)`);
}

export function sayNothing({ stderr }: CommandContext): void {
  writeLine(stderr, 'nothing was recorded that fits');
}

/** A detection as it is printed for programs: times in UTC. */
export function detectionRow(row: Detection): Row {
  const { camera, label, model, alpha, size, event } = row;
  const [score, box] = [roundScore(row.score), roundBox(row.box)];
  return { time: isoTime(row.time), camera, label, score, model, alpha, size, box, event };
}

/** An event as it is printed for programs: times in UTC. Of its picture a few bytes are read. */
export async function eventRowsOf({
  loadConfig,
}: CommandContext): Promise<(event: PresenceEvent) => Row> {
  const { pictureTimeOf } = await import('../store/picture-shelf.js');
  const { state_dir: folder } = loadConfig();
  return (event) => eventPayload(event, pictureTimeOf(folder, event.id));
}

export const DETECTION_FIELDS = [
  ...['time', 'camera', 'label', 'score', 'model', 'alpha', 'size', 'box', 'event'],
];
export const EVENT_FIELDS = [
  ...['start', 'end', 'camera', 'label', 'score', 'count', 'type', 'model', 'alpha', 'size'],
  ...[
    'box',
    'id',
    'object',
    'stationary',
    'zones',
    'loitering',
    'picture',
    'sub_label',
    'sub_score',
  ],
];

/** Characters of an id that tables show; commands take it in this form, too. */
export const SHORT_ID = 8;

const boxText = (box: readonly number[] | null) =>
  box === null ? '-' : box.map(Math.round).join(' ');
const alphaText = (alpha: number | null) => (alpha === null ? '-' : String(alpha));

export function detectionColumns(wide: boolean): readonly Column<Detection>[] {
  const narrow: readonly Column<Detection>[] = [
    { title: 'time', width: 19, text: ({ time }) => localTime(time) },
    { title: 'camera', width: wide ? 20 : 12, text: ({ camera }) => camera },
    { title: 'label', width: wide ? 28 : 20, text: ({ label }) => label },
    { title: 'score', width: 5, right: true, text: ({ score }) => score.toFixed(2) },
    { title: 'size', width: 4, right: true, text: ({ size }) => String(size) },
  ];
  const event = ({ event: id }: Detection) => id ?? '-';
  if (!wide) {
    return [
      ...narrow,
      { title: 'event', width: SHORT_ID, text: (row) => event(row).slice(0, SHORT_ID) },
    ];
  }
  return [
    ...narrow,
    { title: 'model', width: 36, text: ({ model }) => model },
    { title: 'alpha', width: 5, right: true, text: ({ alpha }) => alphaText(alpha) },
    { title: 'box', width: 20, text: ({ box }) => boxText(box) },
    { title: 'event', width: 0, text: event },
  ];
}

/** E.g. `bird: robin`, where a second network was asked. */
function seenAs({ label, subLabel }: EventBrief): string {
  return (subLabel ?? null) === null ? label : `${label}: ${subLabel}`;
}

function seenColumns(wide: boolean, now: number): readonly Column<EventBrief>[] {
  const lasted = ({ start, end }: EventBrief) =>
    span((end ?? now) - start) + (end === null ? ' …' : '');
  return [
    { title: 'start', width: 19, text: ({ start }) => localTime(start) },
    { title: 'lasted', width: 9, right: true, text: lasted },
    { title: 'camera', width: wide ? 20 : 10, text: ({ camera }) => camera },
    { title: 'label', width: wide ? 28 : 16, text: seenAs },
    { title: 'score', width: 5, right: true, text: ({ score }) => score.toFixed(2) },
  ];
}

/** Columns of a list that fits a terminal; `now` in milliseconds since the epoch. */
export function briefColumns(now: number): readonly Column<EventBrief>[] {
  return [
    ...seenColumns(false, now),
    { title: 'id', width: SHORT_ID, text: ({ id }) => id.slice(0, SHORT_ID) },
  ];
}

/** All columns; `now` in milliseconds since the epoch. */
export function eventColumns(now: number): readonly Column<PresenceEvent>[] {
  return [
    ...seenColumns(true, now),
    { title: 'end', width: 19, text: ({ end }) => (end === null ? '-' : localTime(end)) },
    { title: 'count', width: 5, right: true, text: ({ count }) => String(count) },
    { title: 'model', width: 36, text: ({ model }) => model },
    { title: 'alpha', width: 5, right: true, text: ({ alpha }) => alphaText(alpha) },
    { title: 'size', width: 4, right: true, text: ({ size }) => String(size) },
    { title: 'box', width: 20, text: ({ box }) => boxText(box) },
    { title: 'id', width: 0, text: ({ id }) => id },
  ];
}
