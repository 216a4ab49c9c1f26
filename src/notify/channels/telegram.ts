import { boolean, either, integer, nullable, text } from '../../schema/format.js';
import type { ValueOf } from '../../schema/section.js';
import { key } from '../../schema/section.js';
import { address } from '../../schema/text.js';
import { describeChannel, type Outcome } from '../channel.js';
import { ask, type HttpAnswer, type HttpFailure, outcomeOf } from '../http.js';
import { fileKey, secretKey, TIMEOUT_KEY } from '../keys.js';
import type { Message } from '../notice.js';
import { placeOf } from './webhook.js';

/** Characters of a caption and of a message (https://core.telegram.org/bots/api), with room for line ends. */
const MAX_CAPTION = 1000;
const MAX_TEXT = 4000;

const KEYS = {
  token: secretKey('Token of the bot, as @BotFather gives it.'),
  token_file: fileKey('File whose one line is the token.'),
  chat_id: key(
    nullable(
      either(
        integer(-9_007_199_254_740_991, 9_007_199_254_740_991),
        text('@name of a channel, or a number', /^(@\w+|-?\d+)$/, 64),
      ),
    ),
    null,
    'Whom the bot writes to: the number of a person or a group, or the @name of a channel.',
  ),
  silent: key(boolean, false, 'Whether the phone stays silent.'),
  url: key(address('http', 'https'), 'https://api.telegram.org', 'Server of the bot API.', {
    address: true,
  }),
  timeout: TIMEOUT_KEY,
} as const;

/** A bot of Telegram (https://core.telegram.org/bots/api): sendPhoto, or sendMessage without a picture. */
export const TELEGRAM = describeChannel({
  summary: 'a bot of Telegram',
  keys: KEYS,
  secrets: ['token'],
  isWanted: ({ token, token_file: file, chat_id: chat }) =>
    token !== null || file !== null || chat !== null,
  faults({ token, token_file: file, chat_id: chat }) {
    return [
      ...(token === null && file === null
        ? [{ key: ['token'], message: 'needs token or token_file' }]
        : []),
      ...(token !== null && !/^\d+:[\w-]+$/.test(token)
        ? [{ key: ['token'], message: 'expected a token such as 123456:ABC…; found another text' }]
        : []),
      ...(chat === null ? [{ key: ['chat_id'], message: 'must be given' }] : []),
    ];
  },
  templates: () => [],
  target: ({ url, chat_id: chat }) => `chat ${chat} at ${placeOf(url)}`,
  create(values, { fetch }) {
    const how = { fetch, timeoutMs: values.timeout * 1000 };
    const call = async (message: Message, signal: AbortSignal) => {
      const [method, body] = callOf(values, message);
      const url = `${values.url.replace(/\/+$/, '')}/bot${values.token}/${method}`;
      return meaningOf(await ask({ url, method: 'POST', headers: {}, body }, how, signal));
    };
    return async (message, signal) => {
      const first = await call(message, signal);
      // A picture that Telegram does not like must not cost the alarm.
      if (first.kind !== 'never' || message.picture === null) return first;
      return call({ ...message, picture: null }, signal);
    };
  },
});

type Values = ValueOf<typeof KEYS>;

function callOf({ chat_id: chat, silent }: Values, message: Message): [string, FormData] {
  const { title, text: words, picture } = message;
  const form = new FormData();
  form.set('chat_id', String(chat));
  form.set('disable_notification', String(silent));
  const all = `${title}\n${words}`;
  if (picture === null) {
    form.set('text', cut(all, MAX_TEXT));
    return ['sendMessage', form];
  }
  form.set('caption', cut(all, MAX_CAPTION));
  const jpeg = new Blob([Uint8Array.from(picture)], { type: 'image/jpeg' });
  form.set('photo', jpeg, 'picture.jpg');
  return ['sendPhoto', form];
}

function cut(words: string, limit: number): string {
  const letters = [...words];
  return letters.length <= limit ? words : `${letters.slice(0, limit - 1).join('')}…`;
}

/** Telegram says in JSON what is wrong, and how long to wait. */
function meaningOf(answer: HttpAnswer | HttpFailure): Outcome {
  const plain = outcomeOf(answer);
  if ('failure' in answer) return plain;
  const { ok, description, parameters } = documentIn(answer.text);
  if (plain.kind === 'done') {
    if (ok === true) return plain;
    return { kind: 'later', why: 'it answers something that is not of Telegram', afterMs: null };
  }
  const why =
    typeof description === 'string'
      ? `Telegram answers ${answer.status}: ${description.slice(0, 120)}`
      : plain.why;
  const seconds = parameters?.retry_after;
  const afterMs =
    typeof seconds === 'number' && seconds >= 0
      ? Math.min(seconds, 3600) * 1000
      : answer.retryAfterMs;
  return plain.kind === 'never' ? { kind: 'never', why } : { kind: 'later', why, afterMs };
}

interface BotAnswer {
  readonly ok?: unknown;
  readonly description?: unknown;
  readonly parameters?: { readonly retry_after?: unknown } | null;
}

function documentIn(text: string): BotAnswer {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
