/** How far a single reading can be believed; time tells more (see choice.ts). */
export interface Belief {
  /** `no`: never a processor's temperature. `doubtful`: only where there is nothing better. */
  readonly trust: 'yes' | 'doubtful' | 'no';
  /** Why it is not believed; null when it is. */
  readonly doubt: string | null;
}

const COLDEST_C = -40;
const HOTTEST_C = 125;
/**
 * Some old kernels say 52 for 52 °C where thousandths are meant (sysfs-class-thermal). A processor that passes
 * through so little in frost was believed before.
 */
const LEAST_C = 1;
/** What firmware reports in the place of a sensor that the board does not have, °C. */
const PLACEHOLDERS_C = [16.8, 27.8, 29.8];
const PLACEHOLDER_TYPE = 'acpitz';

const BELIEVED: Belief = { trust: 'yes', doubt: null };

/**
 * @param tempC °C; null: it could not be read
 * @param type kind of zone or chip
 * @param hasMoved it has been seen to change: then it is neither a placeholder nor an empty register
 */
export function believe(tempC: number | null, type: string, hasMoved = false): Belief {
  if (tempC === null) return { trust: 'no', doubt: 'it cannot be read' };
  if (!(tempC >= COLDEST_C && tempC <= HOTTEST_C)) {
    return { trust: 'no', doubt: 'no processor works at that temperature' };
  }
  if (tempC !== 0 && Math.abs(tempC) < LEAST_C) {
    return { trust: 'no', doubt: 'so small a number is no processor’s, unless in whole degrees' };
  }
  if (hasMoved) return BELIEVED;
  if (tempC === 0) return { trust: 'no', doubt: 'exactly 0 is what a dead sensor reads' };
  if (tempC < 0)
    return { trust: 'doubtful', doubt: 'a running processor is that cold in frost only' };
  if (type === PLACEHOLDER_TYPE && PLACEHOLDERS_C.includes(tempC)) {
    return { trust: 'doubtful', doubt: 'many boards report just this number without any sensor' };
  }
  return BELIEVED;
}
