/**
 * The things that the demo draws, as SVG around the origin. All of them fit a circle of radius 100 by
 * about; colours and times are parameters, so that pictures to train on can vary them.
 */

export type Lamp = 'red' | 'amber' | 'green';

/** A regular octagon around the origin with a flat top; `radius` reaches its corners. */
function octagon(radius: number, fill: string): string {
  const points = Array.from({ length: 8 }, (_, corner) => {
    const angle = (Math.PI / 8) * (2 * corner + 1);
    return `${(radius * Math.cos(angle)).toFixed(1)},${(radius * Math.sin(angle)).toFixed(1)}`;
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

/** A stop sign of radius 100, without its pole. */
export function stopSign(red = '#b8141c'): string {
  const letters = LETTERS.map(
    (path, index) => `<path d="${path}" transform="translate(${index * 29 - 53.5},-20)"/>`,
  );
  const word = `<g transform="scale(1.25)" fill="none" stroke="#fff" stroke-width="6.5">${letters.join('')}</g>`;
  return octagon(100, '#fff') + octagon(94, red) + word;
}

const LAMP_COLOURS: Readonly<Record<Lamp, readonly [lit: string, dark: string]>> = {
  red: ['#ff2d20', '#4a1512'],
  amber: ['#ffc21a', '#4a3a10'],
  green: ['#22e06a', '#0f3d20'],
};

/** Of the traffic light. */
export const HOUSING = '#24282b';

/** The three lamps, 48 × 144 with the origin at the upper left, and nothing around them. */
export function lamps(lit: Lamp): string {
  const all = (['red', 'amber', 'green'] as const).map((lamp, index) => {
    const [bright, dark] = LAMP_COLOURS[lamp];
    const y = 25.5 + index * 46.5;
    const glass = `<circle cx="24" cy="${y}" r="19.5" fill="${lamp === lit ? bright : dark}"/>`;
    const visor = `<path d="M3,${y} A21,21 0 0 1 45,${y}" fill="none" stroke="#0b0c0d" stroke-width="5"/>`;
    return glass + visor;
  });
  return all.join('');
}

/** A traffic light in its housing, 200 high. */
export function trafficLight(lit: Lamp, housing = HOUSING): string {
  const box = `<rect x="-42" y="-100" width="84" height="200" rx="13" fill="${housing}"/>`;
  return `${box}<g transform="scale(1.27) translate(-24,-72)">${lamps(lit)}</g>`;
}

/** A clock of radius 100 that shows the local time of `wallTime`, milliseconds since the epoch. */
export function clock(wallTime: number, face = '#fbfaf5'): string {
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
  return [
    '<g stroke="#181818" fill="none">',
    `<circle r="90" fill="${face}" stroke-width="9"/>`,
    ...ticks,
    hand(hours * 30, 46, 8, '#181818'),
    hand(minutes * 6, 68, 5, '#181818'),
    hand(seconds * 6, 72, 2, '#c02020'),
    '<circle r="5" fill="#181818"/></g>',
  ].join('');
}

/** A mug seen from the side and a little from above. */
export function cup(glaze = '#3f6fa8', drink = '#4a2c17'): string {
  return [
    `<path d="M52,-38 C108,-44 112,38 46,40" fill="none" stroke="${glaze}" stroke-width="17"/>`,
    `<path d="M-66,-56 L-56,66 A56,17 0 0 0 56,66 L66,-56 Z" fill="${glaze}"/>`,
    '<path d="M-58,-40 L-50,62 A50,14 0 0 0 -30,73 L-36,-38 Z" fill="#fff" opacity="0.22"/>',
    `<ellipse cy="-56" rx="66" ry="20" fill="${glaze}"/>`,
    '<ellipse cy="-56" rx="66" ry="20" fill="#fff" opacity="0.35"/>',
    `<ellipse cy="-54" rx="57" ry="15" fill="${drink}"/>`,
  ].join('');
}
