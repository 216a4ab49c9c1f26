import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { embedPictures } from '#mobilenetd/inference/embed.js';
import type { Variant } from '#mobilenetd/models/variant.js';

/** What can be shown to a network. */
export interface Picture {
  /** Names it among all others. */
  readonly key: string;
  /** Encoded. */
  bytes(): Uint8Array | Promise<Uint8Array>;
}

/** A photograph with what it shows. */
export interface Photograph extends Picture {
  readonly file: string;
  readonly label: string;
}

/**
 * Photographs of a folder of folders, evenly out of each label's, in the order of their names.
 *
 * @param each most of one label
 */
export function photographs(folder: string, each: number): Photograph[] {
  if (!existsSync(folder)) return [];
  const labels = readdirSync(folder, { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  return labels
    .map(({ name }) => name)
    .sort()
    .flatMap((label) => {
      const files = readdirSync(join(folder, label)).sort();
      const count = Math.min(each, files.length);
      return Array.from({ length: count }, (_, index) => {
        const name = files[Math.floor((index * files.length) / count)] as string;
        const file = join(folder, label, name);
        return { file, key: file, label, bytes: () => readFileSync(file) };
      });
    });
}

/** Where embeddings of pictures are kept between runs. */
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mobilenetd', 'teach');

/** Embeddings of pictures by a variant, from the cache where they were made before. */
export async function embeddings(
  variant: Variant,
  pictures: readonly Picture[],
): Promise<Float32Array[]> {
  const hash = createHash('sha256').update(`${variant.sha256} ${variant.size} 3`);
  for (const { key } of pictures) hash.update(`\n${key}`);
  const cached = join(CACHE, `${variant.name}-${hash.digest('hex').slice(0, 16)}.f32`);
  if (!existsSync(cached)) {
    const made: Float32Array[] = [];
    for await (const embedding of embedPictures(variant, read(pictures), { nice: 0 })) {
      made.push(embedding);
    }
    mkdirSync(CACHE, { recursive: true });
    const width = made[0]?.length ?? 0;
    const whole = new Float32Array(width * made.length);
    for (const [index, row] of made.entries()) whole.set(row, index * width);
    writeFileSync(cached, new Uint8Array(whole.buffer));
  }
  const stored = readFileSync(cached);
  const whole = new Float32Array(stored.buffer, stored.byteOffset, stored.byteLength / 4);
  const width = whole.length / Math.max(1, pictures.length);
  return pictures.map((_, index) => whole.slice(index * width, (index + 1) * width));
}

async function* read(pictures: readonly Picture[]): AsyncGenerator<Uint8Array> {
  for (const picture of pictures) yield await picture.bytes();
}
