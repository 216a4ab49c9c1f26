import { listOf, NULLABLE_TEXT, objectOf, type Route, TEXT } from '../route.js';

const NUMBER = { type: 'number' };
const SPOT = objectOf({
  id: TEXT,
  camera: TEXT,
  label: TEXT,
  box: { type: 'array', items: NUMBER, minItems: 4, maxItems: 4 },
  event: { ...TEXT, description: 'the event that was wrong' },
  created: TEXT,
  held: { ...NUMBER, description: 'objects that it has kept back' },
  last: NULLABLE_TEXT,
});

/** False alarms that are kept back. */
export const SPOT_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/spots',
    summary: 'False alarms that are kept back by label, place and size, the oldest first.',
    role: 'view',
    answer: listOf(SPOT),
    handle: (_request, { source }) => source.spots(),
  },
  {
    method: 'post',
    path: '/events/{id}/wrong',
    summary: 'Calls an event a false alarm: the same label of its size in its place is kept back.',
    role: 'admin',
    answer: SPOT,
    errors: ['MND_INPUT_MISSING', 'MND_SPOT_INVALID', 'MND_STORE_FAILED'],
    handle: ({ params }, { source }) => source.actions.wrong(params.id ?? ''),
  },
  {
    method: 'post',
    path: '/spots/{id}/undo',
    summary: 'Keeps nothing back at a spot any more.',
    role: 'admin',
    answer: SPOT,
    errors: ['MND_INPUT_MISSING', 'MND_STORE_FAILED'],
    handle: ({ params }, { source }) => source.actions.undoWrong(params.id ?? ''),
  },
];
