import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { ROUTES } from '#mobilenetd/http/app.js';
import { EVENT } from './fake-source.js';
import { type Answer, servePage } from './page-server.js';

/** A path of every route that can be asked for without more. */
const PATHS: Readonly<Record<string, string>> = {
  '/cameras/{camera}/frame.jpg': '',
  '/stream': '',
  '/events/{id}': `/events/${EVENT.id}`,
};

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}
interface Operation {
  readonly responses: Record<string, { readonly content?: Record<string, { schema: object }> }>;
}

t.test('every answer holds to the OpenAPI document', async (t) => {
  const page = await servePage(t);
  const document: Document = JSON.parse((await page.ask('/api/v1/openapi.json')).text);
  t.equal(document.openapi, '3.1.0');
  t.equal(Object.values(document.paths).flatMap((each) => Object.keys(each)).length, ROUTES.length);
  const ajv = new Ajv2020({ strict: false });
  let checked = 0;
  for (const [path, operations] of Object.entries(document.paths)) {
    const schema = operations.get?.responses['200']?.content?.['application/json']?.schema;
    const asked = PATHS[path] ?? path;
    if (schema === undefined || asked === '' || asked.includes('{')) continue;
    const answer = await page.ask(`/api/v1${asked}`);
    t.equal(answer.status, 200, asked);
    t.ok(ajv.validate(schema, JSON.parse(answer.text)), `${asked}: ${ajv.errorsText()}`);
    checked += 1;
  }
  t.ok(checked >= 10, `${checked} answers`);
});

/** Requests of every kind: method, path as the document has it, what stands in its braces, query, body, status. */
const ASKED: readonly (readonly [string, string, string, string, unknown, number])[] = [
  ['post', '/cameras/{camera}/detect', 'front', '', { on: false }, 200],
  ['post', '/cameras/{camera}/detect', 'none', '', { on: false }, 404],
  ['post', '/cameras/{camera}/threshold', 'front', '', { threshold: 0.4 }, 200],
  ['post', '/cameras/{camera}/threshold', 'front', '', { threshold: 2 }, 400],
  ['post', '/snapshot', '', '', { camera: null }, 200],
  ['post', '/governor/pin', '', '', { variant: 'auto' }, 200],
  ['post', '/governor/pin', '', '', { variant: 'none' }, 400],
  ['post', '/governor/limit', '', '', { limit: 70 }, 200],
  ['post', '/reload', '', '', {}, 200],
  ['post', '/reload', '', '', 'no JSON', 400],
  ['post', '/config/check', '', '', { yaml: 'bad' }, 200],
  ['post', '/events/{id}/wrong', EVENT.id, '', {}, 200],
  ['post', '/events/{id}/wrong', 'none', '', {}, 404],
  ['post', '/spots/{id}/undo', '1', '', {}, 200],
  ['post', '/events/{id}/forget', EVENT.id, '', {}, 200],
  ['post', '/teach/record', '', '', { label: 'parcel', camera: 'front' }, 200],
  ['post', '/teach/record', '', '', { label: '' }, 400],
  ['post', '/teach/end', '', '', { id: '1' }, 200],
  ['post', '/teach/undo', '', '', {}, 200],
  ['post', '/teach/forget', '', '', { label: 'parcel' }, 200],
  ['post', '/login', '', '', { user: 'nobody', password: 'x' }, 401],
  ['post', '/login', '', '', { user: 1 }, 400],
  ['post', '/logout', '', '', {}, 200],
  ['get', '/events/{id}', 'none', '', null, 404],
  ['get', '/events/{id}/picture.jpg', EVENT.id, '', null, 200],
  ['get', '/events/{id}/thumb.jpg', 'none', '', null, 404],
  ['get', '/events.csv', '', '?zone=porch', null, 200],
  ['get', '/events', '', '?limit=0', null, 400],
  ['get', '/history', '', '?range=7d', null, 200],
  ['get', '/cameras/{camera}/frame.jpg', 'back', '', null, 503],
  ['get', '/cameras/{camera}/frame.jpg', 'back', '?after=1', null, 204],
  ['get', '/cameras/{camera}/frame.jpg', 'none', '', null, 404],
];

