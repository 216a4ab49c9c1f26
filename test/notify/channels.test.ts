// A process of its own: it collects garbage and runs its tests side by side.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import type { ChannelSurroundings } from '#mobilenetd/notify/channel.js';
import { NTFY } from '#mobilenetd/notify/channels/ntfy.js';
import { TELEGRAM } from '#mobilenetd/notify/channels/telegram.js';
import { WEBHOOK } from '#mobilenetd/notify/channels/webhook.js';
import { type Asked, messageOf, startService } from './server.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

t.jobs = 4;

const AROUND: ChannelSurroundings = { fetch, publish: null, env: {}, folder: '/' };
const JPEG = Buffer.from([0xff, 0xd8, 1, 2, 3, 0xff, 0xd9]);
const NEVER = new AbortController().signal;

const WEBHOOK_DEFAULTS: Parameters<typeof WEBHOOK.create>[0] = {
  url: null,
  url_file: null,
  method: 'POST',
  body: 'json',
  template: null,
  timeout: 60,
  headers: {},
  header_files: {},
  redact: [],
};
const NTFY_DEFAULTS = {
  ...{ url: 'https://ntfy.sh', topic: 'secret-topic', topic_file: null, token: null, timeout: 60 },
  ...{ token_file: null, username: null, password: null, password_file: null, priority: 4 },
  ...{ tags: ['rotating_light'], click: null },
};
const TELEGRAM_DEFAULTS = {
  ...{ token: '123:ABC', token_file: null, chat_id: -42, silent: false, timeout: 60 },
  url: 'https://api.telegram.org',
};

async function form({ headers, body }: Asked): Promise<FormData> {
  const type = String(headers['content-type']);
  return new Response(Uint8Array.from(body), { headers: { 'content-type': type } }).formData();
}

t.test('webhook: JSON, JPEG, both, and text of one’s own', async (t) => {
  const service = await startService(t);
  const picture = messageOf({ picture: JPEG });
  const url = `${service.url}/hook?who={{camera_name}}&at={{camera}}`;
  const send = (values: object, message = picture) =>
    WEBHOOK.create({ ...WEBHOOK_DEFAULTS, url, ...values }, AROUND)(message, NEVER);
  t.same(await send({ headers: { 'X-Key': 'k', Title: '{{label}} – now' }, redact: ['box'] }), {
    kind: 'done',
  });
  await send({ body: 'jpeg' });
  await send({ body: 'multipart' });
  await send({ body: 'jpeg' }, messageOf());
  const quoted = messageOf({}, { label: 'a "b" \\ c' });
  await send({ template: '{"text": "{{label}} at {{percent}} %"}' }, quoted);
  await send({ template: 'Look: {{label}}', method: 'PUT' });
  await send({ method: 'GET' });
  t.same(await send({ method: 'GET' }, messageOf({}, { camera: '\ud800' })), { kind: 'done' });
  const [json, jpeg, both, none, own, words, get] = service.asked;
  t.equal(json?.url, '/hook?who=Front%20door&at=front');
  t.match(json?.headers, { 'x-key': 'k', title: 'person ? now', 'content-type': /json/ });
  const document = JSON.parse(String(json?.body));
  t.match(document, { rule: 'night', title: 'person at Front door', id: 'e1', camera: 'front' });
  t.notOk('box' in document);
  t.same(jpeg?.body, JPEG);
  t.equal(jpeg?.headers['content-type'], 'image/jpeg');
  const parts = both === undefined ? null : await form(both);
  const [event, file] = [parts?.get('event'), parts?.get('picture')];
  t.equal(event instanceof Blob && JSON.parse(await event.text()).id, 'e1');
  t.same(file instanceof Blob && Buffer.from(await file.arrayBuffer()), JPEG);
  t.equal(JSON.parse(String(none?.body)).id, 'e1', 'without a picture it is the JSON');
  t.same(JSON.parse(String(own?.body)), { text: 'a "b" \\ c at 88 %' });
  t.equal(String(words?.body), 'Look: person');
  t.equal(words?.method, 'PUT');
  t.same([get?.method, get?.body.length], ['GET', 0]);
});

