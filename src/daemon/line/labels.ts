import type { ScoredLabel } from '../../inference/result.js';

/**
 * The name a class goes by in events and topics: the first of ImageNet's comma-separated synonyms.
 * Two classes with the same first name (both `crane`s) count as one label.
 */
export function shortName(label: string): string {
  return (label.split(',', 1)[0] ?? label).trim();
}

/** Labels under their short names, reduced to `kept` (null: all); the same list if they are so. */
export function keepLabels(
  labels: readonly ScoredLabel[],
  kept: ReadonlySet<string> | null,
): readonly ScoredLabel[] {
  // A detector's names are short: nothing is made for most frames.
  let named: ScoredLabel[] | null = null;
  for (let at = 0; at < labels.length; at += 1) {
    const scored = labels[at] as ScoredLabel;
    const label = rememberedName(scored.label);
    // Class indices that the label map leaves out have no name, and nobody could ask for them.
    const isKept = label !== '' && (kept === null || kept.has(label));
    if (named === null && isKept && label === scored.label) continue;
    named ??= labels.slice(0, at);
    if (isKept) named.push({ index: scored.index, label, score: scored.score, box: scored.box });
  }
  return named ?? labels;
}

/** More names than any network has. */
const MOST_NAMES = 16_384;
const shortNames = new Map<string, string>();

/** Names are the same ones in every frame. */
function rememberedName(label: string): string {
  const known = shortNames.get(label);
  if (known !== undefined) return known;
  if (shortNames.size >= MOST_NAMES) shortNames.clear();
  const name = shortName(label);
  shortNames.set(label, name);
  return name;
}
