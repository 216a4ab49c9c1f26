import { discoveryTopic } from '../../mqtt/home-assistant/home-assistant.js';
import { leaveFormerName, type Whereabouts } from '../../mqtt/publish/former-name.js';
import type { Context } from '../context.js';
import type { StopOutput } from './output.js';

/** Setting that remembers under which names this board was last found. */
const SETTING = 'mqtt/whereabouts';

/** Takes back from the broker what was said under a former name of this board. */
export function startFormerName({
  config,
  messaging,
  store,
  log,
}: Pick<Context, 'config' | 'messaging' | 'store' | 'log'>): StopOutput {
  const { connection, topics } = messaging;
  const { settings } = store;
  const leaving = leaveFormerName({
    connection,
    now: {
      root: topics.root,
      discovery: discoveryTopic(config.homeassistant.prefix, config.node),
    },
    recall: () => namesIn(settings.get(SETTING)),
    remember: (names) => void settings.set(SETTING, JSON.stringify(names)),
    log: log.child({ part: 'mqtt' }),
  });
  return () => leaving.close();
}

function namesIn(text: string | null): Whereabouts | null {
  if (text === null) return null;
  try {
    const { root, discovery }: Partial<Whereabouts> = JSON.parse(text);
    return typeof root === 'string' && typeof discovery === 'string' ? { root, discovery } : null;
  } catch {
    return null;
  }
}
