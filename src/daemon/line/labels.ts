import type { ScoredLabel } from '../../inference/result.js';

/**
 * The name a class goes by in events and topics: the first of ImageNet's comma-separated synonyms.
 * Two classes with the same first name (both `crane`s) count as one label.
 */
export function shortName(label: string): string {
  return (label.split(',', 1)[0] ?? label).trim();
}

/** The labels of a result under their short names, reduced to `kept` (null: all). */
export function keepLabels(
  labels: readonly ScoredLabel[],
  kept: ReadonlySet<string> | null,
): ScoredLabel[] {
  // Class indices that the label map leaves out have no name, and nobody could ask for them.
  const named = labels
    .map((scored) => ({ ...scored, label: shortName(scored.label) }))
    .filter(({ label }) => label !== '');
  return kept === null ? named : named.filter(({ label }) => kept.has(label));
}
