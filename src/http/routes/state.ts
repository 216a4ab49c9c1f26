import { listOf, NULLABLE_NUMBER, NULLABLE_TEXT, objectOf, type Route, TEXT } from '../route.js';

const NUMBER = { type: 'number' };
const BOOLEAN = { type: 'boolean' };
const ANY_OBJECT = { type: 'object' };

const BOX = {
  type: ['array', 'null'],
  items: NUMBER,
  minItems: 4,
  maxItems: 4,
  description: 'left, top, width, height in pixels of the frame',
};
const LABEL = objectOf({ label: TEXT, score: NUMBER, box: BOX });

const NOTICE = objectOf({
  kind: TEXT,
  count: NUMBER,
  since: TEXT,
  last: TEXT,
  message: TEXT,
});

export const CAMERA = objectOf({
  name: { ...TEXT, description: 'as topics and the configuration have it' },
  title: { ...TEXT, description: 'for people' },
  status: { enum: ['online', 'offline', 'ended', 'disabled'] },
  reason: NULLABLE_TEXT,
  fps: { ...NUMBER, description: 'labelled frames a second' },
  age_ms: NULLABLE_NUMBER,
  detect: BOOLEAN,
  threshold: NUMBER,
  size: { type: ['array', 'null'], items: NUMBER, description: 'width and height in pixels' },
  areas: {
    ...listOf(
      objectOf({
        kind: { enum: ['mask', 'zone', 'crop'] },
        name: { ...TEXT, description: 'as events and the configuration have it' },
        title: { ...TEXT, description: 'for people' },
        points: { type: 'array' },
      }),
    ),
    description: 'corners in pixels of the frame, or shares of it while its size is not known',
  },
  present: listOf(objectOf({ label: TEXT, score: NUMBER, since: TEXT, box: BOX })),
  labels: listOf(LABEL),
  notices: {
    ...listOf(NOTICE),
    description: 'what its source refused or found odd since the start, one a kind',
  },
});

export const STATE = objectOf({
  time: TEXT,
  version: TEXT,
  node: TEXT,
  uptime_s: NUMBER,
  phase: { enum: ['starting', 'running', 'changing', 'stopping'] },
  doing: {
    ...NULLABLE_TEXT,
    description: 'what takes its time, e.g. how far a network has been fetched; null: nothing',
  },
  found: {
    ...listOf(TEXT),
    description: 'what runs and was not configured but found, and what was not found',
  },
  rss_mb: NUMBER,
  fps: NUMBER,
  latency_ms: NULLABLE_NUMBER,
  age_ms: NULLABLE_NUMBER,
  temperature: NULLABLE_NUMBER,
  throttled: { type: ['boolean', 'null'] },
  undervoltage: { type: ['boolean', 'null'] },
  model: objectOf({ name: TEXT, form: TEXT }),
  governor: { type: ['object', 'null'] },
  broker: objectOf({ url: TEXT, embedded: BOOLEAN, connected: BOOLEAN, delivery: ANY_OBJECT }),
  outbox: NUMBER,
  dropped_messages: NUMBER,
  store: objectOf({
    writable: BOOLEAN,
    error: NULLABLE_TEXT,
    waiting: NUMBER,
    size_mb: NUMBER,
    free_mb: NULLABLE_NUMBER,
  }),
  viewers: NUMBER,
  overrides: {
    ...listOf(objectOf({ key: TEXT, value: TEXT, configured: NULLABLE_TEXT })),
    description: 'what was set at run time and stands before what the file says',
  },
  notify: { ...listOf(ANY_OBJECT), description: 'how each channel of each rule fares' },
  settings: objectOf({ pin: TEXT, pinnable: listOf(TEXT), limit: NULLABLE_NUMBER }),
  cameras: listOf(CAMERA),
});

/** What runs now. */
export const STATE_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/state',
    summary: 'Everything at a glance: cameras, governor, broker, database, memory.',
    role: 'view',
    answer: STATE,
    handle: (_request, { source }) => source.state(),
  },
  {
    method: 'get',
    path: '/cameras',
    summary: 'Cameras with their status, labels and boxes.',
    role: 'view',
    answer: listOf(CAMERA),
    handle: (_request, { source }) => source.cameras(),
  },
  {
    method: 'get',
    path: '/governor',
    summary: 'What the governor decided and why, and the ladder it walks.',
    role: 'view',
    answer: objectOf({
      state: { type: ['object', 'null'] },
      ladder: listOf(
        objectOf({
          name: TEXT,
          alpha: NULLABLE_NUMBER,
          size: NUMBER,
          cost_ms: NULLABLE_NUMBER,
          accuracy: NULLABLE_NUMBER,
          share: { ...NUMBER, description: 'of the frames, 0 to 1' },
        }),
      ),
      forecast: {
        ...listOf(
          objectOf({
            s: { ...NUMBER, description: 'seconds from now' },
            low: NUMBER,
            expected: NUMBER,
            high: NUMBER,
          }),
        ),
        description:
          'Temperature expected while the load stays as it is, °C, with two standard deviations; empty: not known.',
      },
    }),
    handle: (_request, { source }) => source.governor(),
  },
  {
    method: 'get',
    path: '/models',
    summary: 'Installed networks, and which one labels frames.',
    role: 'view',
    answer: listOf(
      objectOf({
        name: TEXT,
        family: TEXT,
        task: TEXT,
        alpha: NULLABLE_NUMBER,
        size: NUMBER,
        form: TEXT,
      }),
    ),
    handle: (_request, { source }) => source.models(),
  },
  {
    method: 'get',
    path: '/doctor',
    summary:
      'What this board has and lacks, without trying the cameras. Looked at once a minute at most.',
    role: 'view',
    answer: listOf(
      objectOf({
        check: TEXT,
        subject: TEXT,
        level: { enum: ['ok', 'info', 'warn', 'fail'] },
        found: TEXT,
        means: NULLABLE_TEXT,
        next: NULLABLE_TEXT,
      }),
    ),
    handle: (_request, { source }) => source.doctor(),
  },
  {
    method: 'get',
    path: '/config',
    summary: 'The configuration in force, secrets masked, and where each value came from.',
    role: 'admin',
    isHeavy: true,
    errors: ['MND_HTTP_BUSY'],
    answer: objectOf({
      yaml: TEXT,
      values: listOf(objectOf({ key: TEXT, value: {}, origin: TEXT })),
    }),
    handle: (_request, { source }) => source.config(),
  },
  {
    method: 'get',
    path: '/logs',
    summary: 'The newest lines of the log, secrets masked.',
    role: 'admin',
    query: {
      type: 'object',
      properties: { limit: { type: 'integer', minimum: 1, maximum: 500, default: 500 } },
    },
    answer: listOf(TEXT),
    handle: ({ query }, { source }) => source.logs(Number(query.limit ?? 500)),
  },
  {
    method: 'get',
    path: '/history',
    summary: 'Temperature, limit, budget and mix over time, thinned to at most 400 points.',
    role: 'view',
    isHeavy: true,
    errors: ['MND_HTTP_BUSY'],
    query: {
      type: 'object',
      properties: { range: { enum: ['1h', '24h', '7d'], default: '1h' } },
    },
    answer: objectOf({ range: TEXT, points: listOf(ANY_OBJECT) }),
    handle: ({ query }, { source }) =>
      source.history(query.range === '24h' || query.range === '7d' ? query.range : '1h'),
  },
];
