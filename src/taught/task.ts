import { codedError } from '../errors.js';

/**
 * What of which pictures a label is taught of: the whole frame, a zone's rectangle, or the crop of an object
 * that the detector found. Labels of one task share a head: they are told apart from each other.
 */
export interface TaughtTask {
  /** Null: any camera. */
  readonly camera: string | null;
  /** A zone of that camera, whose rectangle is looked at; null: the whole frame, or objects. */
  readonly zone: string | null;
  /** Labels of the detector whose objects are looked at, in order; null: no objects. */
  readonly of: readonly string[] | null;
}

/** The folder of pictures that show none of a task's labels. */
export const NEGATIVE = 'not';
/** Bytes of a folder's name that any file system takes, less room for what a removal puts before it. */
const MAX_NAME = 200;
const KEYS = ['camera', 'zone', 'of'] as const;

/**
 * A task as it is asked for.
 *
 * @throws MND_TEACH_INVALID for a zone without its camera, or with objects
 */
export function taskOf(asked: {
  readonly camera?: string | null;
  readonly zone?: string | null;
  readonly of?: readonly string[] | null;
}): TaughtTask {
  const camera = asked.camera || null;
  const zone = asked.zone || null;
  const named = [...new Set(asked.of ?? [])].filter((label) => label !== '').sort();
  const of = named.length === 0 ? null : named;
  if (zone !== null && of !== null) {
    throw invalid('a zone or objects', 'both', 'leave one of them out');
  }
  if (zone !== null && camera === null) {
    throw invalid('the camera that the zone is of', 'a zone alone', 'name the camera');
  }
  return { camera, zone, of };
}

/** The name of a task's folder; the same for the same task. */
export function taskName({ camera, zone, of }: TaughtTask): string {
  const parts = [
    ...(camera === null ? [] : [`camera=${escaped(camera)}`]),
    ...(zone === null ? [] : [`zone=${escaped(zone)}`]),
    ...(of === null ? [] : [`of=${of.map(escaped).join('+')}`]),
  ];
  return checkedName(parts.length === 0 ? 'any' : parts.join(','));
}

/** The task whose folder has a name; null: it is no task's. */
export function taskNamed(name: string): TaughtTask | null {
  if (name === 'any') return { camera: null, zone: null, of: null };
  const found = new Map<string, string>();
  for (const part of name.split(',')) {
    const at = part.indexOf('=');
    const key = part.slice(0, at);
    if (at < 0 || !KEYS.some((known) => known === key) || found.has(key)) return null;
    found.set(key, part.slice(at + 1));
  }
  try {
    const textOf = (key: string) => {
      const text = found.get(key);
      return text === undefined ? null : decodeURIComponent(text);
    };
    const of = found.get('of')?.split('+').map(decodeURIComponent) ?? null;
    const task = taskOf({ camera: textOf('camera'), zone: textOf('zone'), of });
    return taskName(task) === name ? task : null;
  } catch {
    return null;
  }
}

/** A task in words, e.g. `zone gate of camera front`. */
export function taskText({ camera, zone, of }: TaughtTask): string {
  if (zone !== null) return `zone ${zone} of camera ${camera}`;
  if (of !== null)
    return `each ${of.join(' or ')} of ${camera === null ? 'any camera' : `camera ${camera}`}`;
  return camera === null ? 'whole frames of any camera' : `whole frames of camera ${camera}`;
}

/** The name of a label's folder; null (pictures that show none) has one as well. */
export function labelFolder(label: string | null): string {
  return label === null ? NEGATIVE : checkedName(escaped(label));
}

/** The label whose folder has a name, null for the pictures that show none; undefined: no label's. */
export function labelOfFolder(name: string): string | null | undefined {
  if (name === NEGATIVE) return null;
  try {
    const label = decodeURIComponent(name);
    return labelFolder(checkLabel(label)) === name ? label : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A label that can be taught, as it was given.
 *
 * @throws MND_TEACH_INVALID for one that is empty, long, `not`, or has control characters or none that is seen
 */
export function checkLabel(label: string): string {
  const fits = label === label.trim() && label !== '' && label.length <= 60;
  const isSeen = /[^\p{C}\p{Z}\p{M}]/u.test(label);
  if (!fits || !isSeen || label === NEGATIVE || /[\p{Cc}\p{Cs},]/u.test(label)) {
    throw invalid(
      'a label of 1 to 60 characters, without commas, line breaks and blanks at its ends, that can be seen and is not "not"',
      JSON.stringify(label.slice(0, 80)),
      'name what is seen, such as "gate open"',
    );
  }
  // Before any picture is taken, not at the first that is to be kept.
  checkedName(escaped(label));
  return label;
}

/** Dots are escaped too: names that begin with one are not a task's or a label's. */
function escaped(text: string): string {
  if (/\p{Cs}/u.test(text))
    throw invalid('names of whole characters', 'a part of one', 'name it anew');
  return encodeURIComponent(text).replace(/[.!'()*~]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

function checkedName(name: string): string {
  if (name.length <= MAX_NAME) return name;
  throw invalid(
    `names that fill at most ${MAX_NAME} characters of a folder’s, where a letter beyond a to z takes 6 to 12`,
    `${name.length}`,
    'take a shorter name',
  );
}

function invalid(expected: string, found: string, next: string): Error {
  return codedError('MND_TEACH_INVALID', { expected, found, next });
}
