import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { codedError } from '../../errors.js';
import type { PageSource, PictureKind } from '../contract.js';
import type { ApiRequest, Route } from '../route.js';

const JPEG = 'image/jpeg';

/** Pictures of cameras and of events. */
export const PICTURE_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/cameras/{camera}/frame.jpg',
    summary:
      'A picture of the camera. With `after` the first one that is newer, for which it waits up to 10 s (204: none came, or the camera is away).',
    role: 'view',
    query: {
      type: 'object',
      properties: { after: { type: 'integer', minimum: -1 } },
    },
    answer: JPEG,
    errors: ['MND_INPUT_MISSING', 'MND_CAMERA_FAILED'],
    async handle({ params, query, signal, raw }, { source, pictures, headers: headersOf }) {
      const camera = cameraOf(params, source);
      const away = source.away(camera);
      if (away !== null) {
        // Who follows a camera knows from its state why; a browser would call it an error of the page.
        if (query.after !== undefined) return raw.body(null, 204);
        throw codedError('MND_CAMERA_FAILED', { subject: camera, found: away });
      }
      const picture = await pictures.after(camera, Number(query.after ?? -1), signal);
      if (picture === 'busy') {
        raw.header('Retry-After', '2');
        throw codedError('MND_HTTP_BUSY', {
          found: 'as many who wait for a picture as there may be',
        });
      }
      if (picture === null) return raw.body(null, 204);
      // Frames count anew after a restart: the number alone would call an old picture the newest.
      const etag = `"${picture.sequence}-${picture.time.toString(36)}"`;
      const headers = {
        ETag: etag,
        'X-Frame-Sequence': String(picture.sequence),
        'X-Frame-Time': new Date(picture.time).toISOString(),
      };
      if (isKnown(etag, raw.req.header('If-None-Match'))) return raw.body(null, 304, headers);
      return sendPicture(raw, picture.jpeg, { ...headersOf(raw), ...headers });
    },
  },
  ...(['picture', 'thumb', 'crop'] as const).map(eventPicture),
];

function eventPicture(kind: PictureKind): Route {
  return {
    method: 'get',
    path: `/events/{id}/${kind}.jpg`,
    summary: {
      picture: "The event's best frame.",
      thumb: "The event's best frame, small.",
      crop: 'What the event is of, cut out of its best frame.',
    }[kind],
    role: 'view',
    answer: JPEG,
    isHeavy: kind !== 'picture',
    errors: ['MND_INPUT_MISSING', 'MND_HTTP_BUSY'],
    async handle({ params, raw }, { source }) {
      const picture = await source.eventPicture(params.id ?? '', kind);
      if (picture === null) {
        throw codedError('MND_INPUT_MISSING', { subject: `the ${kind} of event ${params.id}` });
      }
      return jpeg(raw, picture, {});
    },
  };
}

/** The camera a path names. @throws MND_INPUT_MISSING */
export function cameraOf(params: ApiRequest['params'], source: PageSource): string {
  const camera = params.camera ?? '';
  if (source.hasCamera(camera)) return camera;
  throw codedError('MND_INPUT_MISSING', {
    subject: `camera ${JSON.stringify(camera.slice(0, 64))}`,
  });
}

/** Whether a picture is among those that If-None-Match names (RFC 9110, 13.1.2: compared weakly). */
function isKnown(etag: string, header: string | undefined): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}

/** Sent without a Response in between, which would cost half of what coding it does. */
function sendPicture(
  raw: ApiRequest['raw'],
  bytes: Uint8Array,
  headers: Record<string, string>,
): Response {
  if (raw.req.method === 'HEAD') return jpeg(raw, bytes, headers);
  raw.env.outgoing
    .writeHead(200, { ...headers, 'Content-Type': JPEG, 'Content-Length': bytes.length })
    .end(bytes);
  return RESPONSE_ALREADY_SENT;
}

function jpeg(
  raw: ApiRequest['raw'],
  bytes: Uint8Array,
  headers: Record<string, string>,
): Response {
  return raw.body(new Uint8Array(bytes), 200, { ...headers, 'Content-Type': JPEG });
}
