import type { Section } from '../../schema/section.js';

/** What other programs call our keys; a section is meant that has the key, or none that is named. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  host: ['url', 'listen'],
  hostname: ['url'],
  server: ['url'],
  broker: ['url'],
  address: ['url', 'listen'],
  uri: ['url'],
  ip: ['url'],
  port: ['url', 'listen'],
  stream: ['url'],
  user: ['username'],
  login: ['username'],
  pass: ['password'],
  passwd: ['password'],
  pwd: ['password'],
  topic: ['base'],
  topic_prefix: ['base'],
  prefix: ['base'],
  type: ['source'],
  kind: ['source'],
  driver: ['source'],
  file: ['path'],
  folder: ['path'],
  directory: ['path'],
  resolution: ['size'],
  width: ['size'],
  height: ['size'],
  framerate: ['fps'],
  frame_rate: ['fps'],
  rotate: ['rotation'],
  classes: ['labels'],
  confidence: ['threshold', 'enter'],
  max_temp: ['limit'],
  max_temperature: ['limit'],
  temperature: ['limit'],
  alpha: ['name'],
  model: ['name'],
};

/** Keys that stand elsewhere, by section and name. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'store.path': 'state_dir (the database is mobilenetd.db in it)',
  'store.file': 'state_dir (the database is mobilenetd.db in it)',
  'store.database': 'state_dir (the database is mobilenetd.db in it)',
  threshold: 'presence.enter',
  labels: 'cameras.<name>.labels',
  fps: 'cameras.<name>.fps',
};

/** The key that somebody meant who named it as another program does; null for none. */
export function keyMeant(
  name: string,
  section: Section,
  path: readonly string[],
): { readonly key: string; readonly note: string } | null {
  const elsewhere = ELSEWHERE[[...path, name].join('.')];
  if (elsewhere !== undefined) return { key: elsewhere, note: '' };
  const known = Object.hasOwn(KEYS, name) ? KEYS[name] : undefined;
  const key = known?.find((candidate) => Object.hasOwn(section, candidate));
  if (key === undefined) return null;
  const isPart = /^(host|hostname|ip|port|width|height)$/.test(name);
  return { key: [...path, key].join('.'), note: isPart ? ` (${name} is a part of it)` : '' };
}
