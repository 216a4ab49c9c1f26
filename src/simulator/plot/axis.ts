/** A scale from values to pixels. */
export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** `count` or fewer round values (1, 2, 2.5 or 5 times a power of ten apart) inside [low, high]. */
export function roundTicks(low: number, high: number, count: number): number[] {
  const rough = Math.max(high - low, 1e-9) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find((factor) => factor * power >= rough - 1e-12) ?? 10);
  return multiples(low, high, step);
}

/** Ticks of an axis of seconds: whole minutes or hours apart. */
export function timeTicks(fromS: number, untilS: number, count: number): number[] {
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 240, 480].map((minutes) => minutes * 60);
  const rough = (untilS - fromS) / Math.max(1, count);
  return multiples(fromS, untilS, steps.find((step) => step >= rough) ?? 86_400);
}

function multiples(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

/** From values upward to pixels, `bottom` being at or below the lowest and `top` above all. */
export function upward(
  low: number,
  high: number,
  top: number,
  bottom: number,
  count: number,
): Axis {
  const span = Math.max(high - low, 1e-9);
  return {
    low,
    high,
    ticks: roundTicks(low, high, count),
    at: (value) => bottom - ((Math.min(high, Math.max(low, value)) - low) / span) * (bottom - top),
  };
}

export function rightward(fromS: number, untilS: number, left: number, right: number): Axis {
  const span = Math.max(untilS - fromS, 1e-9);
  return {
    low: fromS,
    high: untilS,
    ticks: timeTicks(fromS, untilS, 8),
    at: (value) => left + ((value - fromS) / span) * (right - left),
  };
}

/** E.g. `7.5`, `80`: no more digits than the distance of the ticks needs. */
export function tickText(value: number, ticks: readonly number[]): string {
  const step = (ticks[1] ?? 1) - (ticks[0] ?? 0);
  const digits =
    Math.abs(step - Math.round(step)) < 1e-9
      ? 0
      : Math.abs(step * 2 - Math.round(step * 2)) < 1e-9
        ? 1
        : 2;
  return value.toFixed(digits).replace('-', '−');
}

/** E.g. `40 min`; in runs of hours `3 h` or `1:30 h`. */
export function timeText(seconds: number, untilS: number): string {
  const minutes = Math.round(seconds / 60);
  if (untilS <= 2 * 3600) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`} h`;
}
