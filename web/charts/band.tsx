import type { HistoryPoint } from '../types.js';
import { shortName, WORDS } from '../words.js';
import { runsOf } from './gaps.js';

const WIDTH = 1000;
const HEIGHT = 100;

/** How the frames were shared among networks over time, as bands that fill the height. */
export function MixBand({
  points,
  order,
  span: [from, to],
}: {
  readonly points: readonly HistoryPoint[];
  /** Names of the networks, the cheapest first. */
  readonly order: readonly string[];
  /** First and last moment that are shown, seconds since the epoch. */
  readonly span: readonly [number, number];
}) {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || last.time <= first.time) return null;
  const x = (time: number) => ((time / 1000 - from) / (to - from)) * WIDTH;
  const known = order.filter((name) => points.some((point) => shareOf(point, name) > 0));
  const names = [...new Set([...known, ...points.flatMap(({ low, high }) => [low, high])])];
  const label = names.map((name) => `${shortName(name)} ${WORDS.heat.frames(shareOf(last, name))}`);
  return (
    <>
      <svg
        class="band"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label.join(', ')}
      >
        {names.flatMap((name, index) => {
          const below = (point: HistoryPoint) =>
            names.slice(0, index).reduce((sum, each) => sum + shareOf(point, each), 0);
          return runsOf(points).map((run) => {
            // What was decided holds until the next decision.
            const edge = (of: (point: HistoryPoint) => number) =>
              run.flatMap((point, at) => {
                const y = HEIGHT * (1 - of(point));
                return [`${x(point.time)},${y}`, `${x(run[at + 1]?.time ?? point.time)},${y}`];
              });
            const top = edge((point) => below(point) + shareOf(point, name));
            const corners = [...top, ...edge(below).reverse()].join(' ');
            return (
              <polygon
                key={`${name} ${run[0]?.time}`}
                points={corners}
                style={{ fill: toneOf(index, names.length) }}
              />
            );
          });
        })}
      </svg>
      <ul class="legend">
        {names.map((name, index) => (
          <li key={name}>
            <span class="swatch" style={{ background: toneOf(index, names.length) }} />{' '}
            {shortName(name)}
          </li>
        ))}
      </ul>
    </>
  );
}

/** From the cheapest to the most accurate. */
function toneOf(index: number, count: number): string {
  const share = count < 2 ? 60 : Math.round((100 * index) / (count - 1));
  return `color-mix(in oklab, var(--most) ${share}%, var(--least))`;
}

function shareOf({ low, high, fraction }: HistoryPoint, name: string): number {
  if (low === high) return name === high ? 1 : 0;
  return name === high ? fraction : name === low ? 1 - fraction : 0;
}
