/** Share of those for which something holds, 0 to 1; 0 of none. */
export function share<T>(all: readonly T[], holds: (one: T) => boolean): number {
  return all.length === 0 ? 0 : all.filter(holds).length / all.length;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Percent of shares, with half the width of the 95 % interval of their mean. */
export function interval(values: readonly number[]): [number, number] {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const variance = squares / (values.length - 1);
  return [round(100 * middle), round(196 * Math.sqrt(variance / values.length))];
}

/** To two decimals. */
export function round(value: number): number {
  return Number(value.toFixed(2));
}
