import { messageOf } from '../../errors.js';
import { boolean } from '../../schema/format.js';
import { key } from '../../schema/section.js';
import { describeChannel } from '../channel.js';
import { documentOf } from '../notice.js';

const KEYS = {
  enabled: key(
    boolean,
    false,
    'Publish on <base>/<node>/notify, which Home Assistant has as an event entity.',
  ),
} as const;

/** An event of Home Assistant, over MQTT: an automation decides who hears of it. */
export const HOME_ASSISTANT = describeChannel({
  summary: 'an event in Home Assistant, over MQTT',
  keys: KEYS,
  secrets: [],
  isWanted: ({ enabled }) => enabled,
  faults: () => [],
  templates: () => [],
  target: () => 'the topic notify',
  create(_values, { publish }) {
    return async (message) => {
      if (publish === null) {
        return { kind: 'later', why: 'the broker is not connected', afterMs: null };
      }
      try {
        await publish(documentOf(message));
        return { kind: 'done' };
      } catch (error) {
        return { kind: 'later', why: messageOf(error), afterMs: null };
      }
    };
  },
});
