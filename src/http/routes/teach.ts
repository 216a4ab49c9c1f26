import {
  bodyOf,
  type JsonSchema,
  listOf,
  NULLABLE_NUMBER,
  NULLABLE_TEXT,
  objectOf,
  type Route,
  TEXT,
} from '../route.js';

const COUNT: JsonSchema = { type: 'integer', minimum: 0 };

const FIGURES = {
  ...objectOf({
    accuracy: NULLABLE_NUMBER,
    false_accepts: NULLABLE_NUMBER,
    quality: NULLABLE_NUMBER,
    labels: listOf(objectOf({ label: TEXT, recall: NULLABLE_NUMBER, precision: NULLABLE_NUMBER })),
  }),
  type: ['object', 'null'],
  description: 'by leaving each picture out; null before anything is known',
};

const ADVICE = listOf(objectOf({ code: TEXT, label: NULLABLE_TEXT, text: TEXT }));

const RECORDING = objectOf({
  id: TEXT,
  state: { enum: ['recording', 'done', 'failed'] },
  left_s: { type: 'number' },
  offered: COUNT,
  kept: COUNT,
  same: { ...COUNT, description: 'nearly the same as others, left out' },
  small: { ...COUNT, description: 'of the kept ones, those under 80 pixels' },
  empty: { ...COUNT, description: 'frames with nothing to take' },
  idle_s: { type: 'number', description: 'since a frame of the camera came; 0 when it is over' },
  error: NULLABLE_TEXT,
  code: { ...NULLABLE_TEXT, description: 'of the error' },
  figures: FIGURES,
  advice: ADVICE,
});

const TASK = objectOf({
  task: TEXT,
  text: TEXT,
  camera: NULLABLE_TEXT,
  zone: NULLABLE_TEXT,
  of: { type: ['array', 'null'], items: TEXT },
  labels: { type: 'object', additionalProperties: COUNT, description: 'pictures by label' },
  others: { ...COUNT, description: 'pictures of none of these' },
  state: { enum: ['learning', 'works', 'fails'] },
  ready: { ...COUNT, description: 'networks whose head is made' },
  networks: COUNT,
  error: NULLABLE_TEXT,
  figures: FIGURES,
  advice: ADVICE,
});

const NAME: JsonSchema = { type: ['string', 'null'], maxLength: 64 };
const LABEL: JsonSchema = { type: 'string', minLength: 1, maxLength: 60 };
const OF: JsonSchema = { type: ['array', 'null'], items: LABEL, maxItems: 20 };
const REMOVED = objectOf({ removed: COUNT, labels: listOf(NULLABLE_TEXT) });
const PLACE = { camera: NAME, zone: NAME, of: OF };

/** Teaching labels from a few pictures. */
export const TEACH_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/teach',
    summary: 'What was taught on this board, how well it is told, and what to do next.',
    role: 'view',
    answer: objectOf({
      tasks: listOf(TASK),
      unusable: listOf(objectOf({ label: TEXT, task: TEXT, why: TEXT })),
      recordings: listOf(RECORDING),
      error: { ...NULLABLE_TEXT, description: 'why the pictures cannot be read now' },
    }),
    handle: (_request, { source }) => source.taught(),
  },
  {
    method: 'post',
    path: '/teach/record',
    summary: 'Records pictures of a label (`not`: without it) from a camera for some seconds.',
    role: 'admin',
    body: {
      ...bodyOf({
        ...{ label: LABEL, not: { type: 'boolean' }, ...PLACE },
        camera: { type: 'string', minLength: 1, maxLength: 64 },
        seconds: { type: 'number', minimum: 1, maximum: 600, default: 20 },
      }),
      required: ['label', 'camera'],
    },
    answer: RECORDING,
    errors: ['MND_TEACH_INVALID', 'MND_TEACH_BUSY', 'MND_INPUT_MISSING'],
    handle: ({ body }, { source }) => source.actions.teach({ do: 'record', ...placeOf(body) }),
  },
  {
    method: 'post',
    path: '/teach/end',
    summary: 'Ends a recording; answers when its pictures are on the disk.',
    role: 'admin',
    body: bodyOf({ id: { type: 'string', maxLength: 16 } }),
    answer: RECORDING,
    errors: ['MND_INPUT_MISSING'],
    handle: ({ body }, { source }) => source.actions.teach({ do: 'end', id: String(body.id) }),
  },
  {
    method: 'post',
    path: '/teach/undo',
    summary: 'Takes the last batch of pictures back.',
    role: 'admin',
    answer: REMOVED,
    errors: ['MND_TEACH_DISK'],
    handle: (_request, { source }) => source.actions.teach({ do: 'undo' }),
  },
  {
    method: 'post',
    path: '/teach/forget',
    summary: 'Forgets a label; `not`: the pictures without it, of the place where it was taught.',
    role: 'admin',
    body: {
      ...bodyOf({ label: LABEL, not: { type: 'boolean' }, ...PLACE }),
      required: ['label'],
    },
    answer: REMOVED,
    errors: ['MND_INPUT_MISSING', 'MND_TEACH_DISK'],
    handle: ({ body }, { source }) => source.actions.teach({ do: 'forget', ...placeOf(body) }),
  },
];

/** What a body names, which its schema has checked. */
function placeOf(body: Readonly<Record<string, unknown>>) {
  const { label, not, camera, zone, of, seconds } = body;
  return {
    label: String(label),
    not: not === true,
    camera: typeof camera === 'string' ? camera : null,
    zone: typeof zone === 'string' ? zone : null,
    of: Array.isArray(of) ? of.map(String) : null,
    ...(typeof seconds === 'number' && { seconds }),
  };
}
