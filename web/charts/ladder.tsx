import { useEffect, useState } from 'preact/hooks';
import type { Rung } from '../types.js';
import { shortName, WORDS } from '../words.js';

/** Of the drawing in pixels; letters have the same size at every width. */
const WIDTHS = [240, 1100] as const;
const HEIGHT = 300;
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
  const [place, width] = useWidth();
  const dots = rungs.flatMap((rung): Dot[] =>
    rung.cost_ms === null || rung.accuracy === null
      ? []
      : [{ ...rung, cost: rung.cost_ms, worth: rung.accuracy }],
  );
  if (dots.length === 0) return <p class="muted">{WORDS.heat.noLadder}</p>;
  const scale = scaleOf(dots, width);
  const mixed = mixOf(dots);
  const hull = hullOf(dots);
  const point = ({ cost, worth }: { readonly cost: number; readonly worth: number }) =>
    `${scale.x(cost)},${scale.y(worth)}`;
  return (
    <div ref={place} class="stack">
      <p class="muted">{WORDS.heat.ladderText}</p>
      <svg
        class="ladder"
        width={width}
        height={HEIGHT}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={summary(dots)}
      >
        {scale.yTicks.map((tick) => (
          <g key={tick}>
            <line
              x1={LEFT}
              x2={width - RIGHT}
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
        <text x={(LEFT + width - RIGHT) / 2} y={HEIGHT - 6} class="axis-name middle">
          {WORDS.heat.cost}
        </text>
        <polyline points={hull.map(point).join(' ')} class="hull" />
        {dots.map((dot) => (
          <circle
            key={dot.name}
            cx={scale.x(dot.cost)}
            cy={scale.y(dot.worth)}
            r={dot.share > USED ? 7 : 5}
            class={classOf(dot, hull)}
          >
            <title>{textOf(dot)}</title>
          </circle>
        ))}
        {named(dots, hull, scale).map(({ dot, x, y, isEnd }) => (
          <text key={dot.name} x={x} y={y} class={isEnd ? 'rung-name end' : 'rung-name'}>
            {shortName(dot.name)}
          </text>
        ))}
        {mixed !== null && (
          <circle cx={scale.x(mixed.cost)} cy={scale.y(mixed.worth)} r="12" class="mix-ring" />
        )}
      </svg>
    </div>
  );
}

/** A share of the frames from which a network is in use. */
const USED = 0.005;

function classOf(dot: Dot, hull: readonly Dot[]): string {
  if (dot.share > USED) return 'rung in-use';
  return hull.includes(dot) ? 'rung' : 'rung beaten';
}

interface Name {
  readonly dot: Dot;
  readonly x: number;
  readonly y: number;
  readonly isEnd: boolean;
}

/** Names of what is worth running or runs, left out where they would lie on another. */
function named(dots: readonly Dot[], hull: readonly Dot[], scale: Scale): readonly Name[] {
  const wanted = dots
    .filter((dot) => dot.share > USED || hull.includes(dot))
    .sort((a, b) => b.share - a.share || b.worth - a.worth);
  const placed: Name[] = [];
  for (const dot of wanted) {
    const x = scale.x(dot.cost);
    const isEnd = x > LEFT + NAME_WIDTH + 12;
    const name = { dot, x: isEnd ? x - 10 : x + 12, y: scale.y(dot.worth) - 8, isEnd };
    const isFree = placed.every(
      (other) => Math.abs(other.y - name.y) > 14 || Math.abs(other.x - name.x) > NAME_WIDTH,
    );
    if (isFree) placed.push(name);
  }
  return placed;
}

const NAME_WIDTH = 56;

/** Width of an element, as it is and becomes. */
function useWidth(): [(element: HTMLElement | null) => void, number] {
  const [width, setWidth] = useState(480);
  const [element, setElement] = useState<HTMLElement | null>(null);
  useEffect(() => {
    if (element === null) return undefined;
    const [least, most] = WIDTHS;
    const measure = () => setWidth(Math.min(most, Math.max(least, element.clientWidth)));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, width];
}

type Scale = ReturnType<typeof scaleOf>;

function scaleOf(dots: readonly Dot[], width: number) {
  const costs = dots.map(({ cost }) => cost);
  const worths = dots.map(({ worth }) => worth);
  const most = Math.max(...costs) * 1.1;
  const low = Math.max(0, Math.min(...worths) - 5);
  const high = Math.min(100, Math.max(...worths) + 5);
  return {
    x: (cost: number) => LEFT + (cost / most) * (width - LEFT - RIGHT),
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
  return dots.map(textOf).join('; ');
}

function textOf({ name, cost, worth, share }: Dot): string {
  const use = share > USED ? `, ${WORDS.heat.frames(share)}` : '';
  return `${shortName(name)}: ${cost.toFixed(1)} ms, ${worth.toFixed(1)} %${use}`;
}
