/**
 * Bits of the Raspberry Pi firmware's `get_throttled`
 * (https://www.raspberrypi.com/documentation/computers/os.html#get_throttled). Bits 16 to 19 repeat
 * 0 to 3 "since boot": they tell a story but are no reason to act.
 */
const UNDER_VOLTAGE = 1 << 0;
const FREQUENCY_CAPPED = 1 << 1;
const THROTTLED = 1 << 2;
const SOFT_LIMIT = 1 << 3;

export interface ThrottleState {
  /** The firmware slows the clock because of heat, now. */
  readonly heat: boolean;
  /** Because of the 3A+ and 3B+'s soft limit. */
  readonly soft: boolean;
  /** The supply is too weak, now. */
  readonly undervoltage: boolean;
}

/**
 * Tells heat from power. A weak supply caps the clock too (bits 1 and 2), so beside bit 0 only the
 * soft temperature limit (bit 3) is a sign of heat.
 */
export function decodeThrottled(flags: number | null | undefined): ThrottleState {
  if (typeof flags !== 'number' || !Number.isInteger(flags) || flags < 0) {
    return { heat: false, soft: false, undervoltage: false };
  }
  const undervoltage = (flags & UNDER_VOLTAGE) !== 0;
  const slowed = (flags & (FREQUENCY_CAPPED | THROTTLED)) !== 0;
  const soft = (flags & SOFT_LIMIT) !== 0;
  return { heat: soft || (slowed && !undervoltage), soft, undervoltage };
}
