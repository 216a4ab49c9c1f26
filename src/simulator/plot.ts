import type { Point } from './run.js';

const WIDTH = 960;
const LEFT = 56;
const RIGHT = 16;
const PANEL = 150;
const GAP = 46;
const TOP = 40;
const COLOURS = ['#c0392b', '#2c7fb8', '#31a354', '#756bb1'];

interface Line {
  readonly name: string;
  readonly values: readonly number[];
  readonly dashed?: boolean;
  readonly steps?: boolean;
}

/** A picture of a run: temperatures, budget, and rungs over time, as a standalone SVG. */
export function plotRun(
  points: readonly Point[],
  about: { readonly title: string; readonly limitC: number; readonly marginC: number },
): string {
  const drawn = thin(points, 1200);
  const times = drawn.map((p) => p.timeS);
  const panels: [string, Line[]][] = [
    [
      '°C',
      [
        { name: 'die', values: drawn.map((p) => p.dieC) },
        { name: 'limit', values: drawn.map(() => about.limitC), dashed: true },
        {
          name: 'limit − margin',
          values: drawn.map(() => about.limitC - about.marginC),
          dashed: true,
        },
        { name: 'ambient', values: drawn.map((p) => p.ambientC) },
      ],
    ],
    [
      'load',
      [
        { name: 'budget', values: drawn.map((p) => p.budget) },
        { name: 'other programs', values: drawn.map((p) => p.foreign) },
      ],
    ],
    [
      'rung',
      [
        { name: 'lower rung', values: drawn.map((p) => p.low), steps: true },
        { name: 'upper rung', values: drawn.map((p) => p.high), steps: true },
      ],
    ],
    [
      'frames/s',
      [
        { name: 'asked for', values: drawn.map((p) => p.requestedFps), dashed: true },
        { name: 'delivered', values: drawn.map((p) => p.deliveredFps) },
      ],
    ],
  ];
  const height = TOP + panels.length * (PANEL + GAP);
  const body = panels.map(([unit, lines], i) => panel(unit, lines, times, TOP + i * (PANEL + GAP)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="22" font-size="15">${escapeXml(about.title)}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function panel(
  unit: string,
  lines: readonly Line[],
  times: readonly number[],
  top: number,
): string {
  const values = lines.flatMap((line) => line.values);
  const low = Math.min(
    0 < Math.min(...values) && unit !== '°C' ? 0 : Math.min(...values),
    Math.max(...values) - 1e-6,
  );
  const high = Math.max(...values, low + 1e-3);
  const first = times[0] ?? 0;
  const span = Math.max(1, (times[times.length - 1] ?? 1) - first);
  const x = (t: number): number => LEFT + ((t - first) / span) * (WIDTH - LEFT - RIGHT);
  const y = (v: number): number => top + PANEL - ((v - low) / (high - low)) * PANEL;
  const parts = [
    `<rect x="${LEFT}" y="${top}" width="${WIDTH - LEFT - RIGHT}" height="${PANEL}" fill="none" stroke="#cccccc"/>`,
    text(8, top + 10, format(high)),
    text(8, top + PANEL, format(low)),
    text(8, top + PANEL / 2, unit),
    text(LEFT, top + PANEL + 14, clock(first)),
    text(WIDTH - RIGHT - 40, top + PANEL + 14, clock(first + span)),
  ];
  lines.forEach((line, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const dash = line.dashed === true ? ' stroke-dasharray="5 4"' : '';
    const path = line.values
      .map((v, k) => {
        const point = `${x(times[k] ?? 0).toFixed(1)} ${y(v).toFixed(1)}`;
        if (k === 0) return `M${point}`;
        return line.steps === true
          ? `H${x(times[k] ?? 0).toFixed(1)}V${y(v).toFixed(1)}`
          : `L${point}`;
      })
      .join('');
    parts.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.4"${dash}/>`);
    parts.push(
      `<text x="${LEFT + 110 + i * 130}" y="${top + PANEL + 14}" fill="${colour}">${escapeXml(line.name)}</text>`,
    );
  });
  return parts.join('\n');
}

function text(x: number, y: number, value: string): string {
  return `<text x="${x}" y="${y}" fill="#555555">${escapeXml(value)}</text>`;
}

function format(value: number): string {
  return Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(2);
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)} min`;
}

function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function thin(points: readonly Point[], most: number): Point[] {
  const every = Math.max(1, Math.ceil(points.length / most));
  return points.filter((_, i) => i % every === 0);
}
