import { codedError, isCodedError, messageOf } from '../../errors.js';
import { createHttpClient, type HttpAnswer, type HttpOptions, readBody } from '../http/client.js';
import { JpegStreamReader } from '../pixels/jpeg-stream.js';
import { MAX_PICTURE_BYTES } from '../pixels/picture.js';
import { encodedPicture, type Source } from '../source.js';
import { describeSource, type SourceNotice, type SourceSurroundings } from './description.js';
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
  create: ({ url, username, password, verify }, { clock, onNotice }) =>
    createMjpegSource({ url: url ?? '', username, password, verify, clock }, onNotice),
});

/** What an answer calls itself that is a stream of JPEGs, or cannot be told from one by its name. */
const STREAM_TYPES = /^(multipart\/|application\/octet-stream|video\/(x-)?(motion-)?m?jpe?g|$)/i;
const PICTURE_TYPES = /^image\//i;

/**
 * An HTTP answer that never ends, of JPEGs. Delivers `jpeg`. What the camera answers is looked at
 * for pictures and for nothing else, whatever it calls itself: some cameras say text/html.
 */
export function createMjpegSource(
  options: HttpOptions,
  onNotice: SourceSurroundings['onNotice'] = () => {},
): Source {
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
        const { pictures, broke } = await readPictures(answer, isPicture, signal, {
          deliver: (bytes) => onFrame(encodedPicture(bytes)),
          onDamaged: (count) => onNotice(damagedNotice(count)),
        });
        if (signal.aborted) return codedError('MND_CAMERA_STOPPED', { subject });
        if (pictures === 0 && !isPicture && !STREAM_TYPES.test(type)) {
          return failed(
            `${JSON.stringify(type.slice(0, 60))} instead of pictures`,
            'look for the address of its MJPEG stream; H.264 and HLS are not MJPEG',
          );
        }
        if (isCodedError(broke)) return broke;
        if (pictures === 1 && isPicture) {
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

/**
 * Reads pictures to the end of the body. Called a picture (`isPicture`), it may be one alone, which is
 * not what was asked for: the first one is then delivered with the second.
 */
async function readPictures(
  answer: HttpAnswer,
  isPicture: boolean,
  signal: AbortSignal,
  to: {
    readonly deliver: (bytes: Uint8Array) => void;
    readonly onDamaged: (count: number) => void;
  },
): Promise<{ readonly pictures: number; readonly broke: Error | null }> {
  let pictures = 0;
  let first: Uint8Array | null = null;
  const reader = new JpegStreamReader((bytes) => {
    pictures += 1;
    if (signal.aborted) return;
    if (isPicture && pictures === 1) {
      first = bytes.slice();
      return;
    }
    if (first !== null) to.deliver(first);
    first = null;
    to.deliver(bytes);
  }, MAX_PICTURE_BYTES);
  let damaged = 0;
  const broke = await readBody(answer, signal, (chunk) => {
    reader.push(chunk);
    if (reader.damaged === damaged) return;
    to.onDamaged(reader.damaged - damaged);
    damaged = reader.damaged;
  });
  return { pictures, broke };
}

function damagedNotice(count: number): SourceNotice {
  const what = count === 1 ? 'a picture of the stream is' : `${count} pictures of the stream are`;
  return {
    kind: 'refused',
    key: 'refused damaged',
    message: `${what} left out: cut off, damaged, or over ${MAX_PICTURE_BYTES >> 20} MB`,
  };
}

export function typeOf({ headers }: HttpAnswer): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
}
