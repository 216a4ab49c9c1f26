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

/** The names most like `word`, best first; those that share nothing with it are left out. */
export function nearestNames(word: string, names: readonly string[], count = 3): string[] {
  const text = word.toLowerCase().slice(0, 100);
  return names
    .map((name) => {
      const edits = editDistance(text, name.toLowerCase());
      // A part of a name is near it however much is missing.
      const part = text.length >= 3 && name.toLowerCase().includes(text);
      return { name, rank: part ? edits / 100 : edits, near: part || edits <= name.length / 2 };
    })
    .filter(({ near }) => near)
    .sort((a, b) => a.rank - b.rank || a.name.localeCompare(b.name))
    .slice(0, count)
    .map(({ name }) => name);
}

/**
 * Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other
 * (Damerau's distance, no letter touched twice). Takes time by the product of the lengths.
 */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, at(before, column - 2) + 1);
      }
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? Number.POSITIVE_INFINITY;
}
