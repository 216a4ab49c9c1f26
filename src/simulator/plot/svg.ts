/** A corner of a line, in pixels; y is null where there is nothing to draw. */
export interface Corner {
  readonly x: number;
  readonly y: number | null;
}

/** The colours of the runs or lines of a panel, in order; `style` has them for light and dark. */
export const COLOURS = ['a', 'b', 'c', 'd', 'e'] as const;
export type Colour = (typeof COLOURS)[number];

const LIGHT = {
  ground: '#ffffff',
  ink: '#1f2328',
  pale: '#59636e',
  grid: '#d8dee4',
  hot: '#a40e26',
  series: ['#1f6feb', '#bc4c00', '#1a7f37', '#8250df', '#6e7781'],
};
const DARK = {
  ground: '#0d1117',
  ink: '#e6edf3',
  pale: '#9da7b3',
  grid: '#30363d',
  hot: '#ff7b72',
  series: ['#79c0ff', '#ffa657', '#56d364', '#d2a8ff', '#b1bac4'],
};

function rules(theme: typeof LIGHT): string {
  return [
    `.ground{fill:${theme.ground}}`,
    `text{fill:${theme.ink}}`,
    `.pale{fill:${theme.pale}}`,
    `.grid{stroke:${theme.grid}}`,
    `.frame{stroke:${theme.pale}}`,
    `.limit{stroke:${theme.hot}}`,
    `.limit-text{fill:${theme.hot}}`,
    ...COLOURS.flatMap((name, i) => [
      `.${name}{stroke:${theme.series[i]}}`,
      `.${name}-fill{fill:${theme.series[i]}}`,
    ]),
  ].join('');
}

/** Follows the reader's theme where the viewer knows one, and is light elsewhere. */
export const STYLE = [
  '<style>',
  'text{font:12px system-ui,sans-serif;font-variant-numeric:tabular-nums}',
  '.title{font-size:15px;font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}',
  '.line,.frame,.grid,.limit{fill:none;stroke-width:1.3}.bold{stroke-width:2}.grid{stroke-width:1}',
  '.dashed{stroke-dasharray:5 4}.dotted{stroke-dasharray:1.5 3}.area{fill-opacity:.22}',
  rules(LIGHT),
  `@media(prefers-color-scheme:dark){${rules(DARK)}}`,
  '</style>',
].join('');

export function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export function text(x: number, y: number, value: string, classes = ''): string {
  const as = classes === '' ? '' : ` class="${classes}"`;
  return `<text x="${round(x)}" y="${round(y)}"${as}>${escapeXml(value)}</text>`;
}

export function segment(
  from: readonly [number, number],
  to: readonly [number, number],
  classes: string,
): string {
  return `<path d="M${round(from[0])} ${round(from[1])}L${round(to[0])} ${round(to[1])}" class="${classes}"/>`;
}

/** A line through corners; with `steps` each value holds until the next one. */
export function line(corners: readonly Corner[], classes: string, steps = false): string {
  const stepped = steps ? corners.flatMap(held) : corners;
  return `<path d="${pathOf(stepped)}" class="line ${classes}"/>`;
}

/** The area between two lines over the same corners. */
export function area(
  lower: readonly Corner[],
  upper: readonly Corner[],
  classes: string,
  steps = false,
): string {
  const [under, over] = steps ? [lower.flatMap(held), upper.flatMap(held)] : [lower, upper];
  return `<path d="${pathOf([...over, ...[...under].reverse()])}Z" class="area ${classes}"/>`;
}

/** A corner as a step: first the value before at this place, then its own. */
function held(corner: Corner, index: number, all: readonly Corner[]): Corner[] {
  const before = all[index - 1];
  return before === undefined ? [corner] : [{ x: corner.x, y: before.y }, corner];
}

/** Leaves out corners that lie on a level line: most lines of a calm run are level for long. */
function pathOf(corners: readonly Corner[]): string {
  let path = '';
  let pen = 'M';
  corners.forEach((corner, i) => {
    if (corner.y === null) {
      pen = 'M';
      return;
    }
    const y = round(corner.y);
    const [before, after] = [corners[i - 1]?.y ?? null, corners[i + 1]?.y ?? null];
    const level = before !== null && after !== null && round(before) === y && round(after) === y;
    if (level && pen === 'L') return;
    path += `${pen}${round(corner.x)} ${y}`;
    pen = 'L';
  });
  return path;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
