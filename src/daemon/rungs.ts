import { readFile, rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { rankingAccuracy } from '../models/quality.js';
import type { Variant } from '../models/variant.js';
import type { Rung } from '../thermal/governor.js';

/** A rung of the governor's ladder and the variant it stands for, by rising cost. */
export interface MeasuredRung extends Rung {
  readonly variant: Variant;
}

export interface MeasureOptions {
  readonly variants: readonly Variant[];
  /** Folder of the record of earlier measurements. */
  readonly stateDir: string;
  readonly threads: number;
  /** Wall time of one inference, ms. */
  readonly measure: (variant: Variant) => Promise<number>;
  /** Whether the figures are kept and reused: not those of a simulated board. */
  readonly keep: boolean;
  /** The figures could not be written. */
  readonly onUnkept: (error: unknown) => void;
  readonly onError: (variant: Variant, error: unknown) => void;
}

interface Profile {
  readonly schema: 1;
  /** What the figures depend on; others are of no use. */
  readonly board: string;
  /** Milliseconds by file and size. */
  readonly measuredMs: Readonly<Record<string, number>>;
}

/**
 * The rungs of the governor: what each variant costs on this board, measured once and kept in the
 * state folder, and how accurate it is. A variant that fails is left out.
 */
export async function measureRungs(options: MeasureOptions): Promise<MeasuredRung[]> {
  const file = join(options.stateDir, 'profile.json');
  const board = `${cpus()[0]?.model ?? 'unknown'} · ${cpus().length} cores · ${options.threads} threads`;
  const known = options.keep ? await readProfile(file, board) : {};
  const measuredMs: Record<string, number> = {};
  const rungs: MeasuredRung[] = [];
  for (const [variant, accuracy] of ranked(options.variants)) {
    try {
      const key = `${variant.sha256} ${variant.size}`;
      const costMs = known[key] ?? (await options.measure(variant));
      measuredMs[key] = costMs;
      const { name, alpha, size } = variant;
      rungs.push({ name, alpha, size, accuracy, costMs, variant });
    } catch (error) {
      options.onError(variant, error);
    }
  }
  if (options.keep) {
    const profile: Profile = { schema: 1, board, measuredMs: { ...known, ...measuredMs } };
    // A disk that refuses it is no reason to let the board get hot: it is measured again next time.
    await writeProfile(file, profile).catch(options.onUnkept);
  }
  return rungs.sort((a, b) => a.costMs - b.costMs);
}

/**
 * Variants with their accuracy, 0 where it is not known (a model of the user's own): such a one is
 * only run when it is pinned. Where nothing is known of any, the first one stands for all: the
 * governor then has the frame rate to work with.
 */
function ranked(variants: readonly Variant[]): [Variant, number][] {
  const found = variants.map((variant) => rankingAccuracy(variant, variants));
  const known = found.some((accuracy) => accuracy !== null);
  return variants.map((variant, index) => {
    const stand = !known && index === 0 ? 100 : 0;
    return [variant, found[index] ?? stand];
  });
}

async function readProfile(file: string, board: string): Promise<Readonly<Record<string, number>>> {
  try {
    const found = JSON.parse(await readFile(file, 'utf8')) as Partial<Profile> | null;
    if (found?.schema !== 1 || found.board !== board || found.measuredMs === undefined) return {};
    const entries = Object.entries(found.measuredMs);
    return Object.fromEntries(entries.filter(([, ms]) => Number.isFinite(ms) && ms > 0));
  } catch {
    // None yet, or a damaged one: it is measured again.
    return {};
  }
}

async function writeProfile(file: string, profile: Profile): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(profile, null, 2)}\n`);
  await rename(`${file}.new`, file);
}