t.test('user name and password in the address are a header', async (t) => {
  const service = await startService(t);
  const url = service.url.replace('://', '://me:p%40ss@');
  t.same(await WEBHOOK.create({ ...WEBHOOK_DEFAULTS, url }, AROUND)(messageOf(), NEVER), {
    kind: 'done',
  });
  t.equal(service.asked[0]?.headers.authorization, `Basic ${btoa('me:p@ss')}`);
});

/** What a service may do wrong, and what is made of it. */
const WRONGS: Readonly<
  Record<string, readonly [answer: Parameters<typeof startService>[1], kind: string, why: RegExp]>
> = {
  'is overloaded': [
    (_, response) => response.writeHead(500).end('no room'),
    'later',
    /500: no room/,
  ],
  'wants a pause': [
    (_, response) => response.writeHead(429, { 'Retry-After': '7' }).end(),
    'later',
    /429/,
  ],
  'wants a pause of a year': [
    (_, response) => response.writeHead(503, { 'Retry-After': '31536000' }).end(),
    'later',
    /503/,
  ],
  'knows nobody': [(_, response) => response.writeHead(401).end(), 'later', /401/],
  'does not like it': [(_, response) => response.writeHead(413).end(), 'never', /413/],
  'hangs up': [(_, __, socket) => socket.destroy(), 'later', /closed the connection/],
  // Only these wait for their time limit: it is short for them.
  'says nothing': [() => {}, 'later', /no whole answer within 1 s/],
  'never ends': [
    (_, response) => {
      response.writeHead(500);
      response.write('x'.repeat(100));
    },
    'later',
    /no whole answer within 1 s/,
  ],
  'speaks garbage': [(_, __, socket) => socket.end('SSH-2.0-x\r\n\r\n'), 'later', /not speak HTTP/],
  'talks and talks': [
    (_, response) => response.writeHead(500).end('y'.repeat(5e6)),
    'later',
    /500/,
  ],
  'goes in circles': [
    (_, response) => response.writeHead(307, { Location: '/again' }).end(),
    'later',
    /redirects again and again/,
  ],
  'sends us elsewhere': [
    (_, response) => response.writeHead(308, { Location: 'http://127.0.0.2:1/' }).end(),
    'later',
    /another place \(http:\/\/127\.0\.0\.2:1\), which is not followed/,
  ],
};

for (const [what, [answer, kind, why]] of Object.entries(WRONGS)) {
  t.test(`a service that ${what}`, async (t) => {
    const service = await startService(t, answer);
    // Node 20 collects a time limit that nothing else holds: the request would wait for ever.
    const collecting = setInterval(collectGarbage, 50);
    t.teardown(() => clearInterval(collecting));
    const url = `${service.url}/hook?token=verysecret`;
    const timeout = why.source.includes('within 1 s') ? 1 : WEBHOOK_DEFAULTS.timeout;
    const settings = { ...WEBHOOK_DEFAULTS, url, timeout };
    const outcome = await WEBHOOK.create(settings, AROUND)(messageOf(), NEVER);
    t.equal(outcome.kind, kind);
    t.match('why' in outcome && outcome.why, why);
    t.notMatch(JSON.stringify(outcome), /verysecret/);
    if (what === 'wants a pause') t.match(outcome, { afterMs: 7000 });
    if (what === 'wants a pause of a year') t.match(outcome, { afterMs: 3_600_000 });
  });
}

t.test('nobody there, no such name, a redirection at the same place', async (t) => {
  const service = await startService(t, ({ url }, response) => {
    if (url === '/new') response.end();
    else response.writeHead(301, { Location: '/new' }).end();
  });
  const send = (url: string) =>
    WEBHOOK.create({ ...WEBHOOK_DEFAULTS, url }, AROUND)(messageOf(), NEVER);
  t.same(await send(`${service.url}/old`), { kind: 'done' });
  t.same(
    service.asked.map(({ method, body }) => [method, body.length > 0]),
    [
      ['POST', true],
      ['POST', true],
    ],
  );
  t.match(await send('http://127.0.0.1:1/'), { kind: 'later', why: /fetch does not ask|nobody/ });
  t.match(await send('http://nobody.invalid/'), { kind: 'later', why: /name/ });
});

