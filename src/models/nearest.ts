/** Edits (insert, delete, replace, swap neighbours) that turn one word into the other. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
        swap ? (beforeLast[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The names most like `word`, best first; those that share nothing with it are left out. */
export function nearestNames(word: string, names: readonly string[], count = 3): string[] {
  const text = word.toLowerCase().slice(0, 100);
  return names
    .map((name) => {
      const edits = distance(text, name.toLowerCase());
      // A part of a name is near it however much is missing.
      const part = text.length >= 3 && name.toLowerCase().includes(text);
      return { name, rank: part ? edits / 100 : edits, near: part || edits <= name.length / 2 };
    })
    .filter(({ near }) => near)
    .sort((a, b) => a.rank - b.rank || a.name.localeCompare(b.name))
    .slice(0, count)
    .map(({ name }) => name);
}
