import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../errors.js';
import { type BytePath, bytePath, rawPath, shownPath, visibleEntries } from './byte-path.js';

/** What tells one file from another under the same name, or from another version of itself. */
export type FileIdentity = string;

export function identityOf({ dev, ino, size, mtimeMs }: Stats): FileIdentity {
  return `${dev} ${ino} ${size} ${mtimeMs}`;
}

/** A folder with its subfolders, of which those that changed last are looked at again and again. */
export interface WatchTree {
  /** Files that have appeared, or been replaced, since the last call. Rejects when the folder is gone. */
  appeared(): Promise<BytePath[]>;
  /** A file that appeared is known as it is now. */
  settle(file: BytePath, identity: FileIdentity): void;
}

interface Folder {
  readonly depth: number;
  /** Time of its last change, as it was listed. */
  changed: number;
  /** Looks for which it is listed again although its time of change stands still. */
  again: number;
  /** What was in it then: files with what they were, subfolders and unstated files with null. */
  names: Map<string, FileIdentity | null>;
}

/** Levels below the folder: recorders sort by year, month, day and hour, and by camera. */
const MAX_DEPTH = 5;
/** Folders that are looked at every time. */
const MAX_WATCHED = 32;
/** Entries of one folder, and folders at the start, that are looked at. */
const MAX_NAMES = 100_000;
const MAX_FOLDERS = 10_000;
/** In a folder of more files, one that replaces another of the same name is not noticed. */
const MAX_STATED = 5000;
/** Times of change may have steps of two seconds (FAT): what comes within one shows no change. */
const AGAIN = 3;

/**
 * Looks at the folders' own times of change, which works on network shares too. Of many folders those
 * that changed last are watched, and all above them, where a new day or month will appear. What is there
 * at the start has appeared before; hidden files and folders are left out, links to folders not followed.
 * What else is left out is told of: folders that may not be read, and what is beyond the bounds.
 */
export async function createWatchTree(
  root: string,
  onLeftOut: (subject: string, reason: string) => void = () => {},
): Promise<WatchTree> {
  const start = bytePath(root);
  const folders = new Map<BytePath, Folder>();

  /** Reads a folder that is new or has changed; files that are new in it go into `found`. */
  async function read(path: BytePath, folder: Folder, found: BytePath[]): Promise<void> {
    const before = folder.names;
    const names = new Map<string, FileIdentity | null>();
    folder.names = names;
    for await (const { name, isFolder } of visibleEntries(path)) {
      if (names.size >= MAX_NAMES) {
        onLeftOut(shownPath(path), `more than ${MAX_NAMES} entries`);
        break;
      }
      const known = before.get(name);
      names.set(name, known ?? null);
      const inner = join(path, name);
      if (isFolder) {
        if (known === undefined) await tryToEnter(inner, folder.depth + 1, found);
      } else if (known === undefined || names.size <= MAX_STATED) {
        const now = await stat(rawPath(inner)).catch(() => null);
        if (now === null) continue;
        names.set(name, identityOf(now));
        if (known !== identityOf(now)) found.push(inner);
      }
    }
  }

  /** One that may not be read, or is gone again, is nothing to watch. */
  async function tryToEnter(path: BytePath, depth: number, found: BytePath[]): Promise<void> {
    if (depth > MAX_DEPTH) return onLeftOut(shownPath(path), `more than ${MAX_DEPTH} levels deep`);
    if (folders.size >= MAX_FOLDERS) {
      return onLeftOut(shownPath(start), `more than ${MAX_FOLDERS} folders`);
    }
    try {
      await enter(path, depth, found);
    } catch (error) {
      folders.delete(path);
      if (!isGone(error)) onLeftOut(shownPath(path), messageOf(error));
    }
  }

  async function enter(path: BytePath, depth: number, found: BytePath[]): Promise<void> {
    const { mtimeMs: changed } = await stat(rawPath(path));
    const folder: Folder = { depth, changed, again: AGAIN, names: new Map() };
    folders.set(path, folder);
    await read(path, folder, found);
  }

  async function look(path: BytePath, folder: Folder, found: BytePath[]): Promise<void> {
    try {
      const { mtimeMs } = await stat(rawPath(path));
      if (mtimeMs !== folder.changed) folder.again = AGAIN;
      else if (folder.again === 0) return;
      else folder.again -= 1;
      folder.changed = mtimeMs;
      await read(path, folder, found);
    } catch (error) {
      if (path === start) throw error;
      folders.delete(path);
      // The folder may come again, under the same name.
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

  await enter(start, 0, []);
  prune();
  return {
    async appeared() {
      const found: BytePath[] = [];
      for (const [path, folder] of [...folders]) await look(path, folder, found);
      prune();
      return found;
    },
    settle(file, identity) {
      const names = folders.get(dirname(file))?.names;
      if (names?.has(basename(file))) names.set(basename(file), identity);
    },
  };
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