t.test('ntfy: words, or a picture with words, in any letters', async (t) => {
  const service = await startService(t);
  const send = (values: object, more: object = {}) =>
    NTFY.create({ ...NTFY_DEFAULTS, url: service.url, ...values }, AROUND)(
      messageOf({ title: 'Tür: Katze 🐈', ...more }),
      NEVER,
    );
  t.same(await send({ token: 'tk_x' }), { kind: 'done' });
  await send({ username: 'me', password: 'p', click: 'http://porch:8080/' }, { picture: JPEG });
  const [words, picture] = service.asked.map((asked) => ({
    ...asked,
    place: new URL(asked.url, service.url),
  }));
  t.equal(words?.method, 'PUT');
  t.equal(words?.place.pathname, '/secret-topic');
  t.same(Object.fromEntries(words?.place.searchParams ?? []), {
    ...{ title: 'Tür: Katze 🐈', priority: '4', tags: 'rotating_light' },
  });
  t.equal(String(words?.body), '88 % sure');
  t.equal(words?.headers.authorization, 'Bearer tk_x');
  t.same(picture?.body, JPEG);
  t.match(Object.fromEntries(picture?.place.searchParams ?? []), {
    ...{ message: '88 % sure', filename: 'picture.jpg', click: 'http://porch:8080/' },
  });
  t.equal(picture?.headers.authorization, `Basic ${btoa('me:p')}`);
  // A server without attachments answers like this.
  service.answer = ({ url }, response) =>
    response
      .writeHead(url.includes('filename') ? 400 : 200)
      .end('{"code":40014,"error":"invalid request: attachments not allowed"}');
  t.same(await send({}, { picture: JPEG }), { kind: 'done' }, 'the words arrive all the same');
});

async function bot(t: Test) {
  const answers = { photo: { ok: true } as object, status: 200 };
  const service = await startService(t, ({ url }, response) => {
    const isPhoto = url.endsWith('sendPhoto');
    response.writeHead(isPhoto ? answers.status : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isPhoto ? answers.photo : { ok: true }));
  });
  const send = (more: object = {}) =>
    TELEGRAM.create({ ...TELEGRAM_DEFAULTS, url: service.url }, AROUND)(messageOf(more), NEVER);
  return { service, send, answers };
}

t.test('Telegram: sendMessage, sendPhoto, and what a bot is answered', async (t) => {
  const { service, send, answers } = await bot(t);
  t.same(await send(), { kind: 'done' });
  await send({ picture: JPEG, text: '🐈'.repeat(3000) });
  const [words, photo] = service.asked;
  t.equal(words?.url, '/bot123:ABC/sendMessage');
  const said = words === undefined ? null : await form(words);
  t.equal(said?.get('chat_id'), '-42');
  t.match(said?.get('text'), /^person at Front door\r?\n88 % sure$/);
  const shown = photo === undefined ? null : await form(photo);
  t.ok(shown?.get('photo') instanceof Blob);
  t.ok([...String(shown?.get('caption'))].length <= 1024, 'a caption has its bounds');

  answers.status = 429;
  answers.photo = { ok: false, description: 'Too Many Requests', parameters: { retry_after: 5 } };
  t.same(await send({ picture: JPEG }), {
    ...{ kind: 'later', why: 'Telegram answers 429: Too Many Requests', afterMs: 5000 },
  });
  answers.status = 400;
  answers.photo = { ok: false, description: 'Bad Request: IMAGE_PROCESS_FAILED' };
  t.same(await send({ picture: JPEG }), { kind: 'done' }, 'the words arrive all the same');
  service.answer = (_, response) => response.end('<html>a hotel says hello</html>');
  t.match(await send(), { kind: 'later', why: /not of Telegram/ });
  service.answer = (_, response) =>
    response.writeHead(401).end('{"ok":false,"description":"Unauthorized"}');
  t.match(await send(), { kind: 'later', why: 'Telegram answers 401: Unauthorized' });
});
