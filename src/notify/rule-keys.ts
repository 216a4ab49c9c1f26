import type { Format } from '../schema/format.js';
import { boolean, integer, list, nullable, number, oneOrMany, text } from '../schema/format.js';
import type { ValueOf } from '../schema/section.js';
import { key } from '../schema/section.js';
import { label, timeZone, topicName } from '../schema/text.js';
import { CHANNEL_KEYS } from './registry.js';
import { TEMPLATE_FIELDS } from './template.js';

const names = (one: Format<string>, what: string) =>
  nullable(oneOrMany(one, list(one, what, { min: 1, max: 256 })));

const template = text('text', /\S/u, 1000);

/** A time of day or a span of the sun; the schema of cameras has the same. */
export function ruleKeys(scheduleSpan: Format<string>) {
  return {
    enabled: key(boolean, true, 'false keeps the rule in the file but does not follow it.'),
    when: {
      camera: key(names(topicName, 'cameras'), null, 'At these cameras; null: at any.'),
      label: key(names(label, 'labels'), null, 'Of these labels or groups; null: of any.'),
      zone: key(names(topicName, 'zones'), null, 'Once it has been in one of these zones.'),
      sub_label: key(
        names(label, 'labels'),
        null,
        'Once the second model or a teacher calls it one of these.',
      ),
      score: key(number(0, 1), 0, 'Once its best score is at least this.'),
      schedule: key(
        list(
          scheduleSpan,
          'spans such as "mon-fri 08:00-18:00", "22:00-06:00" or "sunset - sunrise"',
          { max: 64 },
        ),
        [],
        'In these times; empty: at any.',
      ),
      time_zone: key(
        nullable(timeZone),
        null,
        "Whose clock the schedule is read on; null takes the system's.",
      ),
      dwell: key(
        number(0, 86_400, 'seconds'),
        0,
        'Once all of this has been so, and it is still there, for so many seconds.',
      ),
    },
    cooldown: key(
      number(0, 86_400, 'seconds'),
      60,
      'After a notification none of the same label at the same camera for so many seconds. One object never causes two.',
    ),
    title: key(
      template,
      '{{label}} at {{camera_name}}',
      `Title, with {{fields}}: ${TEMPLATE_FIELDS.join(', ')}.`,
    ),
    message: key(template, '{{percent}} % sure, {{time}}', 'Text, with {{fields}}.'),
    picture: key(boolean, true, 'Attach the picture of the event.'),
    max_age: key(
      integer(10, 604_800, 'seconds'),
      3600,
      'What could not be delivered for so long is given up: an old alarm is none.',
    ),
    to: CHANNEL_KEYS,
  } as const;
}

export type RuleConfig = ValueOf<ReturnType<typeof ruleKeys>>;

/** One name, several, or (null) any. */
export function namesIn(value: string | readonly string[] | null): readonly string[] | null {
  if (value === null) return null;
  return typeof value === 'string' ? [value] : value;
}
