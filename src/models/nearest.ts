import { editDistance } from '../edit-distance.js';

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
