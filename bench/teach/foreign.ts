import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { mulberry32 } from '#mobilenetd/simulator/random.js';
import type { Picture } from './pictures.js';

/** A picture of nothing that is taught. */
export interface Foreign extends Picture {
  /** Place of the photograph that it is a variation of, among the folder's in the order of their names. */
  readonly source: number;
}

/**
 * Variations of each photograph of a folder: another part of it, mirrored, in another light, out of focus.
 * What belongs to one photograph has one source, in the order in which scripts/teach-bank.mjs takes them.
 *
 * @param each of one photograph
 */
export function variations(folder: string, each: number): Foreign[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder)
    .filter((name) => /\.jpe?g$/i.test(name))
    .sort();
  return files.flatMap((name, source) =>
    Array.from({ length: each }, (_, k) => ({
      source,
      key: `${name} variation ${k}`,
      bytes: () => varied(readFileSync(join(folder, name)), `${name} ${k}`),
    })),
  );
}

/** Least share of a photograph's height that a variation shows. */
const LEAST_SHARE = 0.45;

/** @param seed the same seed gives the same picture */
export async function varied(
  photograph: Uint8Array,
  seed: string,
  leastShare = LEAST_SHARE,
): Promise<Uint8Array> {
  const random = mulberry32(createHash('sha256').update(seed).digest().readUInt32LE());
  const between = (low: number, high: number) => low + (high - low) * random();
  const { width = 1, height = 1 } = await sharp(photograph).metadata();
  const share = between(leastShare, 1);
  const across = Math.floor(width * Math.min(1, share * between(0.85, 1.15)));
  const down = Math.floor(height * share);
  const part = sharp(photograph)
    .extract({
      left: Math.floor(random() * (width - across)),
      top: Math.floor(random() * (height - down)),
      width: across,
      height: down,
    })
    .flop(random() < 0.5)
    .modulate({ brightness: between(0.5, 1.4), saturation: between(0.6, 1.4) });
  if (random() < 0.3) part.blur(between(0.6, 2.5));
  return part.jpeg({ quality: Math.floor(between(60, 95)) }).toBuffer();
}
