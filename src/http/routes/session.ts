import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { codedError } from '../../errors.js';
import { bodyOf, DONE, NULLABLE_TEXT, objectOf, type Route } from '../route.js';

const STREAM = { 'Content-Type': 'text/event-stream' };

/** Who asks, and the stream of what happens. */
export const SESSION_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/session',
    summary: 'Who asks, and whether a login is needed.',
    role: null,
    answer: objectOf({
      user: NULLABLE_TEXT,
      role: { enum: ['view', 'admin', null] },
      login: { type: 'boolean', description: 'whether users are configured' },
    }),
    handle: ({ visitor }, { login }) => ({
      user: visitor?.name ?? null,
      role: visitor?.role ?? null,
      login: login.hasUsers,
    }),
  },
  {
    method: 'post',
    path: '/login',
    summary: 'Begins a session: sets a cookie.',
    role: null,
    body: bodyOf({
      user: { type: 'string', maxLength: 128 },
      password: { type: 'string', maxLength: 1024 },
    }),
    answer: DONE,
    errors: ['MND_HTTP_LOGIN', 'MND_HTTP_BUSY'],
    async handle({ body, address, raw }, { login, admission: { cookies } }) {
      const outcome = await login.enter(String(body.user), String(body.password), address);
      if ('session' in outcome) {
        raw.header('Set-Cookie', cookies.set(raw, outcome.session));
        return { ok: true };
      }
      if (outcome.refused === 'wrong') {
        throw codedError('MND_HTTP_LOGIN', { found: 'a wrong user name or password' });
      }
      raw.header('Retry-After', String(outcome.retryAfterS));
      throw codedError('MND_HTTP_BUSY', {
        found: 'five wrong logins in a minute',
        next: `try again in ${outcome.retryAfterS} s`,
      });
    },
  },
  {
    method: 'post',
    path: '/logout',
    summary: 'Ends the session.',
    role: null,
    answer: DONE,
    handle({ raw }, { login, admission: { cookies } }) {
      const session = cookies.get(raw);
      if (session !== null) login.leave(session);
      raw.header('Set-Cookie', cookies.clear(raw));
      return { ok: true };
    },
  },
  {
    method: 'get',
    path: '/stream',
    summary:
      'Server-sent events: `state` once a second, `labels` of the newest frames twice a second, `event` (with an id: Last-Event-ID brings what has been missed since, the newest 200 at most), `camera`, `governor`, `settings`.',
    role: 'view',
    answer: 'text/event-stream',
    errors: ['MND_HTTP_BUSY'],
    handle({ raw }, { streams, headers, admission }) {
      // Nothing is streamed to somebody who asks for the head alone.
      if (raw.req.method === 'HEAD') return raw.body(null, 200, STREAM);
      const lastId = raw.req.header('Last-Event-ID') ?? null;
      const isAdmitted = () => admission.visitor(raw) !== null;
      if (streams.open(raw.env.outgoing, headers(raw), { lastId, isAdmitted })) {
        return RESPONSE_ALREADY_SENT;
      }
      raw.header('Retry-After', '30');
      throw codedError('MND_HTTP_BUSY', { found: 'as many viewers as there may be' });
    },
  },
];
