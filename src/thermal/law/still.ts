/**
 * What a reading that has not changed for long still tells; null: nothing. A coarse sensor: the
 * temperature is within half a step. A noisy one has no business standing still: it may not argue
 * the model down.
 *
 * @param expectedC what the model expects, °C
 */
export function stillReading(
  readingC: number,
  expectedC: number,
  sensor: { readonly noisy: boolean; readonly stepC: number },
): number | null {
  if (sensor.noisy) return readingC > expectedC ? readingC : null;
  const half = sensor.stepC / 2;
  if (Math.abs(readingC - expectedC) <= half) return expectedC;
  return readingC > expectedC ? readingC - half : readingC + half;
}
