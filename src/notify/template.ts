import type { Notice } from './notice.js';

/** What `{{…}}` may name in a template, and what stands there then. */
const FIELDS = {
  rule: ({ rule }: Notice) => rule,
  node: ({ node }: Notice) => node,
  board: ({ board }: Notice) => board,
  camera: ({ event }: Notice) => plain(event.camera),
  camera_name: ({ cameraName }: Notice) => cameraName,
  label: ({ event }: Notice) => plain(event.label),
  sub_label: ({ event }: Notice) => plain(event.sub_label),
  sub_score: ({ event }: Notice) => plain(event.sub_score),
  score: ({ event }: Notice) => plain(event.score),
  percent: ({ event }: Notice) => String(Math.round(100 * Number(event.score))),
  count: ({ event }: Notice) => plain(event.count),
  zones: ({ event }: Notice) => (Array.isArray(event.zones) ? event.zones.join(', ') : ''),
  object: ({ event }: Notice) => plain(event.object),
  id: ({ event }: Notice) => plain(event.id),
  start: ({ event }: Notice) => plain(event.start),
  time: ({ time }: Notice) => localTime(time),
} as const satisfies Readonly<Record<string, (notice: Notice) => string>>;

export const TEMPLATE_FIELDS: readonly string[] = Object.keys(FIELDS);

const FIELD = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** Names in a template that are no field. */
export function unknownFields(template: string): readonly string[] {
  const named = [...template.matchAll(FIELD)].map(([, name = '']) => name);
  return named.filter((name) => !Object.hasOwn(FIELDS, name));
}

/** What is done to a value before it is put into a text of some kind. */
export type Escape = (value: string) => string;

const AS_IT_IS: Escape = (value) => value;
/** Half of a letter, which UTF-8 does not have, becomes U+FFFD. */
export const FOR_ADDRESS: Escape = (value) => encodeURIComponent(Buffer.from(value).toString());

/** Puts the values in the place of their names; a name that is no field stays as it is. */
export function render(template: string, notice: Notice, encode: Escape = AS_IT_IS): string {
  return template.replace(FIELD, (whole, name: string) => {
    const value = Object.hasOwn(FIELDS, name) ? FIELDS[name as keyof typeof FIELDS] : null;
    return value === null ? whole : encode(value(notice));
  });
}

/**
 * Puts the values into a template that is JSON: between quotes as letters of a string, elsewhere as a value of its
 * own (a number, a string with its quotes, or null for nothing), so that it stays JSON whatever they hold.
 */
export function renderJson(template: string, notice: Notice): string {
  return replaceInJson(template, (name) =>
    Object.hasOwn(FIELDS, name) ? FIELDS[name as keyof typeof FIELDS](notice) : null,
  );
}

/** Whether a template is JSON: an object or a list, whatever its fields hold. */
export function isJsonTemplate(template: string): boolean {
  if (!/^\s*(?:\[|\{(?!\{))/.test(template)) return false;
  try {
    JSON.parse(replaceInJson(template, () => '0'));
    return true;
  } catch {
    return false;
  }
}

function replaceInJson(template: string, textOf: (name: string) => string | null): string {
  let quoted = false;
  let read = 0;
  return template.replace(FIELD, (whole, name: string, at: number) => {
    quoted = endsQuoted(template.slice(read, at), quoted);
    read = at + whole.length;
    const value = textOf(name);
    if (value === null) return whole;
    return quoted ? JSON.stringify(value).slice(1, -1) : literalOf(value);
  });
}

/** Whether a piece of JSON ends inside of a string. */
function endsQuoted(piece: string, quoted: boolean): boolean {
  for (const [letter] of piece.matchAll(/\\.|"/gs)) if (letter === '"') quoted = !quoted;
  return quoted;
}

function literalOf(value: string): string {
  if (value === '') return 'null';
  return NUMBER.test(value) ? value : JSON.stringify(value);
}

/** RFC 8259, 6. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function plain(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}

/** Date and time on the board's clock, e.g. `2026-06-01 14:05:09`. */
function localTime(time: number): string {
  const ahead = -new Date(time).getTimezoneOffset() * 60_000;
  return new Date(time + ahead).toISOString().slice(0, 19).replace('T', ' ');
}
