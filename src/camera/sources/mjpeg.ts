import { codedError, isCodedError, messageOf } from '../../errors.js';
import { createHttpClient, type HttpAnswer, type HttpOptions, readBody } from '../http/client.js';
import { JpegStreamReader } from '../pixels/jpeg-stream.js';
import { MAX_PICTURE_BYTES } from '../pixels/picture.js';
import type { Source } from '../source.js';
import { describeSource } from './description.js';
import { HTTP_KEYS, NETWORK_ADVICE } from './keys.js';

export const MJPEG = describeSource({
  summary: 'a network camera that sends JPEGs over HTTP, one after the other',
  frames: 'JPEG',
  through: '',
  keys: HTTP_KEYS,
  needs: ['url'],
  schemes: ['http', 'https'],
  devices: null,
  turns: [0],
  alone: false,
  selects: false,
  rate: ({ fps }) => fps,
  leastStall: 0,
  trial: 20,
  advice: NETWORK_ADVICE,
  missing: null,
  faults: () => [],
  create: ({ url, username, password, verify }, { clock }) =>
    createMjpegSource({ url: url ?? '', username, password, verify, clock }),
});

/** What an answer may call itself (RFC 2046, 5.1: multipart); some cameras call it nothing. */
const STREAM_TYPES = /^(multipart\/|application\/octet-stream|video\/(x-)?(motion-)?m?jpe?g)/i;
const PICTURE_TYPES = /^image\//i;

/**
 * An HTTP answer that never ends, of JPEGs. Delivers `jpeg`. What the camera answers is looked at
 * for pictures and for nothing else.
 */
export function createMjpegSource(options: HttpOptions): Source {
  const client = createHttpClient(options);
  const { subject } = client;
  const failed = (found: string, next?: string): Error =>
    codedError('MND_CAMERA_FAILED', { subject, found, ...(next !== undefined && { next }) });
  return {
    async run(signal, onFrame) {
      try {
        const answer = await client.get(signal);
        const type = typeOf(answer);
        const isPicture = PICTURE_TYPES.test(type);
        if (type !== '' && !isPicture && !STREAM_TYPES.test(type)) {
          answer.body.destroy();
          return failed(
            `${JSON.stringify(type.slice(0, 60))} instead of pictures`,
            'look for the address of its MJPEG stream; H.264 and HLS are not MJPEG',
          );
        }
        let pictures = 0;
        let first: Uint8Array | null = isPicture ? new Uint8Array(0) : null;
        const deliver = (bytes: Uint8Array): void => {
          if (signal.aborted) return;
          onFrame({ width: 0, height: 0, format: 'jpeg', range: 'full', bytes });
        };
        const reader = new JpegStreamReader((bytes) => {
          pictures += 1;
          // Called a picture, it may be one alone, which is not what was asked for.
          if (first !== null && pictures === 1) {
            first = bytes.slice();
            return;
          }
          if (first !== null) deliver(first);
          first = null;
          deliver(bytes);
        }, MAX_PICTURE_BYTES);
        const broke = await readBody(answer, signal, (chunk) => reader.push(chunk));
        if (signal.aborted) return codedError('MND_CAMERA_STOPPED', { subject });
        if (isCodedError(broke)) return broke;
        if (pictures <= 1 && isPicture) {
          return failed('this address sends one picture', 'use source: snapshot');
        }
        if (pictures === 0) return failed('the answer has no picture');
        const why = broke === null ? 'the camera ended the stream' : messageOf(broke);
        return failed(`${why} (after ${pictures} pictures)`);
      } catch (error) {
        if (signal.aborted) return codedError('MND_CAMERA_STOPPED', { subject });
        return isCodedError(error) ? error : failed(messageOf(error));
      }
    },
  };
}

export function typeOf({ headers }: HttpAnswer): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
}
