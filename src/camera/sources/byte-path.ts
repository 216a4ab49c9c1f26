import { opendir } from 'node:fs/promises';
import { printable } from '../../printable.js';

/**
 * A path as the file system has it: any bytes, one character each (latin1). Names that are not UTF-8,
 * as old cameras and archives write them, would not be found again under the text they decode to.
 */
export type BytePath = string;

export function bytePath(path: string): BytePath {
  return Buffer.from(path, 'utf8').toString('latin1');
}

/** For the functions of `node:fs`. */
export function rawPath(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** For people: bytes that are no text are shown as such, and so are control characters. */
export function shownPath(path: BytePath): string {
  return printable(rawPath(path).toString('utf8'));
}

/** What is in a folder, hidden files left out. */
export async function* visibleEntries(
  folder: BytePath,
): AsyncGenerator<{ readonly name: string; readonly isFolder: boolean }> {
  // The types of Node know text alone; with this encoding the names are bytes.
  const entries = await opendir(rawPath(folder), { encoding: 'buffer' as BufferEncoding });
  for await (const entry of entries) {
    const name = Buffer.from(entry.name as unknown as Uint8Array).toString('latin1');
    if (!name.startsWith('.')) yield { name, isFolder: entry.isDirectory() };
  }
}
