import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { timeOf } from '../words.js';

export type Tone = 'accent' | 'limit' | 'quiet' | 'cone' | 'ahead';

export interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
  readonly tone: Tone;
}

export interface LineChartProps {
  /** Seconds since the epoch, rising. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** Lowest and highest value that are always shown. */
  readonly range: readonly [number, number];
  readonly format: (value: number) => string;
  readonly height: number;
  /** Round distances between two names of the vertical axis. */
  readonly steps: readonly number[];
  /** First and last moment that are shown, seconds since the epoch; without it those of `times`. */
  readonly span?: readonly [number, number];
  /** Indices of two series between which the area is filled. */
  readonly band?: readonly [upper: number, lower: number];
}

/** Lines over time, as wide as their place. */
export function LineChart(props: LineChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const { times, series, height } = props;
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const chart = new uPlot(optionsOf(props, element.clientWidth), dataOf(props), element);
    // After uPlot's own: it empties the legend when nothing is pointed at.
    const rest = () =>
      requestAnimationFrame(() => chart.setLegend({ idx: newestOf(props) }, false));
    rest();
    element.addEventListener('mouseleave', rest);
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: element.clientWidth, height: height * enlargement() }),
    );
    observer.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => chart.redraw();
    scheme.addEventListener('change', redraw);
    return () => {
      observer.disconnect();
      scheme.removeEventListener('change', redraw);
      element.removeEventListener('mouseleave', rest);
      chart.destroy();
    };
  }, [times, series.map(({ values }) => values.at(-1)).join(), height, props.span?.[1]]);
  return <div class="chart" ref={place} role="img" aria-label={summaryOf(props)} />;
}

/** Index of the newest moment that the first line knows. */
function newestOf({ times, series }: LineChartProps): number {
  const index = series[0]?.values.findLastIndex((value) => value !== null) ?? -1;
  return index < 0 ? times.length - 1 : index;
}

function summaryOf({ series, format }: LineChartProps): string {
  return series
    .filter(({ tone }) => tone !== 'cone' && tone !== 'ahead')
    .map(({ name, values }) => {
      const last = values.findLast((value) => value !== null);
      return last == null ? name : `${name} ${format(last)}`;
    })
    .join(', ');
}

function dataOf({ times, series }: LineChartProps): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])];
}

/** Distances between two names of the time axis, s. */
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200],
  ...[1, 2, 7, 14, 28].map((days) => 86_400 * days),
];
/** Room that the name of a moment takes, pixels. */
const MOMENT_WIDTH = 92;
/** Beside the lines, as the style sheet has them for what is drawn below: the same moments above each other. */
const MARGINS = { left: 52, right: 20 };

/** What the style sheet enlarges everything by on a very wide screen; a chart has to do it itself. */
function enlargement(): number {
  return matchMedia('(min-width: 2400px)').matches ? 1.5 : 1;
}

function optionsOf(props: LineChartProps, width: number): uPlot.Options {
  const { series, range, format, height, band, steps, span } = props;
  const large = enlargement();
  const grid = { stroke: () => colour('--line'), width: 1 };
  const axis = {
    stroke: () => colour('--muted'),
    grid,
    ticks: { show: false },
    font: `${12 * large}px system-ui`,
  };
  return {
    width,
    height: height * large,
    padding: [8, MARGINS.right * large, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    legend: { show: true, live: true },
    scales: {
      x: { time: true, ...(span !== undefined && { range: () => [span[0], span[1]] }) },
      y: {
        range: (_chart, low, high) => [
          Math.min(low ?? range[0], range[0]),
          Math.max(high ?? range[1], range[1]),
        ],
      },
    },
    axes: [
      {
        ...axis,
        size: 30 * large,
        space: MOMENT_WIDTH * large,
        incrs: TIME_STEPS,
        values: momentsOf,
      },
      {
        ...axis,
        size: MARGINS.left * large,
        incrs: [...steps],
        values: (_chart, ticks) => ticks.map(format),
      },
    ],
    ...(band !== undefined && {
      bands: [{ series: [band[0] + 1, band[1] + 1], fill: () => colour('--cone') }],
    }),
    series: [
      { label: '', value: (_chart, value) => (value == null ? '' : timeOf(1000 * value)) },
      ...series.map(
        ({ name, tone }): uPlot.Series => ({
          label: name,
          stroke: () => colour(STROKES[tone]),
          width: tone === 'accent' ? 2 : 1,
          ...(tone === 'limit' && { dash: [6, 4] }),
          ...(tone === 'cone' && { width: 0 }),
          ...(tone === 'ahead' && { width: 2, dash: [2, 4] }),
          points: { show: false },
          value: (_chart, value) => (value == null ? '–' : format(value)),
        }),
      ),
    ],
  };
}

/** Names of moments on the axis: the day as well where it begins, or where days are between them. */
function momentsOf(chart: uPlot, ticks: number[]): string[] {
  const [first = 0, second = first] = ticks;
  const isDays = second - first >= 86_400;
  const isSeconds = second - first < 60;
  return ticks.map((tick) => {
    // It would be cut off.
    if (chart.valToPos(tick, 'x') > chart.over.clientWidth - MOMENT_WIDTH / 4) return '';
    const moment = new Date(1000 * tick);
    const isMidnight = moment.getHours() === 0 && moment.getMinutes() === 0;
    if (isDays || isMidnight) {
      return moment.toLocaleDateString([], { day: 'numeric', month: 'short' });
    }
    const seconds = isSeconds ? ({ second: '2-digit' } as const) : {};
    return moment.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', ...seconds });
  });
}

const STROKES: Readonly<Record<Tone, string>> = {
  accent: '--accent',
  limit: '--bad',
  quiet: '--muted',
  cone: '--accent-soft',
  ahead: '--accent',
};

/** A colour of the style sheet as it is now, so that a chart follows the theme. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
