import { discoveryTopic } from '../../mqtt/home-assistant/discovery.js';
import { leaveFormerName } from '../../mqtt/publish/former-topics.js';
import type { Context } from '../context.js';
import { deviceOf, formerNames, rememberNames } from './device.js';
import type { StopOutput } from './output.js';

/** Takes back from the broker what was said under a former name of this board. */
export function startFormerName(
  using: Pick<Context, 'config' | 'messaging' | 'store' | 'log'>,
): StopOutput {
  const { config, messaging, store, log } = using;
  const { connection, topics } = messaging;
  const leaving = leaveFormerName({
    connection,
    now: {
      root: topics.root,
      discovery: discoveryTopic(config.homeassistant.prefix, deviceOf(config, store).id),
    },
    recall: () => formerNames(store),
    remember: (names) => rememberNames(store, names),
    log: log.child({ part: 'mqtt' }),
  });
  return () => leaving.close();
}
