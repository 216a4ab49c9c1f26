import { SCENE_HEIGHT, SCENE_WIDTH, type SceneLayer } from './scene.js';

type Colour = readonly [red: number, green: number, blue: number];

/** Where a mug stands, and how it looks. */
export interface Mug {
  /** Its upper left corner in a picture of 320 × 240, and how large it is: 1 is 136 × 80. */
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  /** Light of the room, 0 to 1. */
  readonly light: number;
  /** Of the mug, the wall and the table; absent: red, blue and brown. */
  readonly colours?: readonly [mug: Colour, wall: Colour, table: Colour];
  /** Degrees by which a spoon leans to the right; null: there is none. */
  readonly spoon: number | null;
}

/** Seconds until the mug is moved, and until the spoon is taken out or put in. */
export const MUG_STEP = 1;
export const SPOON_STEP = 30;

const WOOD: Colour = [214, 160, 90];
const GLAZES: readonly Colour[] = [
  [200, 60, 50],
  [60, 110, 190],
  [235, 235, 225],
  [60, 140, 90],
  [90, 70, 120],
];
const WALLS: readonly Colour[] = [
  [190, 205, 215],
  [225, 225, 220],
  [205, 195, 205],
  [160, 185, 180],
];
const TABLES: readonly Colour[] = [
  [120, 85, 60],
  [150, 150, 155],
  [80, 90, 70],
];
const USUAL: Mug['colours'] & object = [
  [200, 60, 50],
  [190, 205, 215],
  [120, 85, 60],
];

/** A picture of 320 × 240 with a mug on a table, which may have a large wooden spoon in it. */
export function mug({ x, y, scale, light, spoon, colours = USUAL }: Mug): string {
  const shade = (colour: Colour) =>
    `rgb(${colour.map((value) => Math.round(value * light)).join()})`;
  const [glaze, wall, table] = colours.map(shade);
  const wood = shade(WOOD);
  const drawn = `<g transform="rotate(${spoon} 50 40)"><rect x="44" y="-70" width="12" height="110" fill="${wood}"/><ellipse cx="50" cy="-78" rx="22" ry="28" fill="${wood}"/></g>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240" viewBox="0 0 320 240">
<rect width="320" height="240" fill="${wall}"/>
<rect y="170" width="320" height="70" fill="${table}"/>
<g transform="translate(${x} ${y}) scale(${scale})">
${spoon === null ? '' : drawn}
<rect width="100" height="80" rx="8" fill="${glaze}"/>
<path d="M100 15 q40 5 36 30 q-4 25 -36 22" fill="none" stroke="${glaze}" stroke-width="12"/>
</g></svg>`;
}

/** Whether the spoon is in the mug, `seconds` after the start: half a minute it is, half a minute not. */
export function hasSpoon(seconds: number): boolean {
  return Math.floor(seconds / SPOON_STEP) % 2 === 0;
}

/** A mug that is moved again and again, with a spoon in it or without: what a new label can be taught from. */
export function drawMugs(seconds: number): SceneLayer[] {
  const turn = Math.floor(seconds / MUG_STEP);
  const isIn = hasSpoon(seconds);
  const svg = mug({
    x: 20 + 140 * spread(turn, Math.SQRT2),
    y: 110 + 25 * spread(turn, Math.E),
    scale: 0.8 + 0.4 * spread(turn, Math.PI),
    light: 0.65 + 0.35 * spread(turn, Math.LN2),
    colours: [among(GLAZES, turn), among(WALLS, turn), among(TABLES, turn)],
    spoon: isIn ? -25 + 50 * spread(turn, Math.LN10) : null,
  });
  const size = { x: 0, y: 0, width: SCENE_WIDTH, height: SCENE_HEIGHT };
  return [{ name: 'street', key: `mug ${turn} ${isIn}`, ...size, svg }];
}

function among(colours: readonly Colour[], turn: number): Colour {
  return colours[turn % colours.length] as Colour;
}

/** In [0, 1), evenly spread over the turns (Weyl's equidistribution of the multiples of an irrational number). */
function spread(turn: number, irrational: number): number {
  return (turn * irrational) % 1;
}
