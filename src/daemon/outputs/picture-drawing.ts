import type { PictureNote } from '../../store/picture-shelf.js';

/** Box and name over a picture, as SVG. */
export function drawing(
  note: PictureNote,
  { width, height }: { width: number; height: number },
): Buffer {
  const scale = width / note.width;
  const [x, y, w, h] = (note.box ?? [0, 0, note.width, note.height]).map((side) => side * scale);
  const text = escaped(`${note.label} ${Math.round(100 * note.score)} %`);
  const size = Math.max(12, width / 36);
  const top = Math.max(size * 1.3, y ?? 0);
  const box =
    note.box === null
      ? ''
      : `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="#4fd1bb" stroke-width="3"/>`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${box}` +
      `<text x="${(x ?? 0) + 4}" y="${top - size * 0.3}" font-family="sans-serif" font-weight="bold" ` +
      `font-size="${size}" fill="#4fd1bb" stroke="#04201b" stroke-width="3" paint-order="stroke">${text}</text></svg>`,
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
