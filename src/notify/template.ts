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

export const AS_IT_IS: Escape = (value) => value;
/** Inside quotes of JSON. */
export const FOR_JSON: Escape = (value) => JSON.stringify(value).slice(1, -1);
export const FOR_ADDRESS: Escape = encodeURIComponent;

/** Puts the values in the place of their names; a name that is no field stays as it is. */
export function render(template: string, notice: Notice, encode: Escape = AS_IT_IS): string {
  return template.replace(FIELD, (whole, name: string) => {
    const value = Object.hasOwn(FIELDS, name) ? FIELDS[name as keyof typeof FIELDS] : null;
    return value === null ? whole : encode(value(notice));
  });
}

function plain(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}

/** Date and time on the board's clock, e.g. `2026-06-01 14:05:09`. */
function localTime(time: number): string {
  return new Date(time).toLocaleString('sv-SE');
}
