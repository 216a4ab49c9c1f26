import { integer, list, nullable, text } from '../../schema/format.js';
import type { ValueOf } from '../../schema/section.js';
import { key } from '../../schema/section.js';
import { address } from '../../schema/text.js';
import { describeChannel } from '../channel.js';
import { ask, basic, type HttpRequest, outcomeOf } from '../http.js';
import { fileKey, secretKey, TIMEOUT_KEY } from '../keys.js';
import type { Message } from '../notice.js';
import { placeOf } from './webhook.js';

const KEYS = {
  url: key(address('http', 'https'), 'https://ntfy.sh', 'Server.', { address: true }),
  topic: secretKey('Topic. Whoever knows it can read along at a public server: it is a secret.'),
  topic_file: fileKey('File whose one line is the topic.'),
  token: secretKey('Access token (tk_…), where the server wants one.'),
  token_file: fileKey('File whose one line is the token.'),
  username: key(nullable(text('a user name', /\S/, 256)), null, 'User name, instead of a token.'),
  password: secretKey('Its password.'),
  password_file: fileKey('File whose one line is the password.'),
  priority: key(integer(1, 5), 3, 'From 1 (least) to 5 (urgent).'),
  tags: key(
    list(text('a tag', /^[\w+-]+$/, 64), 'tags, e.g. [rotating_light]', { max: 8 }),
    [],
    'Tags; names of emoji become emoji.',
  ),
  click: key(nullable(address('http', 'https')), null, 'Page that a tap opens.'),
  timeout: TIMEOUT_KEY,
} as const;

/** ntfy (https://docs.ntfy.sh/publish/): text and picture are one message with an attachment. */
export const NTFY = describeChannel({
  summary: 'ntfy, on phones and desktops',
  keys: KEYS,
  secrets: ['topic', 'token', 'password'],
  isWanted: ({ topic, topic_file: file }) => topic !== null || file !== null,
  faults({ topic, token, token_file: tokenFile, username, password, password_file: passwordFile }) {
    return [
      ...(topic !== null && !/^[-_A-Za-z0-9]{1,64}$/.test(topic)
        ? [{ key: ['topic'], message: 'expected letters, digits, "-" and "_", at most 64' }]
        : []),
      ...((token !== null || tokenFile !== null) && username !== null
        ? [{ key: ['username'], message: 'a token takes its place; remove one of the two' }]
        : []),
      ...((password !== null || passwordFile !== null) && username === null
        ? [{ key: ['password'], message: 'a password needs username' }]
        : []),
    ];
  },
  templates: () => [],
  target: ({ url }) => placeOf(url),
  create(values, { fetch }) {
    const how = { fetch, timeoutMs: values.timeout * 1000 };
    return async (message, signal) => {
      const first = outcomeOf(await ask(requestOf(values, message), how, signal));
      // A server without attachments, or with a smaller limit, still takes the words.
      if (first.kind !== 'never' || message.picture === null) return first;
      return outcomeOf(await ask(requestOf(values, { ...message, picture: null }), how, signal));
    };
  },
});

type Values = ValueOf<typeof KEYS>;

/** Fields go into the query, which unlike headers takes any letter. */
function requestOf(values: Values, { title, text: words, picture }: Message): HttpRequest {
  const { topic, token, username, password, priority, tags, click } = values;
  const query = new URLSearchParams({ title, priority: String(priority) });
  if (tags.length > 0) query.set('tags', tags.join(','));
  if (click !== null) query.set('click', click);
  if (picture !== null) {
    query.set('message', words);
    query.set('filename', 'picture.jpg');
  }
  const login = username === null ? {} : basic(`${username}:${password ?? ''}`);
  return {
    url: `${values.url.replace(/\/+$/, '')}/${topic}?${query}`,
    method: 'PUT',
    headers: token === null ? login : { authorization: `Bearer ${token}` },
    body: picture === null ? words : Uint8Array.from(picture),
  };
}
