/** Tenths are what people and topics are told: a sensor's steps are coarser. */
export function tenth(value: number): number;
export function tenth(value: number | null): number | null;
export function tenth(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10;
}

/** Thousandths, for shares of a whole. */
export function thousandth(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Hundredths, for watts of a small board. */
export function hundredth(value: number): number {
  return Math.round(value * 100) / 100;
}
