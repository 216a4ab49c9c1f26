import { codedError } from '../../errors.js';
import type { EventQuery, PageSource } from '../contract.js';
import {
  DONE,
  listOf,
  NULLABLE_NUMBER,
  NULLABLE_TEXT,
  objectOf,
  type Route,
  TEXT,
} from '../route.js';
import type { Turns } from '../turns.js';

const NUMBER = { type: 'number' };
const BOX = {
  type: ['array', 'null'],
  items: NUMBER,
  minItems: 4,
  maxItems: 4,
  description: 'left, top, width, height in pixels of the frame',
};
const EVENT = objectOf({
  id: TEXT,
  camera: TEXT,
  label: TEXT,
  score: NUMBER,
  start: TEXT,
  end: NULLABLE_TEXT,
  model: TEXT,
  alpha: NULLABLE_NUMBER,
  size: NUMBER,
  count: NUMBER,
  box: BOX,
  object: NULLABLE_TEXT,
  stationary: { type: 'boolean' },
  zones: listOf(TEXT),
  loitering: listOf(TEXT),
  sub_label: NULLABLE_TEXT,
  sub_score: NULLABLE_NUMBER,
});
const SCORE = objectOf({ time: TEXT, score: NUMBER, box: BOX });
/** Fields of a line of CSV, in order. */
const CSV_FIELDS = [
  'id',
  'camera',
  'label',
  'score',
  'start',
  'end',
  'model',
  'alpha',
  'size',
  'count',
  'object',
  'zones',
  'sub_label',
  'sub_score',
];

const CSV_MOST = 10_000;
/** Events that are looked through for those of a zone. */
const MOST_READ = 10_000;
/** Events that are read at once: frames have their turn in between. */
const PAGE = 250;

const TIME = { type: 'string', format: 'date-time' };
const FILTERS = {
  camera: { type: 'string', maxLength: 64 },
  label: { type: 'string', maxLength: 128 },
  zone: { type: 'string', maxLength: 64 },
  since: TIME,
  until: TIME,
};

/** What was seen. */
export const EVENT_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/events',
    summary: 'Events, the newest first. Times are ISO 8601.',
    role: 'view',
    query: {
      type: 'object',
      properties: {
        ...FILTERS,
        limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
      },
    },
    answer: listOf(EVENT),
    errors: ['MND_HTTP_BUSY'],
    async handle({ query, turns }, { source }) {
      const events: object[] = [];
      const wanted = queryOf(query, Number(query.limit ?? 50));
      for await (const page of eventPages(source, wanted, turns)) events.push(...page);
      return events;
    },
  },
  {
    method: 'get',
    path: '/events.csv',
    summary: 'The same as CSV, 10 000 at most.',
    role: 'view',
    query: { type: 'object', properties: FILTERS },
    answer: 'text/csv',
    handle({ query, raw, turns }, { source }) {
      const pages = eventPages(source, queryOf(query, CSV_MOST), turns);
      return raw.body(csvOf(pages), 200, {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Disposition': 'attachment; filename="events.csv"',
      });
    },
  },
  {
    method: 'get',
    path: '/events/{id}',
    summary: 'An event, with the scores and boxes that were kept of it.',
    role: 'view',
    isHeavy: true,
    answer: objectOf({ event: EVENT, scores: listOf(SCORE) }),
    errors: ['MND_INPUT_MISSING', 'MND_HTTP_BUSY'],
    handle({ params }, { source }) {
      const event = source.event(params.id ?? '');
      if (event === null) throw codedError('MND_INPUT_MISSING', { subject: `event ${params.id}` });
      return event;
    },
  },
  {
    method: 'post',
    path: '/events/{id}/forget',
    summary: 'Removes an event that is over, what was detected of it, and its picture.',
    role: 'admin',
    answer: DONE,
    errors: ['MND_INPUT_MISSING'],
    async handle({ params }, { source }) {
      await source.actions.forget(params.id ?? '');
      return { ok: true };
    },
  },
];

interface Wanted extends EventQuery {
  /** Events that have been in it. */
  readonly zone?: string;
}

function queryOf(query: Readonly<Record<string, unknown>>, limit: number): Wanted {
  const { camera, label, zone, since, until } = query;
  return {
    limit,
    ...(typeof zone === 'string' && { zone }),
    ...(typeof camera === 'string' && { camera }),
    ...(typeof label === 'string' && { label }),
    ...(typeof since === 'string' && { since: Date.parse(since) }),
    ...(typeof until === 'string' && { until: Date.parse(until) }),
  };
}

/** Events in pages, the newest first, each read when the one before has been taken. */
async function* eventPages(
  source: PageSource,
  { limit, zone, ...query }: Wanted,
  turns: Turns,
): AsyncGenerator<readonly object[]> {
  let until = query.until;
  let before: ReadonlySet<unknown> = new Set();
  const size = zone === undefined ? Math.min(limit, PAGE) : PAGE;
  for (let left = limit, read = 0; left > 0 && read < MOST_READ; read += size) {
    const asked = { ...query, ...(until !== undefined && { until }), limit: size };
    const page = await turns.take(() => source.events(asked), read > 0);
    // Several may have begun in the millisecond at which two pages meet.
    const fresh = page.filter((event) => !before.has(idOf(event)));
    const fitting = fresh.filter((event) => isIn(event, zone)).slice(0, left);
    if (fitting.length > 0) yield fitting;
    left -= fitting.length;
    const last = page.at(-1);
    if (page.length < size || fresh.length === 0 || last === undefined) return;
    until = startOf(last) + 1;
    before = new Set(page.map(idOf));
  }
}

function isIn(event: object, zone: string | undefined): boolean {
  if (zone === undefined) return true;
  return 'zones' in event && Array.isArray(event.zones) && event.zones.includes(zone);
}

function idOf(event: object): unknown {
  return 'id' in event ? event.id : undefined;
}

function startOf(event: object): number {
  return 'start' in event ? Date.parse(String(event.start)) : 0;
}

function csvOf(pages: AsyncGenerator<readonly object[]>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let isFirst = true;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pages.next();
      const head = isFirst ? [CSV_FIELDS.join(',')] : [];
      isFirst = false;
      const lines = [...head, ...(done ? [] : value.map(csvLine))];
      if (lines.length > 0) controller.enqueue(encoder.encode(`${lines.join('\r\n')}\r\n`));
      if (done) controller.close();
    },
    async cancel() {
      await pages.return(undefined);
    },
  });
}

/** A line of CSV (RFC 4180). A spreadsheet takes a cell that begins with = + - @ for a formula. */
function csvLine(event: object): string {
  const fields = new Map(Object.entries(event));
  return CSV_FIELDS.map((name) => {
    const value = fields.get(name);
    const text = textOf(value);
    const safe = typeof value !== 'number' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }).join(',');
}

/** Several of a kind stand in one cell. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return Array.isArray(value) ? value.join(' ') : String(value);
}
