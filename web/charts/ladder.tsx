import type { Rung } from '../types.js';
import { shortName, WORDS } from '../words.js';

const WIDTH = 480;
const HEIGHT = 280;
const LEFT = 48;
const RIGHT = 24;
const TOP = 24;
const BOTTOM = 44;

interface Dot extends Rung {
  readonly cost: number;
  readonly worth: number;
}

/**
 * Cost against accuracy: every network this board can run, the hull of those that are worth running, and
 * the present mix as a point on it.
 */
export function LadderChart({ rungs }: { readonly rungs: readonly Rung[] }) {
  const dots = rungs.flatMap((rung): Dot[] =>
    rung.cost_ms === null || rung.accuracy === null
      ? []
      : [{ ...rung, cost: rung.cost_ms, worth: rung.accuracy }],
  );
  if (dots.length === 0) return <p class="muted">{WORDS.heat.noLadder}</p>;
  const scale = scaleOf(dots);
  const mixed = mixOf(dots);
  const point = ({ cost, worth }: { readonly cost: number; readonly worth: number }) =>
    `${scale.x(cost)},${scale.y(worth)}`;
  return (
    <svg class="ladder" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summary(dots)}>
      {scale.yTicks.map((tick) => (
        <g key={tick}>
          <line
            x1={LEFT}
            x2={WIDTH - RIGHT}
            y1={scale.y(tick)}
            y2={scale.y(tick)}
            class="grid-line"
          />
          <text x={LEFT - 8} y={scale.y(tick) + 4} class="tick end">
            {Math.round(tick)} %
          </text>
        </g>
      ))}
      {scale.xTicks.map((tick) => (
        <text key={tick} x={scale.x(tick)} y={HEIGHT - BOTTOM + 20} class="tick middle">
          {tick}
        </text>
      ))}
      <text x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 6} class="axis-name middle">
        {WORDS.heat.cost}
      </text>
      <polyline points={hullOf(dots).map(point).join(' ')} class="hull" />
      {dots.map((dot) => (
        <g key={dot.name} class={dot.share > 0.005 ? 'rung in-use' : 'rung'}>
          <circle cx={scale.x(dot.cost)} cy={scale.y(dot.worth)} r={dot.share > 0.005 ? 7 : 5} />
          <text
            x={scale.x(dot.cost) + (scale.x(dot.cost) > WIDTH - 90 ? -10 : 10)}
            y={scale.y(dot.worth) + 16}
            class={scale.x(dot.cost) > WIDTH - 90 ? 'rung-name end' : 'rung-name'}
          >
            {shortName(dot.name)}
          </text>
        </g>
      ))}
      {mixed !== null && (
        <circle cx={scale.x(mixed.cost)} cy={scale.y(mixed.worth)} r="12" class="mix-ring" />
      )}
    </svg>
  );
}

function scaleOf(dots: readonly Dot[]) {
  const costs = dots.map(({ cost }) => cost);
  const worths = dots.map(({ worth }) => worth);
  const most = Math.max(...costs) * 1.1;
  const low = Math.max(0, Math.min(...worths) - 5);
  const high = Math.min(100, Math.max(...worths) + 5);
  return {
    x: (cost: number) => LEFT + (cost / most) * (WIDTH - LEFT - RIGHT),
    y: (worth: number) =>
      HEIGHT - BOTTOM - ((worth - low) / Math.max(1, high - low)) * (HEIGHT - TOP - BOTTOM),
    xTicks: ticksOf(0, most),
    yTicks: ticksOf(low, high),
  };
}

/** Round numbers between two values. */
function ticksOf(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-6)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? rough;
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) {
    ticks.push(Number(tick.toPrecision(6)));
  }
  return ticks;
}

/** The upper hull from the cheapest network to the best: every other one is beaten by a mix of two. */
function hullOf(dots: readonly Dot[]): Dot[] {
  const sorted = [...dots].sort((a, b) => a.cost - b.cost || b.worth - a.worth);
  const hull: Dot[] = [];
  for (const dot of sorted) {
    const best = hull.at(-1);
    if (best !== undefined && dot.worth <= best.worth) continue;
    while (hull.length > 1 && isBelow(hull.at(-2), hull.at(-1), dot)) hull.pop();
    hull.push(dot);
  }
  return hull;
}

function isBelow(a: Dot | undefined, b: Dot | undefined, c: Dot): boolean {
  if (a === undefined || b === undefined) return false;
  return (b.worth - a.worth) * (c.cost - a.cost) <= (c.worth - a.worth) * (b.cost - a.cost);
}

function mixOf(dots: readonly Dot[]): { readonly cost: number; readonly worth: number } | null {
  const total = dots.reduce((sum, { share }) => sum + share, 0);
  if (total <= 0) return null;
  const mean = (of: (dot: Dot) => number) =>
    dots.reduce((sum, dot) => sum + dot.share * of(dot), 0) / total;
  return { cost: mean(({ cost }) => cost), worth: mean(({ worth }) => worth) };
}

function summary(dots: readonly Dot[]): string {
  return dots
    .map(({ name, cost, worth, share }) => {
      const use = share > 0.005 ? `, ${WORDS.heat.frames(share)}` : '';
      return `${shortName(name)}: ${cost.toFixed(1)} ms, ${worth.toFixed(1)} %${use}`;
    })
    .join('; ');
}
