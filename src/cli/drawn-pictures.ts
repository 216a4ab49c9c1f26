import { existsSync, realpathSync } from 'node:fs';
import { basename, extname, join, parse } from 'node:path';
import { codedError } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import { resultFailed, resultStat, writeResult } from '../result-file.js';
import { type Drawable, drawBoxes } from '../vision/draw-boxes.js';

/** Kinds of pictures that are written, by the end of their name. */
const WRITTEN = ['.jpg', '.jpeg', '.png', '.webp'];
/** Wider ones are made smaller, pixels: boxes are to be looked at. */
const MOST_WIDTH = 2048;

/** Where pictures with boxes go: into one file, or into a folder under their own names. */
export interface DrawnPictures {
  /**
   * Writes a picture with boxes (in its own pixels) and returns the file's name.
   *
   * @param name the picture's file or address, or `-`
   * @throws MND_OUTPUT_FAILED; MND_USAGE if it would replace the picture itself
   */
  write(name: string, encoded: Uint8Array, things: readonly Drawable[]): Promise<string>;
}

/**
 * @param to a file for one picture; a folder (made where it is missing) for several
 * @throws MND_USAGE for a file that cannot take them, MND_OUTPUT_FAILED
 */
export function openDrawnPictures(to: string, pictures: number): DrawnPictures {
  const isFolder = to.endsWith('/') || pictures > 1 || (resultStat(to)?.isDirectory() ?? false);
  if (isFolder) makePictureFolder(to);
  else if (!WRITTEN.includes(extname(to).toLowerCase())) {
    throw codedError('MND_USAGE', {
      subject: `--draw ${to}`,
      expected: `a file that ends with ${WRITTEN.join(', ')}, or a folder (${to}/)`,
      found: extname(to) || 'no ending',
    });
  }
  const used = new Set<string>();
  return {
    async write(name, encoded, things) {
      const file = isFolder ? join(to, freeName(name, used)) : to;
      if (isSame(file, name)) {
        throw codedError('MND_USAGE', {
          subject: `--draw ${to}`,
          expected: 'another file than the picture itself',
          found: name,
        });
      }
      writeResult(file, await withBoxes(encoded, things, extname(file).toLowerCase()));
      return file;
    },
  };
}

function makePictureFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw resultFailed(folder, cause);
  }
}

/** The picture's own name; pictures of one name from several folders are numbered. */
function freeName(name: string, used: Set<string>): string {
  const path = URL.canParse(name) ? new URL(name).pathname : name;
  const stem = path === '-' ? 'picture' : parse(basename(path)).name || 'picture';
  let free = stem;
  for (let n = 2; used.has(free); n += 1) free = `${stem}-${n}`;
  used.add(free);
  return `${free}.jpg`;
}

function isSame(file: string, picture: string): boolean {
  return existsSync(file) && existsSync(picture) && realpathSync(file) === realpathSync(picture);
}

async function withBoxes(
  encoded: Uint8Array,
  things: readonly Drawable[],
  extension: string,
): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  const upright = sharp(encoded).autoOrient().flatten({ background: 'white' });
  const { autoOrient } = await sharp(encoded).metadata();
  const { data, info } = await upright
    .resize({ width: MOST_WIDTH, withoutEnlargement: true })
    .png({ compressionLevel: 0 })
    .toBuffer({ resolveWithObject: true });
  const scale = info.width / (autoOrient?.width ?? info.width);
  const input = drawBoxes(
    things.map((thing) => ({ ...thing, box: scaled(thing.box, scale) })),
    info,
  );
  const picture = sharp(data).composite([{ input }]);
  if (extension === '.png') return picture.png().toBuffer();
  if (extension === '.webp') return picture.webp({ quality: 85 }).toBuffer();
  return picture.jpeg({ quality: 88 }).toBuffer();
}

function scaled(box: Drawable['box'], scale: number): Drawable['box'] {
  if (box === null) return null;
  const [x, y, width, height] = box;
  return [x * scale, y * scale, width * scale, height * scale];
}
