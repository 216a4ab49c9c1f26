/** Milli-degrees with a newline, as sysfs writes them; °C, or null for anything else. */
export function parseMilliDegrees(text: string): number | null {
  const trimmed = text.trim();
  if (!/^-?\d{1,7}$/.test(trimmed)) return null;
  return Number(trimmed) / 1000;
}