t.test('what is done, refused and missing is answered as the document says', async (t) => {
  const page = await servePage(t);
  const document: Document = JSON.parse((await page.ask('/api/v1/openapi.json')).text);
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: 'document', ...document });
  const posts = new Set<string>();
  for (const [method, path, name, query, body, status] of ASKED) {
    const asked = `/api/v1${path.replace(/{\w+}/, name)}${query}`;
    const answer = method === 'get' ? await page.ask(asked) : await page.post(asked, body);
    const what = `${method} ${asked} ${answer.status}`;
    t.equal(answer.status, status, what);
    if (method === 'post') posts.add(path);
    const said = document.paths[path]?.[method]?.responses[status];
    t.ok(said, `${what} is in the document`);
    const [type = '', content] = Object.entries(said?.content ?? {})[0] ?? [];
    t.match(answer.headers['content-type'] ?? '', type, what);
    if (type !== 'application/json' || content === undefined) continue;
    const isError = '$ref' in content.schema;
    const schema = isError ? { $ref: 'document#/components/schemas/Error' } : content.schema;
    t.ok(ajv.validate(schema, JSON.parse(answer.text)), `${what}: ${ajv.errorsText()}`);
  }
  const known = ROUTES.filter(({ method }) => method === 'post').map(({ path }) => path);
  t.same([...posts].sort(), known.sort(), 'every one that does something');
});

t.test('what is asked is checked, and said', async (t) => {
  const page = await servePage(t);
  const wrong: readonly (readonly [path: string, pattern: RegExp])[] = [
    ['/api/v1/events?limit=0', /limit must be >= 1/],
    ['/api/v1/events?limit=many', /limit must be integer/],
    ['/api/v1/events?lable=person', /additional properties \(lable\)/],
    ['/api/v1/events?since=2026-13-45', /date-time/],
    ['/api/v1/history?range=year', /1h, 24h, 7d/],
    ['/api/v1/cameras/front/frame.jpg?after=-7', /after/],
  ];
  for (const [path, pattern] of wrong) {
    const answer = await page.ask(path);
    t.equal(answer.status, 400, path);
    t.match(JSON.parse(answer.text), { code: 'MND_HTTP_REQUEST', message: pattern }, path);
  }
  for (const path of [
    '/api/v1/nothing',
    '/nothing',
    '/api/v1/events/none',
    '/..%2f..%2fetc/passwd',
  ]) {
    t.equal((await page.ask(path)).status, 404, path);
  }
});

t.test('what is set is done', async (t) => {
  const page = await servePage(t);
  const asked: readonly (readonly [path: string, body: object])[] = [
    ['cameras/front/detect', { on: false }],
    ['cameras/front/threshold', { threshold: 0.4 }],
    ['cameras/front/threshold', { threshold: null }],
    ['snapshot', { camera: null }],
    ['governor/pin', { variant: 'auto' }],
    ['governor/limit', { limit: 70 }],
    [`events/${EVENT.id}/wrong`, {}],
    ['spots/1/undo', {}],
    [`events/${EVENT.id}/forget`, {}],
  ];
  for (const [path, body] of asked) {
    const answer = await page.post(`/api/v1/${path}`, body);
    t.equal(answer.status, 200, `${path} ${answer.text}`);
  }
  t.same(page.source.done, [
    'detect front false',
    'threshold front 0.4',
    'threshold front null',
    'snapshot null',
    'pin auto',
    'limit 70',
    `wrong ${EVENT.id}`,
    'undo 1',
    `forget ${EVENT.id}`,
  ]);
  const refused: readonly (readonly [path: string, body: unknown, status: number])[] = [
    ['cameras/front/detect', { on: 'yes' }, 400],
    ['cameras/front/detect', {}, 400],
    ['cameras/front/detect', { on: true, more: 1 }, 400],
    ['cameras/none/detect', { on: true }, 404],
    ['events/none/wrong', {}, 404],
    ['cameras/front/threshold', { threshold: 1.5 }, 400],
    ['governor/pin', { variant: 'none' }, 400],
    ['governor/limit', { limit: 'hot' }, 400],
    ['cameras/front/detect', '{"on": tru', 400],
    ['cameras/front/detect', '[]', 400],
    ['snapshot', 'x'.repeat(70_000), 400],
  ];
  for (const [path, body, status] of refused) {
    const answer = await page.post(`/api/v1/${path}`, body);
    t.equal(answer.status, status, `${path} ${String(body).slice(0, 40)}: ${answer.text}`);
  }
  t.equal(page.source.done.length, asked.length, 'what is refused is not done');
});

t.test('a pasted configuration is checked and written nowhere', async (t) => {
  const page = await servePage(t);
  const good = await page.post('/api/v1/config/check', { yaml: 'node: porch' });
  t.same(JSON.parse(good.text), { ok: true, problems: [] });
  const bad = await page.post('/api/v1/config/check', { yaml: 'bad' });
  t.same(JSON.parse(bad.text), { ok: false, problems: ['line 1: bad'] });
});

