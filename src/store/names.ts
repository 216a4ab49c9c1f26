import type { Database } from 'better-sqlite3';

/** Row ids of cameras, labels and variants, made at their first use. */
export interface Names {
  camera(name: string): number;
  label(name: string): number;
  /** @param alpha width multiplier; null for a network without one, which is kept as 0 */
  variant(model: string, alpha: number | null, size: number): number;
  /** Forgets what is remembered; needed after a transaction was rolled back. */
  forget(): void;
}

/** What the column holds where a network has no α: it may not be null, and no α is 0. */
const NO_ALPHA = 0;

/** A variant's α as queries read it; see NO_ALPHA. */
export const ALPHA_COLUMN = `nullif(variant.alpha, ${NO_ALPHA}) AS alpha`;

/** Distinct names that are remembered; more than any model has labels. */
const REMEMBERED = 8192;

export function createNames(database: Database): Names {
  const remembered = new Map<string, number>();
  const camera = database
    .prepare(
      'INSERT INTO camera (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id',
    )
    .pluck();
  const label = database
    .prepare(
      'INSERT INTO label (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id',
    )
    .pluck();
  const variant = database
    .prepare(
      `INSERT INTO variant (model, alpha, size) VALUES (?, ?, ?)
       ON CONFLICT (model, alpha, size) DO UPDATE SET model = model RETURNING id`,
    )
    .pluck();

  function remember(key: string, find: () => unknown): number {
    const known = remembered.get(key);
    if (known !== undefined) return known;
    if (remembered.size >= REMEMBERED) remembered.clear();
    const id = Number(find());
    remembered.set(key, id);
    return id;
  }

  return {
    camera: (name) => remember(`c${name}`, () => camera.get(name)),
    label: (name) => remember(`l${name}`, () => label.get(name)),
    variant: (model, alpha, size) =>
      remember(`v${alpha} ${size} ${model}`, () => variant.get(model, alpha ?? NO_ALPHA, size)),
    forget: () => remembered.clear(),
  };
}
