import { orList } from '../schema/format.js';
import type { Section, ValueOf } from '../schema/section.js';
import { DEMO } from './sources/demo.js';
import type { PictureOptions, SourceDescription, SourceFault } from './sources/description.js';
import { FILES } from './sources/files.js';
import { LIBCAMERA } from './sources/libcamera.js';
import { MJPEG } from './sources/mjpeg.js';
import { RTSP } from './sources/rtsp.js';
import { SNAPSHOT } from './sources/snapshot.js';
import { STILL } from './sources/still.js';
import { V4L2 } from './sources/v4l2.js';
import { VIDEO } from './sources/video.js';
import { WATCH } from './sources/watch.js';

/** Every kind of camera: its name in the configuration, and what is known of it. */
export const SOURCES = {
  libcamera: LIBCAMERA,
  still: STILL,
  v4l2: V4L2,
  rtsp: RTSP,
  mjpeg: MJPEG,
  snapshot: SNAPSHOT,
  video: VIDEO,
  files: FILES,
  watch: WATCH,
  demo: DEMO,
} as const;

export type SourceKind = keyof typeof SOURCES;

/** Whether a word names a kind of source. */
export function isSourceKind(word: string): word is SourceKind {
  return Object.hasOwn(SOURCES, word);
}

export const SOURCE_KINDS = Object.keys(SOURCES).filter(isSourceKind);

/** The kinds as a table of Markdown, for docs/cameras.md. */
export function kindsMarkdown(): string {
  const rows = SOURCE_KINDS.map((kind) => {
    const { summary, needs, frames, through }: AnyKind = SOURCES[kind];
    const needed = needs.map((name) => `\`${name}\``).join(' or ');
    return `| \`${kind}\` | ${summary} | ${needed} | ${frames} | ${through} |`.replaceAll(
      '|  |',
      '| |',
    );
  });
  const head = [
    '| `source` | what it is | needs | frames | through |',
    '| --- | --- | --- | --- | --- |',
  ];
  return [...head, ...rows, ''].join('\n');
}

type UnionToIntersection<U> = (U extends unknown ? (value: U) => void : never) extends (
  value: infer I,
) => void
  ? I
  : never;

type AllKeys = UnionToIntersection<(typeof SOURCES)[SourceKind]['keys']>;

/** The keys of all kinds together: one that several have is one and the same. */
export const SOURCE_KEYS = Object.assign(
  {},
  ...Object.values(SOURCES).map(({ keys }) => keys),
) as AllKeys;

/** The values of every key that some kind has. */
export type SourceValues = ValueOf<AllKeys>;

/** A camera as it is configured; its kind looks at its own keys only. */
export interface SourceOptions extends PictureOptions, SourceValues {
  readonly source: SourceKind;
}

/** A kind, whichever it is. */
export type AnyKind = Omit<SourceDescription<AllKeys>, 'keys'> & { readonly keys: Section };

/** What is known of a camera's kind, in the way it is read: single pictures may be a kind of their own. */
export function descriptionOf({
  source,
  capture,
}: Pick<SourceOptions, 'source' | 'capture'>): AnyKind {
  const description: AnyKind = SOURCES[source];
  const { stills } = description;
  return capture === 'still' && stills !== undefined && isSourceKind(stills)
    ? SOURCES[stills]
    : description;
}

/** What a camera's kind cannot work with: its own rules, and the scheme of its address. */
export function faultsOf(options: SourceOptions): readonly SourceFault[] {
  const { schemes, keys, faults } = descriptionOf(options);
  const { url } = options;
  const own = faults(options);
  if (url === null || !Object.hasOwn(keys, 'url')) return own;
  const scheme = url.slice(0, Math.max(0, url.indexOf(':'))).toLowerCase();
  if (schemes.includes(scheme)) return own;
  const expected = `an address that begins with ${orList(schemes.map((name) => `${name}://`))}`;
  return [...own, { key: 'url', expected }];
}

/** Frames a second that a camera of these options can be expected to deliver. */
export function rateOf(options: SourceOptions): number {
  return descriptionOf(options).rate(options);
}
