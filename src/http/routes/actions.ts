import { bodyOf, DONE, listOf, objectOf, type Route, TEXT } from '../route.js';
import { cameraOf } from './pictures.js';

/** What can be set and asked for. No configuration is ever written. */
export const ACTION_ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: '/cameras/{camera}/detect',
    summary: 'Switches a camera on or off.',
    role: 'admin',
    body: bodyOf({ on: { type: 'boolean' } }),
    answer: DONE,
    errors: ['MND_INPUT_MISSING'],
    async handle({ params, body }, { source }) {
      await source.actions.setDetect(cameraOf(params, source), body.on === true);
      return { ok: true };
    },
  },
  {
    method: 'post',
    path: '/cameras/{camera}/threshold',
    summary: 'Sets the score that makes a label present; null: as the configuration says.',
    role: 'admin',
    body: bodyOf({ threshold: { type: ['number', 'null'], minimum: 0, maximum: 1 } }),
    answer: DONE,
    errors: ['MND_INPUT_MISSING'],
    async handle({ params, body }, { source }) {
      const threshold = typeof body.threshold === 'number' ? body.threshold : null;
      await source.actions.setThreshold(cameraOf(params, source), threshold);
      return { ok: true };
    },
  },
  {
    method: 'post',
    path: '/snapshot',
    summary: 'Publishes a picture over MQTT, of one camera or (null) of all.',
    role: 'admin',
    body: bodyOf({ camera: { type: ['string', 'null'], maxLength: 64 } }),
    answer: DONE,
    errors: ['MND_INPUT_MISSING', 'MND_CAMERA_FAILED'],
    async handle({ body }, { source }) {
      const camera =
        typeof body.camera === 'string' ? cameraOf({ camera: body.camera }, source) : null;
      await source.actions.snapshot(camera);
      return { ok: true };
    },
  },
  {
    method: 'post',
    path: '/governor/pin',
    summary: 'Runs one variant whatever the heat, or lets the governor choose (`auto`).',
    role: 'admin',
    body: bodyOf({ variant: { type: 'string', maxLength: 128 } }),
    answer: DONE,
    errors: ['MND_MODEL_UNKNOWN'],
    async handle({ body }, { source }) {
      await source.actions.setPin(String(body.variant));
      return { ok: true };
    },
  },
  {
    method: 'post',
    path: '/governor/limit',
    summary: 'Sets the temperature never to reach, °C, or `auto`.',
    role: 'admin',
    body: bodyOf({
      limit: { anyOf: [{ const: 'auto' }, { type: 'number', minimum: 0, maximum: 120 }] },
    }),
    answer: DONE,
    async handle({ body }, { source }) {
      await source.actions.setLimit(typeof body.limit === 'number' ? body.limit : 'auto');
      return { ok: true };
    },
  },
  {
    method: 'post',
    path: '/reload',
    summary: 'Reads the configuration files again.',
    role: 'admin',
    answer: objectOf({ ok: { const: true }, done: TEXT }),
    errors: ['MND_CONFIG_INVALID', 'MND_CONTROL_REQUEST'],
    handle: async (_request, { source }) => ({ ok: true, done: await source.actions.reload() }),
  },
  {
    method: 'post',
    path: '/config/check',
    isHeavy: true,
    summary:
      'Checks a configuration that is pasted: the first hundred problems. It is written nowhere.',
    role: 'admin',
    body: bodyOf({ yaml: { type: 'string', maxLength: 60_000 } }),
    answer: objectOf({ ok: { type: 'boolean' }, problems: listOf(TEXT) }),
    errors: ['MND_HTTP_BUSY'],
    async handle({ body }, { source }) {
      const problems = await source.actions.checkConfig(String(body.yaml));
      return { ok: problems.length === 0, problems };
    },
  },
];
