import { editDistance } from '../edit-distance.js';

/**
 * The name that was probably meant: the one with the least edit distance (insertions, deletions,
 * substitutions and swaps of neighbours, after Damerau), if no more than 40 % of its letters differ;
 * otherwise null.
 */
export function nearestOf(name: string, known: Iterable<string>): string | null {
  const wanted = name.toLowerCase().slice(0, 128);
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    const limit = Math.max(1, Math.floor(0.4 * Math.max(wanted.length, candidate.length)));
    if (distance <= limit && distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}
