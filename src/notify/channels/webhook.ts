import { list, nullable, oneOf, secret, text } from '../../schema/format.js';
import type { ValueOf } from '../../schema/section.js';
import { items, key } from '../../schema/section.js';
import { address, filePath } from '../../schema/text.js';
import { describeChannel } from '../channel.js';
import { ask, type HttpBody, type HttpRequest, outcomeOf } from '../http.js';
import { fileKey, TIMEOUT_KEY } from '../keys.js';
import { documentOf, type Message } from '../notice.js';
import { FOR_ADDRESS, isJsonTemplate, render, renderJson } from '../template.js';

const headerName = text('the name of a header', /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 128);
const templateText = text('text', /\S/u, 16_384);

const KEYS = {
  url: key(
    nullable(address('http', 'https')),
    null,
    'Where the webhook is asked; may hold {{fields}}. It is treated as a secret.',
    { address: true, sensitive: true },
  ),
  url_file: fileKey('File whose one line is the address.'),
  method: key(oneOf('POST', 'PUT', 'PATCH', 'GET'), 'POST', 'Method of the request.'),
  body: key(
    oneOf('json', 'jpeg', 'multipart'),
    'json',
    'json: the event; jpeg: its picture; multipart: both, as the fields event and picture of a form. Without a picture it is the JSON.',
  ),
  template: key(
    nullable(templateText),
    null,
    'Text that takes the place of the JSON, with {{fields}}; one that is an object or a list in JSON is sent as JSON.',
  ),
  headers: items(key(secret, '', 'Value of the header.', { sensitive: true }), {
    doc: 'Headers of the request.',
    names: headerName,
    example: 'X-Api-Key: !secret api_key',
  }),
  header_files: items(key(filePath, '', 'File whose one line is the value.', { path: true }), {
    doc: 'Headers whose values come from files.',
    names: headerName,
    example: 'Authorization: /etc/mobilenetd/webhook-token',
  }),
  redact: key(
    list(text('a name', /\S/u, 64), 'names', { max: 32 }),
    [],
    'Fields of the JSON that are left out, e.g. [box, model].',
  ),
  timeout: TIMEOUT_KEY,
} as const;

/** Any address that takes a request. */
export const WEBHOOK = describeChannel({
  summary: 'a request to an address of yours',
  keys: KEYS,
  secrets: ['url'],
  isWanted: ({ url, url_file: file }) => url !== null || file !== null,
  faults({ method, body, template }) {
    if (method !== 'GET') {
      const isOdd = template !== null && /^\s*\{(?!\{)/.test(template) && !isJsonTemplate(template);
      return isOdd
        ? [{ key: ['template'], message: 'begins as an object of JSON, and is none' }]
        : [];
    }
    const keys = [...(body === 'json' ? [] : ['body']), ...(template === null ? [] : ['template'])];
    return keys.map((name) => ({
      key: [name],
      message: 'a GET has no body; use {{fields}} in url',
    }));
  },
  templates: ({ url, template, headers }) => [
    ...(url === null ? [] : [['url', url] as const]),
    ...(template === null ? [] : [['template', template] as const]),
    ...Object.entries(headers).map(([name, value]) => [`headers.${name}`, value] as const),
  ],
  target: ({ url }) => placeOf(url),
  create(values, { fetch }) {
    return async (message, signal) => {
      const request = requestOf(values, message);
      return outcomeOf(await ask(request, { fetch, timeoutMs: values.timeout * 1000 }, signal));
    };
  },
});

/** Scheme, host and port: what of an address may be shown. */
export function placeOf(url: string | null): string {
  return url !== null && URL.canParse(url) ? new URL(url).origin : 'an address';
}

type Values = ValueOf<typeof KEYS>;

function requestOf(values: Values, message: Message): HttpRequest {
  const { method, headers } = values;
  const { notice } = message;
  const own = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    render(value, notice).replace(/[^\t\x20-\x7e\x80-\xff]/g, '?'),
  ]);
  const [body, type] = method === 'GET' ? [null, null] : bodyOf(values, message);
  return {
    url: render(values.url ?? '', notice, FOR_ADDRESS),
    method,
    headers: { ...(type !== null && { 'content-type': type }), ...Object.fromEntries(own) },
    body,
  };
}

/** What is sent, and what it is called; a form says that itself. */
function bodyOf(values: Values, message: Message): [HttpBody, string | null] {
  const { picture } = message;
  const [text, type] = textOf(values, message);
  if (picture === null || values.body === 'json') return [text, type];
  const jpeg = new Blob([Uint8Array.from(picture)], { type: 'image/jpeg' });
  if (values.body === 'jpeg') return [jpeg, 'image/jpeg'];
  const form = new FormData();
  form.set('event', new Blob([text], { type }), 'event.json');
  form.set('picture', jpeg, 'picture.jpg');
  return [form, null];
}

function textOf({ template, redact }: Values, message: Message): [string, string] {
  if (template === null) {
    const fields = Object.entries(documentOf(message)).filter(([name]) => !redact.includes(name));
    return [JSON.stringify(Object.fromEntries(fields)), 'application/json'];
  }
  const isJson = isJsonTemplate(template);
  const text = isJson ? renderJson(template, message.notice) : render(template, message.notice);
  return [text, isJson ? 'application/json' : 'text/plain; charset=utf-8'];
}
