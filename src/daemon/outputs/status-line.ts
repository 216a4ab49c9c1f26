export interface StatusFacts {
  /** Variant that labels the better frames. */
  readonly alpha: number | null;
  /** Input side, pixels. */
  readonly size: number;
  /** Frames labelled a second. */
  readonly fps: number;
  /** °C; null without a sensor. */
  readonly temperature: number | null;
  /** Labels that are present, over all cameras. */
  readonly labels: readonly string[];
  /** Names of cameras that deliver nothing, with the reason: `front offline`. */
  readonly away: readonly string[];
}

const MAX_LABELS = 5;

/** One line for `systemctl status`, e.g. `0.75/192 · 9.8 fps · 64 °C · person`. */
export function statusLine(facts: StatusFacts): string {
  const { alpha, size, fps, temperature, labels, away } = facts;
  const names = [...new Set(labels)];
  const more = names.length - MAX_LABELS;
  return [
    alpha === null ? `${size} px` : `${alpha}/${size}`,
    `${fps.toFixed(1)} fps`,
    ...(temperature === null ? [] : [`${Math.round(temperature)} °C`]),
    ...(names.length === 0 ? [] : [names.slice(0, MAX_LABELS).join(', ')]),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...away,
  ].join(' · ');
}
