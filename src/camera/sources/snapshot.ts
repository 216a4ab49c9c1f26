import { codedError, isCodedError, messageOf } from '../../errors.js';
import { number } from '../../schema/format.js';
import { key } from '../../schema/section.js';
import { systemClock } from '../../time.js';
import {
  createHttpClient,
  type HttpAnswer,
  type HttpClient,
  type HttpOptions,
  readBody,
} from '../http/client.js';
import { createPacer, type FrameRate } from '../pacer.js';
import { looksLikePicture, MAX_PICTURE_BYTES } from '../pixels/picture.js';
import { encodedPicture, type Source } from '../source.js';
import { describeSource } from './description.js';
import { HTTP_KEYS, NETWORK_ADVICE } from './keys.js';
import { rateOf } from './rate.js';

const rate = (options: { readonly fps: number; readonly interval: number }): number =>
  Math.min(options.fps, 1 / options.interval);

export const SNAPSHOT = describeSource({
  summary: 'a network camera that is asked for one picture after the other over HTTP',
  frames: 'encoded',
  through: '',
  keys: {
    ...HTTP_KEYS,
    interval: key(
      number(0.1, 86_400, 'seconds'),
      1,
      'Time from one picture of a snapshot camera to the next, seconds; the governor may make it longer.',
    ),
  },
  needs: ['url'],
  schemes: ['http', 'https'],
  devices: null,
  turns: [0],
  alone: false,
  selects: true,
  rate,
  // One picture may take its two deadlines.
  leastStall: 25,
  trial: 25,
  advice: NETWORK_ADVICE,
  missing: null,
  faults: () => [],
  create: (options, surroundings) =>
    createSnapshotSource({
      url: options.url ?? '',
      username: options.username,
      password: options.password,
      verify: options.verify,
      clock: surroundings.clock,
      fps: rateOf(rate(options), surroundings),
    }),
});

export interface SnapshotSourceOptions extends HttpOptions {
  /** Pictures a second. */
  readonly fps: FrameRate;
}

/** Milliseconds from the head of an answer to the last byte of its picture. */
const BODY_DEADLINE_MS = 10_000;

/**
 * Asks an address for a picture again and again. Delivers `jpeg`. A picture that has not changed (ETag,
 * Last-Modified; RFC 9110, 13) is not sent, nor delivered, again: the camera counts as alive.
 */
export function createSnapshotSource(options: SnapshotSourceOptions): Source {
  const client = createHttpClient(options);
  const { subject } = client;
  const clock = options.clock ?? systemClock;
  return {
    async run(signal, onFrame, onAlive) {
      const pacer = createPacer(clock, options.fps);
      let known: Record<string, string> = {};
      try {
        for (;;) {
          await pacer.next(signal);
          if (signal.aborted) return codedError('MND_CAMERA_STOPPED', { subject });
          const answer = await client.get(signal, known);
          if (answer.status === 304) {
            answer.body.destroy();
            onAlive?.();
            continue;
          }
          const deadline = new AbortController();
          const cancel = clock.setTimer(() => deadline.abort(), BODY_DEADLINE_MS);
          const bytes = await readPicture(
            client,
            answer,
            AbortSignal.any([signal, deadline.signal]),
          );
          cancel();
          if (signal.aborted) return codedError('MND_CAMERA_STOPPED', { subject });
          known = validatorsOf(answer);
          await onFrame(encodedPicture(bytes));
        }
      } catch (error) {
        if (signal.aborted) return codedError('MND_CAMERA_STOPPED', { subject });
        if (isCodedError(error)) return error;
        return codedError('MND_CAMERA_FAILED', { subject, found: messageOf(error) });
      }
    },
  };
}

function validatorsOf({ headers }: HttpAnswer): Record<string, string> {
  const { etag, 'last-modified': modified } = headers;
  return {
    ...(etag !== undefined && { 'if-none-match': etag }),
    ...(modified !== undefined && etag === undefined && { 'if-modified-since': modified }),
  };
}

async function readPicture(
  { subject }: HttpClient,
  answer: HttpAnswer,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const failed = (found: string, next?: string): Error =>
    codedError('MND_CAMERA_FAILED', { subject, found, ...(next !== undefined && { next }) });
  const type = answer.headers['content-type'] ?? '';
  if (/^multipart\//i.test(type)) {
    answer.body.destroy();
    throw failed('this address sends a stream of pictures', 'use source: mjpeg');
  }
  const chunks: Buffer[] = [];
  let length = 0;
  const broke = await readBody(answer, signal, (chunk) => {
    length += chunk.length;
    if (length > MAX_PICTURE_BYTES)
      throw failed(`a picture of more than ${MAX_PICTURE_BYTES} bytes`);
    chunks.push(chunk);
  });
  if (isCodedError(broke) && broke.code === 'MND_CAMERA_STOPPED') {
    throw failed(`a picture that is not whole after ${BODY_DEADLINE_MS / 1000} s (timed out)`);
  }
  if (broke !== null) throw isCodedError(broke) ? broke : failed(messageOf(broke));
  const bytes = Buffer.concat(chunks);
  if (looksLikePicture(bytes)) return bytes;
  throw failed(
    `${JSON.stringify(type.slice(0, 60))}, ${length} bytes that are no picture`,
    'open the address in a browser: it must show a picture and nothing else',
  );
}