t.test('events as CSV hold no formula', async (t) => {
  const page = await servePage(t);
  const { text, headers } = await page.ask('/api/v1/events.csv');
  t.match(headers['content-type'], 'text/csv');
  t.equal(
    text.split('\r\n')[1],
    "0190,front,'=person,0.91,2026-11-29T10:00:00.000Z,2026-11-29T10:00:05.000Z,ssd_300,,300,1,o1,porch steps,,",
  );
  const porch = await page.ask('/api/v1/events.csv?zone=porch');
  t.equal(porch.text, text, 'those of a zone');
  const cellar = await page.ask('/api/v1/events.csv?zone=cellar');
  t.equal(cellar.text.split('\r\n').length, 2, 'and of another: the head alone');
  t.same(JSON.parse((await page.ask('/api/v1/events?zone=cellar')).text), []);
  t.equal(JSON.parse((await page.ask('/api/v1/events?zone=steps')).text).length, 1);
});

t.test('health is told to anybody, in a word', async (t) => {
  const page = await servePage(t, { host: '127.0.0.1' });
  t.match(await page.ask('/healthz'), { status: 200, text: 'ok\n' });
  page.source.healthy = false;
  t.match(await page.ask('/healthz'), { status: 503, text: 'not ok\n' });
});

t.test('pictures: one coding for all who wait, an ETag, and why there is none', async (t) => {
  const page = await servePage(t);
  const asked = [1, 2, 3].map(() => page.ask('/api/v1/cameras/front/frame.jpg'));
  while (page.source.coded() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  page.source.deliver({
    jpeg: Uint8Array.of(255, 216, 1),
    sequence: 7,
    time: Date.UTC(2026, 0, 1),
  });
  const etags = new Set<string>();
  for (const answer of await Promise.all(asked)) {
    t.equal(answer.status, 200);
    t.match(answer.headers, { 'x-frame-sequence': '7', 'content-type': 'image/jpeg' });
    etags.add(String(answer.headers.etag));
  }
  t.equal(page.source.coded(), 1);
  const [etag = '', ...others] = etags;
  t.match(etag, /^"[\w-]+"$/);
  t.same(others, [], 'one picture has one ETag');
  for (const known of [etag, `W/${etag}`, `"1", ${etag}`, '*']) {
    const same = await page.ask('/api/v1/cameras/front/frame.jpg', {
      headers: { 'If-None-Match': known },
    });
    t.match(same, { status: 304, text: '', headers: { etag } }, known);
  }
  const away = await page.ask('/api/v1/cameras/back/frame.jpg');
  t.equal(away.status, 503);
  t.match(away.text, /no route to host/);
  t.equal((await page.ask('/api/v1/cameras/none/frame.jpg')).status, 404);
});

t.test('a frame of another run has the number of one that is known, and is another', async (t) => {
  const page = await servePage(t);
  const etagOf = async (time: number, headers: Record<string, string> = {}) => {
    const before = page.source.coded();
    const asked = page.ask('/api/v1/cameras/front/frame.jpg?after=6', { headers });
    while (page.source.coded() === before) await new Promise((resolve) => setTimeout(resolve, 5));
    page.source.deliver({ jpeg: Uint8Array.of(255, 216, 1), sequence: 7, time });
    const { status, headers: answered } = await asked;
    t.equal(status, 200);
    return String(answered.etag);
  };
  const first = await etagOf(Date.UTC(2026, 0, 1));
  // Less than the shortest time between two codings is answered with the picture of before.
  await new Promise((resolve) => setTimeout(resolve, page.source.pictureIntervalMs()));
  const second = await etagOf(Date.UTC(2026, 0, 2), { 'If-None-Match': first });
  t.not(second, first);
});

t.test('who is one too many to wait for a picture is told when to come again', async (t) => {
  const page = await servePage(t);
  const asked = Array.from({ length: 70 }, () => page.ask('/api/v1/cameras/front/frame.jpg'));
  const refused: Answer[] = [];
  for (const each of asked) {
    void each.then((answer) => {
      if (answer.status === 429) refused.push(answer);
    });
  }
  while (refused.length < 6) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const { headers, text } of refused) {
    t.match(headers, { 'retry-after': '2', 'content-type': 'application/json' });
    t.match(JSON.parse(text), { code: 'MND_HTTP_BUSY', message: /wait for a picture/ });
  }
  page.source.deliver({ jpeg: Uint8Array.of(255, 216, 1), sequence: 1, time: 0 });
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  t.equal(statuses.filter((status) => status === 200).length, 64, 'the others have theirs');
});
