import { messageOf } from '../../errors.js';
import { type Log, SILENT } from '../../log.js';
import { backgroundClock, type Clock } from '../../time.js';
import type { Connection, IncomingMessage } from '../connection/connection.js';
import { createSilence } from '../silence.js';

/** Under which names a board is found on a broker: what its configuration comes to. */
export interface BoardNames {
  /** `<base>/<node>`. */
  readonly root: string;
  /** Topic of its message to Home Assistant. */
  readonly discovery: string;
}

export interface FormerNameOptions {
  readonly connection: Connection;
  readonly now: BoardNames;
  /** The names under which topics were last published; null when nobody knows. */
  readonly recall: () => BoardNames | null;
  readonly remember: (names: BoardNames) => void;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** Silence after which the broker is taken to have sent what it had retained. */
const QUIET_MS = 500;
const MAX_TOPICS = 4096;

/**
 * After a change of `node`, `mqtt.base` or `homeassistant.prefix`: takes back what the broker has
 * retained under the former name, and with it the device that Home Assistant knows by it. Only done
 * when the former name's `state` is not `online`: else another board has taken it. One that has it and
 * happens to be away says everything again when it is back.
 *
 * Tried after every connect until it has been done; a broker that refuses (access rules) is asked again
 * after the next start.
 */
export function leaveFormerName(options: FormerNameOptions): { close(): void } {
  const { connection, now } = options;
  const clock = options.clock ?? backgroundClock;
  const log = options.log ?? SILENT;
  let settled = false;
  let looking = false;

  /** Everything retained on the filters, once the broker has been silent for a moment. */
  async function retainedOn(filters: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const silence = createSilence(clock);
    const note = ({ topic, payload, retain }: IncomingMessage): void => {
      if (!retain || found.size >= MAX_TOPICS) return;
      found.set(topic, payload.subarray(0, 16).toString());
      silence.heard();
    };
    const subscription = await connection.subscribe(filters, note);
    await silence.fallen(QUIET_MS);
    await subscription.close();
    return found;
  }

  async function takeBack(former: BoardNames): Promise<void> {
    const state = `${former.root}/state`;
    const moved = former.root !== now.root;
    if (moved && (await retainedOn([state])).get(state) === 'online') {
      log.info({ former: former.root }, 'another board has the former name: nothing is taken back');
      return;
    }
    const filters = moved ? [`${former.root}/#`] : [];
    if (former.discovery !== now.discovery) filters.unshift(former.discovery);
    // A name below the present one (`mqtt.base` got a level more or less) is not all former.
    const found = filters.length === 0 ? [] : [...(await retainedOn(filters)).keys()];
    const gone = found.filter((topic) => !topic.startsWith(`${now.root}/`));
    for (const topic of gone) {
      await connection.publish(topic, '', { qos: 1, retain: true });
    }
    if (gone.length > 0) {
      log.info({ former: former.root, topics: gone.length }, 'took back what the former name said');
    }
  }

  async function look(): Promise<void> {
    if (settled || looking) return;
    looking = true;
    try {
      const former = options.recall();
      if (former !== null) await takeBack(former);
      if (!settled && connection.connected()) {
        settled = true;
        if (former?.root !== now.root || former.discovery !== now.discovery) options.remember(now);
      }
    } catch (error) {
      if (!settled && connection.connected()) {
        settled = true;
        log.warn({}, `what the former name said stays at the broker: ${messageOf(error)}`);
      }
    }
    looking = false;
  }

  connection.onConnect(() => void look());
  if (connection.connected()) void look();
  return {
    close() {
      settled = true;
    },
  };
}
