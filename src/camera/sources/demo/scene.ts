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

export type Lamp = 'red' | 'amber' | 'green';

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
  const shown = photoShown(phase);
  return shown === 0 ? layers : [...layers, photoLayer(shown)];
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
    `<rect width="${SCENE_WIDTH}" height="${SCENE_HEIGHT}" fill="#cfdce6"/>`,
    `<rect y="400" width="${SCENE_WIDTH}" height="80" fill="#8f9689"/>`,
    '<rect y="396" width="640" height="8" fill="#6f766b"/>',
    '<rect x="116" y="230" width="12" height="180" fill="#8a8f94"/>',
    stopSign(122, 150, 92),
    '<rect x="298" y="210" width="10" height="200" fill="#3c4043"/>',
    `<rect x="270" y="60" width="66" height="156" rx="10" fill="${HOUSING}"/>`,
  ];
  const size = { x: 0, y: 0, width: SCENE_WIDTH, height: SCENE_HEIGHT };
  const drawn = svg(SCENE_WIDTH, SCENE_HEIGHT, content.join(''));
  return { name: 'street', key: '', ...size, svg: drawn };
}

/** A regular octagon around (x, y) with a flat top; `radius` reaches its corners. */
function octagon(x: number, y: number, radius: number, fill: string): string {
  const points = Array.from({ length: 8 }, (_, corner) => {
    const angle = (Math.PI / 8) * (2 * corner + 1);
    return `${(x + radius * Math.cos(angle)).toFixed(1)},${(y + radius * Math.sin(angle)).toFixed(1)}`;
  });
  return `<polygon points="${points.join(' ')}" fill="${fill}"/>`;
}

/** The letters of STOP as strokes in cells of 20 × 40, so that no font is needed. */
const LETTERS = [
  'M18,9 C18,1 2,1 2,11 C2,21 18,19 18,29 C18,39 2,39 2,31',
  'M0,3 H20 M10,3 V40',
  'M10,3 C1,3 1,37 10,37 C19,37 19,3 10,3 Z',
  'M3,40 V3 H10 C20,3 20,22 10,22 H3',
];

function stopSign(x: number, y: number, radius: number): string {
  const letters = LETTERS.map(
    (path, index) => `<path d="${path}" transform="translate(${index * 29 - 53.5},-20)"/>`,
  );
  const word = `<g transform="translate(${x},${y}) scale(${radius / 80})" fill="none" stroke="#fff" stroke-width="6.5">${letters.join('')}</g>`;
  const plates = [octagon(x, y, radius, '#fff'), octagon(x, y, radius * 0.94, '#b8141c')];
  return plates.join('') + word;
}

const LAMP_COLOURS: Readonly<Record<Lamp, readonly [lit: string, dark: string]>> = {
  red: ['#ff2d20', '#4a1512'],
  amber: ['#ffc21a', '#4a3a10'],
  green: ['#22e06a', '#0f3d20'],
};

/** Of the traffic light. */
const HOUSING = '#24282b';

function lampsLayer(lit: Lamp): SceneLayer {
  const lamps = (['red', 'amber', 'green'] as const).map((lamp, index) => {
    const [bright, dark] = LAMP_COLOURS[lamp];
    const y = 25.5 + index * 46.5;
    const glass = `<circle cx="24" cy="${y}" r="19.5" fill="${lamp === lit ? bright : dark}"/>`;
    const visor = `<path d="M3,${y} A21,21 0 0 1 45,${y}" fill="none" stroke="#0b0c0d" stroke-width="5"/>`;
    return glass + visor;
  });
  const content = `<rect width="48" height="144" fill="${HOUSING}"/>${lamps.join('')}`;
  return { name: 'lamps', key: lit, ...LAMPS, svg: svg(LAMPS.width, LAMPS.height, content) };
}

function clockLayer(wallTime: number): SceneLayer {
  const { x, y, side } = CLOCK;
  const date = new Date(wallTime);
  const seconds = date.getSeconds();
  const minutes = date.getMinutes() + seconds / 60;
  const hours = (date.getHours() % 12) + minutes / 60;
  const ticks = Array.from({ length: 60 }, (_, minute) => {
    const [length, width] = minute % 5 === 0 ? [14, 5] : [6, 2];
    return `<path d="M0,-78 V${-78 + length}" stroke-width="${width}" transform="rotate(${minute * 6})"/>`;
  });
  const hand = (turn: number, tip: number, width: number, colour: string) =>
    `<path d="M0,14 V${-tip}" stroke="${colour}" stroke-width="${width}" stroke-linecap="round" transform="rotate(${turn.toFixed(2)})"/>`;
  const content = [
    `<rect width="${side}" height="${side}" fill="#cfdce6"/>`,
    `<g transform="translate(${side / 2},${side / 2})" stroke="#181818" fill="none">`,
    '<circle r="90" fill="#fbfaf5" stroke-width="9"/>',
    ...ticks,
    hand(hours * 30, 46, 8, '#181818'),
    hand(minutes * 6, 68, 5, '#181818'),
    hand(seconds * 6, 72, 2, '#c02020'),
    '<circle r="5" fill="#181818"/></g>',
  ];
  const key = `${date.getHours()}:${date.getMinutes()}:${seconds}`;
  const drawn = svg(side, side, content.join(''));
  return { name: 'clock', key, x, y, width: side, height: side, svg: drawn };
}

/** The photo slides in from the right edge. */
function photoLayer(shown: number): SceneLayer {
  const { y, width, height } = PHOTO;
  const x = Math.round(SCENE_WIDTH - shown * (SCENE_WIDTH - PHOTO.x));
  return { name: 'photo', key: '', x, y, width, height, svg: null };
}
