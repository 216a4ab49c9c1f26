import { followsSun } from '../../camera/schedule.js';
import { nearestOf } from '../../nearest.js';
import { type WantedChannel, wantedChannels } from '../../notify/registry.js';
import { namesIn } from '../../notify/rule-keys.js';
import { TEMPLATE_FIELDS, unknownFields } from '../../notify/template.js';
import type { Config } from '../config.js';
import type { Report } from './problem.js';

type Rule = Config['notify'][string];

/** Rules that could never fire, or would have nobody to tell. */
export function checkNotify(config: Config, report: Report): void {
  for (const [name, rule] of Object.entries(config.notify)) {
    const path = ['notify', name];
    checkWhen(rule, path, config, report);
    checkTexts(rule, path, report);
    checkChannels(rule, path, config, report);
  }
}

function checkWhen({ when }: Rule, path: readonly string[], config: Config, report: Report): void {
  const cameras = namesIn(when.camera);
  const known = Object.keys(config.cameras);
  for (const camera of cameras ?? []) {
    if (known.includes(camera)) continue;
    const message = strange(`there is no camera ${camera}`, camera, known);
    report([...path, 'when', 'camera'], message, ['cameras']);
  }
  const zones = zonesOf(config, cameras);
  for (const zone of namesIn(when.zone) ?? []) {
    if (zones.includes(zone)) continue;
    const message = strange(`none of its cameras has a zone ${zone}`, zone, zones);
    report([...path, 'when', 'zone'], message, ['cameras', `${path.join('.')}.when.camera`]);
  }
  if (config.location === null && followsSun(when.schedule)) {
    const message = 'sunrise and sunset need location: [latitude, longitude]';
    report([...path, 'when', 'schedule'], message, ['location']);
  }
  if (when.time_zone !== null && when.schedule.length === 0) {
    const schedule = [...path, 'when', 'schedule'].join('.');
    report([...path, 'when', 'time_zone'], 'has no effect without a schedule', [schedule]);
  }
}

/** Zones of the cameras of a rule; null: of all. */
function zonesOf(config: Config, cameras: readonly string[] | null): readonly string[] {
  return Object.entries(config.cameras)
    .filter(([name]) => cameras === null || cameras.includes(name))
    .flatMap(([, camera]) => ('zones' in camera ? Object.keys(camera.zones ?? {}) : []));
}

function checkTexts(rule: Rule, path: readonly string[], report: Report): void {
  for (const key of ['title', 'message'] as const) checkTemplate(rule[key], [...path, key], report);
}

function checkTemplate(template: string, path: readonly string[], report: Report): void {
  for (const field of unknownFields(template)) {
    const quoted = JSON.stringify(`{{${field.slice(0, 40)}}}`);
    const message = strange(`${quoted} is no field`, field, TEMPLATE_FIELDS);
    report(path, `${message}; the fields are ${TEMPLATE_FIELDS.join(', ')}`);
  }
}

function checkChannels(rule: Rule, path: readonly string[], config: Config, report: Report): void {
  const channels = wantedChannels(rule.to);
  if (channels.length === 0) {
    const all = Object.keys(rule.to);
    // A channel that was written wrongly is told already.
    const keys = [...channelKeys(rule), ...all.map((name) => [name])];
    const written = keys.map((key) => [...path, 'to', ...key].join('.'));
    report(
      [...path, 'to'],
      `expected at least one channel of ${all.join(', ')}; homeassistant needs enabled: true`,
      written,
    );
  }
  for (const channel of channels) checkChannel(rule, channel, [...path, 'to'], report);
  const { webhook } = rule.to;
  const wantsPicture = channels.some(({ name }) => name === 'webhook') && webhook.body !== 'json';
  if (wantsPicture && !(config.store.pictures.enabled && rule.picture)) {
    const key = [...path, 'to', 'webhook', 'body'];
    report(key, 'needs store.pictures.enabled and the rule’s picture: there would never be one');
  }
}

function checkChannel(
  rule: Rule,
  channel: WantedChannel,
  path: readonly string[],
  report: Report,
): void {
  const values: Readonly<Record<string, unknown>> = rule.to[channel.name];
  const own = [...path, channel.name];
  for (const { key, message } of channel.faults) report([...own, ...key], message);
  for (const name of channel.secrets) {
    const [value, file] = [values[name] ?? null, values[`${name}_file`] ?? null];
    if (value === null || file === null) continue;
    report([...own, `${name}_file`], `it is given twice, also by ${[...own, name].join('.')}`);
  }
  const files = Object.keys(values.header_files ?? {});
  for (const header of files.filter((each) => Object.hasOwn(values.headers ?? {}, each))) {
    report([...own, 'header_files', header], `it is given twice, also in ${own.join('.')}.headers`);
  }
  for (const [key, template] of channel.templates) {
    checkTemplate(template, [...own, ...key.split('.')], report);
  }
}

/** Keys of all channels: where one of them is wrong, nobody knows what is missing. */
function channelKeys(rule: Rule): readonly (readonly string[])[] {
  return Object.entries(rule.to).flatMap(([name, values]) =>
    Object.keys(values).map((key) => [name, key]),
  );
}

function strange(what: string, word: string, known: readonly string[]): string {
  const near = nearestOf(word, known);
  if (near !== null) return `${what}; did you mean ${near}?`;
  return known.length === 0 ? `${what}; there is none at all` : what;
}
