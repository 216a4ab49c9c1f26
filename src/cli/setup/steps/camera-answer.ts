import { type Meaning, meant, quoted } from '../question.js';
import type { FoundCamera } from '../step.js';

/** The answer that leaves the configured cameras alone. */
export const KEEP = 'keep';

const ADDRESSES: readonly (readonly [pattern: RegExp, source: string])[] = [
  [/^rtsps?:$/, 'rtsp'],
  [/^https?:$/, 'mjpeg'],
];

/** What an answer means: a camera, or null for those that are configured. */
export function cameraMeant(
  answer: string,
  found: readonly FoundCamera[],
  configured: readonly string[],
): Meaning<FoundCamera | null> {
  if (answer === KEEP && configured.length > 0) return { value: null };
  const known = found.find(({ name }) => name === answer);
  if (known !== undefined) return { value: known };
  if (answer === 'libcamera' || answer === 'demo') {
    return { value: { name: answer, what: answer, settings: { source: answer } } };
  }
  if (/^\/dev\/\S+$/.test(answer)) {
    return { value: { name: answer, what: answer, settings: { source: 'v4l2', device: answer } } };
  }
  if (/^[a-z]+:\/\//i.test(answer)) return network(answer);
  const names = [
    ...(configured.length > 0 ? [KEEP] : []),
    ...new Set(['libcamera', ...found.map(({ name }) => name)]),
  ];
  return {
    fault: `expected ${names.join(', ')}, a device such as /dev/video0, or an address (rtsp://…, http://…); found ${quoted(answer)}${meant(answer, names)}`,
  };
}

/** A network camera; who it takes us for is no part of its address here. */
function network(answer: string): Meaning<FoundCamera> {
  const url = URL.canParse(answer) ? new URL(answer) : null;
  const source = ADDRESSES.find(([pattern]) => pattern.test(url?.protocol ?? ''))?.[1];
  if (url === null || source === undefined || url.hostname === '') {
    // An address may hold a password: it is not shown.
    return { fault: 'expected rtsp://HOST/PATH or http://HOST/PATH; found another address' };
  }
  const { username, password } = url;
  // As it was written: URL would add a slash, and change letters of the path.
  const plain = answer.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1');
  return {
    value: {
      name: plain,
      what: plain,
      settings: {
        source,
        url: plain,
        ...(username !== '' && { username: decodeURIComponent(username) }),
        ...(password !== '' && { password: decodeURIComponent(password) }),
      },
    },
  };
}
