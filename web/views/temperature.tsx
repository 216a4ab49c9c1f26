import { LineChart, type Series } from '../charts/line.js';
import type { ForecastPoint, HistoryPoint } from '../types.js';
import { WORDS } from '../words.js';

/** Share of the time that is shown which lies ahead, at most: the past is what is looked at. */
const MOST_AHEAD = 0.5;

/** What is expected and can be shown beside the past. */
export function aheadOf(
  points: readonly HistoryPoint[],
  forecast: readonly ForecastPoint[],
): readonly ForecastPoint[] {
  const first = points[0]?.time ?? 0;
  const most = Math.max(60, ((points.at(-1)?.time ?? 0) - first) / 1000) * MOST_AHEAD;
  return forecast.filter(({ s }) => s > 0 && s <= most);
}

/** What the temperature was, what it may not reach, and between which values it is expected to be. */
export function TemperatureChart({
  points,
  forecast,
  span,
}: {
  readonly points: readonly HistoryPoint[];
  readonly forecast: readonly ForecastPoint[];
  readonly span: readonly [number, number];
}) {
  const last = points.at(-1);
  const ahead = aheadOf(points, forecast);
  const now = forecast.find(({ s }) => s === 0);
  const times = [
    ...points.map(({ time }) => time / 1000),
    ...ahead.map(({ s }) => (last?.time ?? 0) / 1000 + s),
  ];
  const past = (
    name: string,
    of: (point: HistoryPoint) => number | null,
    tone: Series['tone'],
  ) => ({
    name,
    values: [...points.map(of), ...ahead.map(() => (tone === 'accent' || !last ? null : of(last)))],
    tone,
  });
  const coming = (name: string, of: (point: ForecastPoint) => number, tone: Series['tone']) => ({
    name,
    values: [...points.slice(1).map(() => null), now ? of(now) : null, ...ahead.map(of)],
    tone,
  });
  const series: Series[] = [
    past(WORDS.heat.temperature, ({ temperature }) => temperature, 'accent'),
    past(WORDS.heat.limit, ({ limit }) => limit, 'limit'),
  ];
  if (points.some(({ target }) => target !== null)) {
    series.push(past(WORDS.heat.target, ({ target }) => target, 'quiet'));
  }
  const cone = series.length;
  if (ahead.length > 0) {
    series.push(coming(WORDS.heat.highest, ({ high }) => high, 'cone'));
    series.push(coming(WORDS.heat.lowest, ({ low }) => low, 'cone'));
    series.push(coming(WORDS.heat.expected, ({ expected }) => expected, 'ahead'));
  }
  return (
    <LineChart
      times={times}
      series={series}
      range={rangeOf(points)}
      format={(value) => `${value.toFixed(0)} °C`}
      height={240}
      steps={[1, 2, 5, 10, 20]}
      span={span}
      {...(ahead.length > 0 && { band: [cone, cone + 1] as const })}
    />
  );
}

function rangeOf(points: readonly HistoryPoint[]): readonly [number, number] {
  const known = points.flatMap(({ temperature, limit }) =>
    [temperature, limit].filter((value): value is number => value !== null),
  );
  return known.length === 0 ? [30, 90] : [Math.min(...known) - 3, Math.max(...known) + 3];
}
