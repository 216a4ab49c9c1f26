import { readdir, readFile } from 'node:fs/promises';

/** How a tree of sensors is read; both reject when they cannot. */
export interface Tree {
  readonly readText: (path: string) => Promise<string>;
  readonly listNames: (path: string) => Promise<readonly string[]>;
}

/** The machine's own files. */
export const SYSTEM_TREE: Tree = {
  readText: (path) => readFile(path, 'utf8'),
  listNames: (path) => readdir(path),
};

/** Names of a folder in the order of the numbers in them; none where it cannot be read. */
export async function namesIn(tree: Tree, folder: string): Promise<readonly string[]> {
  const names: readonly string[] = await tree.listNames(folder).catch(() => []);
  return [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
