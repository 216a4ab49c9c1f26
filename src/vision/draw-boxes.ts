/** A thing in a picture: its box, or, of a network that knows no boxes, the point in its middle. */
export interface Drawable {
  readonly label: string;
  /** 0 to 1. */
  readonly score: number;
  /** Left, top, width, height in pixels; null draws the name alone. */
  readonly box: readonly [x: number, y: number, width: number, height: number] | null;
  readonly isPoint?: boolean;
}

/** Told apart by people who do not see red and green alike (Okabe and Ito, 2008), on any picture. */
const COLOURS = ['#56b4e9', '#e69f00', '#44c9a0', '#f0e442', '#e88bc2', '#ff8c5a'];
const DARK = '#06141c';

/**
 * Boxes and names over a picture of `width` × `height` pixels, as SVG. Things of one label have one
 * colour. A name stands above its box, inside where there is no room, and below the names before it
 * where they would cover each other.
 */
export function drawBoxes(
  things: readonly Drawable[],
  { width, height }: { readonly width: number; readonly height: number },
): Buffer {
  const font = Math.max(11, Math.round(width / 40));
  const stroke = Math.max(2, Math.round(width / 320));
  const colours = coloursOf(things);
  const taken: Area[] = [];
  const names = things.map((thing) => {
    const text = `${thing.label} ${Math.round(100 * thing.score)} %`;
    const area = placeOf(
      thing,
      { width: font * (0.62 * text.length + 0.8), height: font * 1.35 },
      taken,
      { width, height },
    );
    taken.push(area);
    return { text, area, colour: colours.get(thing.label) ?? DARK };
  });
  const boxes = things.map((thing) => outline(thing, colours.get(thing.label) ?? DARK, stroke));
  const labels = names.map(
    ({ text, area: { x, y, width: w, height: h }, colour }) =>
      `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${stroke}" fill="${colour}"/>` +
      `<text x="${x + font * 0.4}" y="${y + font}" font-family="sans-serif" font-size="${font}" fill="${DARK}">${escaped(text)}</text>`,
  );
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${boxes.join('')}${labels.join('')}</svg>`,
  );
}

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function coloursOf(things: readonly Drawable[]): Map<string, string> {
  const labels = [...new Set(things.map(({ label }) => label))];
  return new Map(labels.map((label, i) => [label, COLOURS[i % COLOURS.length] ?? DARK]));
}

function outline({ box, isPoint }: Drawable, colour: string, stroke: number): string {
  if (box === null) return '';
  const [x, y, width, height] = box;
  const style = (ink: string, wide: number) => `fill="none" stroke="${ink}" stroke-width="${wide}"`;
  const shape = (ink: string, wide: number) =>
    isPoint === true
      ? `<circle cx="${x + width / 2}" cy="${y + height / 2}" r="${stroke * 4}" ${style(ink, wide)}/>`
      : `<rect x="${x}" y="${y}" width="${width}" height="${height}" ${style(ink, wide)}/>`;
  return shape(DARK, stroke * 2) + shape(colour, stroke);
}

function placeOf(
  { box }: Drawable,
  { width, height }: { readonly width: number; readonly height: number },
  taken: readonly Area[],
  picture: { readonly width: number; readonly height: number },
): Area {
  const [left, top] = box ?? [0, 0];
  const x = Math.max(0, Math.min(left, picture.width - width));
  let y = top >= height ? top - height : top;
  const covers = (area: Area) =>
    x < area.x + area.width &&
    area.x < x + width &&
    y < area.y + area.height &&
    area.y < y + height;
  for (let hit = taken.find(covers); hit !== undefined; hit = taken.find(covers)) {
    y = hit.y + hit.height + 1;
  }
  return { x, y: Math.max(0, Math.min(y, picture.height - height)), width, height };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
