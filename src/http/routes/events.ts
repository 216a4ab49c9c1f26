import { codedError } from '../../errors.js';
import type { EventQuery } from '../contract.js';
import {
  DONE,
  listOf,
  NULLABLE_NUMBER,
  NULLABLE_TEXT,
  objectOf,
  type Route,
  TEXT,
} from '../route.js';

const NUMBER = { type: 'number' };
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
});
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
];

const TIME = { type: 'string', format: 'date-time' };
const FILTERS = {
  camera: { type: 'string', maxLength: 64 },
  label: { type: 'string', maxLength: 128 },
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
    handle: ({ query }, { source }) => source.events(queryOf(query, Number(query.limit ?? 50))),
  },
  {
    method: 'get',
    path: '/events.csv',
    summary: 'The same as CSV, 10 000 at most.',
    role: 'view',
    query: { type: 'object', properties: FILTERS },
    answer: 'text/csv',
    handle({ query, raw }, { source }) {
      const lines = source.events(queryOf(query, 10_000)).map(csvLine);
      return raw.body(`${[CSV_FIELDS.join(','), ...lines].join('\r\n')}\r\n`, 200, {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Disposition': 'attachment; filename="events.csv"',
      });
    },
  },
  {
    method: 'get',
    path: '/events/{id}',
    summary: 'An event, with the scores that were kept of it.',
    role: 'view',
    answer: objectOf({ event: EVENT, scores: listOf({ type: 'object' }) }),
    errors: ['MND_INPUT_MISSING'],
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

function queryOf(query: Readonly<Record<string, unknown>>, limit: number): EventQuery {
  const { camera, label, since, until } = query;
  return {
    limit,
    ...(typeof camera === 'string' && { camera }),
    ...(typeof label === 'string' && { label }),
    ...(typeof since === 'string' && { since: Date.parse(since) }),
    ...(typeof until === 'string' && { until: Date.parse(until) }),
  };
}

/** A line of CSV (RFC 4180). A spreadsheet takes a cell that begins with = + - @ for a formula. */
function csvLine(event: object): string {
  const fields = new Map(Object.entries(event));
  return CSV_FIELDS.map((name) => {
    const value = fields.get(name);
    const text = value === null || value === undefined ? '' : String(value);
    const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }).join(',');
}
