import { clock, HOUSING, type Lamp, lamps, stopSign } from './objects.js';

/** Size of the demo scene, pixels. */
export const SCENE_WIDTH = 640;
export const SCENE_HEIGHT = 480;

/**
 * An opaque rectangle of the scene, drawn as SVG or showing the photo. A layer with the same name
 * and key looks the same, wherever it is; it may reach beyond the edges of the scene.
 */
export interface SceneLayer {
  readonly name: 'street' | 'lamps' | 'clock' | 'photo';
  readonly key: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Null for the photo. */
  readonly svg: string | null;
}

/** Behind everything. */
const SKY = '#cfdce6';

/** The scene repeats after this many seconds. */
export const SCENE_PERIOD = 30;
/** Seconds of the period at which the light changes. */
const GREEN_FROM = 11;
const AMBER_FROM = 23;
const RED_FROM = 26;
/** Seconds of the period at which the photo starts to move in and out, and how long it takes. */
const PHOTO_IN = 3;
const PHOTO_OUT = 18;
const PHOTO_MOVE = 1.5;

const PHOTO = { x: 280, y: 240, width: 360, height: 240 };
const LAMPS = { x: 279, y: 66, width: 48, height: 144 };
const CLOCK = { x: 412, y: 16, side: 192 };

/** The scene `seconds` after its start, its clock showing `wallTime` (milliseconds since the epoch). */
export function drawScene(seconds: number, wallTime: number): SceneLayer[] {
  const phase = ((seconds % SCENE_PERIOD) + SCENE_PERIOD) % SCENE_PERIOD;
  const layers = [streetLayer(), lampsLayer(lampAt(phase)), clockLayer(wallTime)];
  const share = photoShown(phase);
  return share === 0 ? layers : [...layers, photoLayer(share)];
}

function lampAt(phase: number): Lamp {
  if (phase < GREEN_FROM || phase >= RED_FROM) return 'red';
  return phase < AMBER_FROM ? 'green' : 'amber';
}

/** How far the photo has come in: 0 (away) to 1 (in its place). */
function photoShown(phase: number): number {
  const into = (phase - PHOTO_IN) / PHOTO_MOVE;
  const out = 1 - (phase - PHOTO_OUT) / PHOTO_MOVE;
  return Math.max(0, Math.min(1, into, out));
}

function svg(width: number, height: number, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${content}</svg>`;
}

function streetLayer(): SceneLayer {
  const content = [
    `<rect width="${SCENE_WIDTH}" height="${SCENE_HEIGHT}" fill="${SKY}"/>`,
    `<rect y="400" width="${SCENE_WIDTH}" height="80" fill="#8f9689"/>`,
    '<rect y="396" width="640" height="8" fill="#6f766b"/>',
    '<rect x="116" y="230" width="12" height="180" fill="#8a8f94"/>',
    `<g transform="translate(122,150) scale(0.92)">${stopSign()}</g>`,
    '<rect x="298" y="210" width="10" height="200" fill="#3c4043"/>',
    `<rect x="270" y="60" width="66" height="156" rx="10" fill="${HOUSING}"/>`,
  ];
  const size = { x: 0, y: 0, width: SCENE_WIDTH, height: SCENE_HEIGHT };
  const drawn = svg(SCENE_WIDTH, SCENE_HEIGHT, content.join(''));
  return { name: 'street', key: '', ...size, svg: drawn };
}

function lampsLayer(lit: Lamp): SceneLayer {
  const content = `<rect width="48" height="144" fill="${HOUSING}"/>${lamps(lit)}`;
  return { name: 'lamps', key: lit, ...LAMPS, svg: svg(LAMPS.width, LAMPS.height, content) };
}

function clockLayer(wallTime: number): SceneLayer {
  const { x, y, side } = CLOCK;
  const date = new Date(wallTime);
  const content = [
    `<rect width="${side}" height="${side}" fill="${SKY}"/>`,
    `<g transform="translate(${side / 2},${side / 2})">${clock(wallTime)}</g>`,
  ];
  const key = `${date.getHours()}:${date.getMinutes()}:${date.getSeconds()}`;
  const drawn = svg(side, side, content.join(''));
  return { name: 'clock', key, x, y, width: side, height: side, svg: drawn };
}

/** The photo slides in from the right edge. */
function photoLayer(share: number): SceneLayer {
  const { y, width, height } = PHOTO;
  const x = Math.round(SCENE_WIDTH - share * (SCENE_WIDTH - PHOTO.x));
  return { name: 'photo', key: '', x, y, width, height, svg: null };
}
