import { opendir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A folder with its subfolders, of which those that changed last are looked at again and again. */
export interface WatchTree {
  /** Files that have appeared since the last call. Rejects when the folder itself is gone. */
  appeared(): Promise<string[]>;
}

interface Folder {
  readonly depth: number;
  /** Time of its last change, as it was listed. */
  changed: number;
  /** What was in it then, subfolders too. */
  names: Set<string>;
}

/** Levels below the folder: recorders sort by year, month, day and hour, and by camera. */
const MAX_DEPTH = 5;
/** Folders that are looked at every time. */
const MAX_WATCHED = 32;
/** Entries of one folder, and folders at the start, that are looked at. */
const MAX_NAMES = 100_000;
const MAX_FOLDERS = 10_000;

/**
 * Looks at the folders' own times of change, which works on network shares too. Of many folders those
 * that changed last are watched, and all above them, where a new day or month will appear. What is there
 * at the start has appeared before; hidden files and folders are left out, links to folders not followed.
 */
export async function createWatchTree(root: string): Promise<WatchTree> {
  const folders = new Map<string, Folder>();

  /** Reads a folder that is new or has changed; files that are new in it go into `found`. */
  async function read(path: string, folder: Folder, found: string[]): Promise<void> {
    const before = folder.names;
    folder.names = new Set();
    for await (const entry of await opendir(path)) {
      if (folder.names.size >= MAX_NAMES) break;
      if (entry.name.startsWith('.')) continue;
      folder.names.add(entry.name);
      if (before.has(entry.name)) continue;
      const inner = join(path, entry.name);
      if (!entry.isDirectory()) found.push(inner);
      // One that may not be read, or is gone again, is nothing to watch.
      else await enter(inner, folder.depth + 1, found).catch(() => {});
    }
  }

  async function enter(path: string, depth: number, found: string[]): Promise<void> {
    if (depth > MAX_DEPTH || folders.size >= MAX_FOLDERS) return;
    const { mtimeMs: changed } = await stat(path);
    const folder: Folder = { depth, changed, names: new Set() };
    folders.set(path, folder);
    await read(path, folder, found);
  }

  async function look(path: string, folder: Folder, found: string[]): Promise<void> {
    try {
      const { mtimeMs } = await stat(path);
      if (mtimeMs === folder.changed) return;
      folder.changed = mtimeMs;
      await read(path, folder, found);
    } catch (error) {
      if (path === root) throw error;
      folders.delete(path);
      // It may come again, under the same name.
      folders.get(dirname(path))?.names.delete(basename(path));
    }
  }

  /** Leaves the folders that changed longest ago alone, from the leaves of the tree inwards. */
  function prune(): void {
    while (folders.size > MAX_WATCHED) {
      const parents = new Set([...folders.keys()].map((path) => dirname(path)));
      const leaves = [...folders].filter(([path]) => !parents.has(path));
      leaves.sort(([, a], [, b]) => a.changed - b.changed);
      const spare = leaves.slice(0, folders.size - MAX_WATCHED);
      if (spare.length === 0) return;
      for (const [path] of spare) folders.delete(path);
    }
  }

  await enter(root, 0, []);
  prune();
  return {
    async appeared() {
      const found: string[] = [];
      for (const [path, folder] of [...folders]) await look(path, folder, found);
      prune();
      return found;
    },
  };
}
