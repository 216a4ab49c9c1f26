// What of a package takes how much of a disk.
import { statSync } from 'node:fs';
import { relative } from 'node:path';
import { filesBelow } from './stage.mjs';

/** Names of parts, by where they lie in the package; the first that fits counts. */
const PARTS = [
  ['Node', /^usr\/lib\/mobilenetd\/node\//],
  ['onnxruntime', /\/onnxruntime-node\//],
  ['libvips and sharp', /\/(@img|sharp)\//],
  ['SQLite and its addons', /\/better-sqlite3\//],
  ['networks, weights, embeddings', /^usr\/lib\/mobilenetd\/models\//],
  ['the program and its page', /^usr\/lib\/mobilenetd\/(dist|config|assets)\//],
  ['documentation', /^usr\/share\//],
  ['other modules, licenses, the unit', /./],
];

/** A line for each part of a package: megabytes and its name, the largest first. */
export function sizesOf(tree) {
  const sums = new Map(PARTS.map(([name]) => [name, 0]));
  for (const file of filesBelow(tree)) {
    const place = relative(tree, file);
    const [name] = PARTS.find(([, pattern]) => pattern.test(place));
    sums.set(name, sums.get(name) + statSync(file).size);
  }
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .map(([name, bytes]) => `${(bytes / 1e6).toFixed(1).padStart(7)}  ${name}\n`)
    .join('');
}
