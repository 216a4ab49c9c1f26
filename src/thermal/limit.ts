import { codedError } from '../errors.js';
import { DEFAULT_LIMIT_C } from './options.js';

/** Why a limit is what it is. */
export interface Limit {
  readonly limitC: number;
  /** For the log, e.g. `Raspberry Pi 3 Model B Plus: soft limit`. */
  readonly why: string;
}

/** The 3A+ and 3B+ slow down at 60 °C unless config.txt sets temp_soft_limit (up to 70). */
const SOFT_LIMIT_C = 60;
const SOFT_LIMIT_MODEL = /Raspberry Pi 3 Model [AB] Plus/i;
/** Below this a target would leave no room over a warm summer's idle board. */
export const LEAST_TARGET_C = 40;

/** What a limit and its margin must leave. */
export const ROOM = `limit − margin of at least ${LEAST_TARGET_C} °C`;

/** Whether a limit and its margin, °C, leave a board room to work in. */
export function leavesRoom(limitC: number, marginC: number): boolean {
  return Number.isFinite(limitC) && limitC - marginC >= LEAST_TARGET_C;
}

/**
 * The temperature never to reach: the user's, or the one at which this board starts to throttle.
 *
 * @param model The device tree's model; null when there is none.
 * @param marginC Distance kept from the limit.
 * @throws MND_CONFIG_INVALID when limit − margin is below 40 °C.
 */
export function limitFor(
  model: string | null,
  configured: number | 'auto',
  marginC: number,
): Limit {
  const limit =
    configured === 'auto' ? boardLimit(model) : { limitC: configured, why: 'governor.limit' };
  if (!leavesRoom(limit.limitC, marginC)) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: 'governor.limit and governor.margin',
      expected: ROOM,
      found: `${limit.limitC} − ${marginC} °C (${limit.why})`,
      next: 'raise governor.limit or lower governor.margin',
    });
  }
  return limit;
}

function boardLimit(model: string | null): Limit {
  const name = model ?? 'unknown board';
  if (SOFT_LIMIT_MODEL.test(name)) return { limitC: SOFT_LIMIT_C, why: `${name}: soft limit` };
  return { limitC: DEFAULT_LIMIT_C, why: `${name}: throttles from ${DEFAULT_LIMIT_C} °C` };
}
