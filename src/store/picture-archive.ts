import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Header } from 'tar';

/** Bytes of a header, and what each file is filled up to (POSIX.1-1988, ustar). */
const BLOCK = 512;

/**
 * Writes files of a folder into a tar archive, which is there already and empty. One that is gone by then, as
 * retention removes them while a daemon runs, is left out. Returns how many are in it.
 */
export async function archivePictures(
  archive: string,
  folder: string,
  names: readonly string[],
): Promise<number> {
  const handle = await open(archive, 'r+');
  let count = 0;
  try {
    for (const name of names) {
      const found = await contentsOf(join(folder, name));
      if (found === null) continue;
      const { bytes, mtime } = found;
      await handle.writeFile(headerOf(name, bytes.length, mtime));
      await handle.writeFile(bytes);
      await handle.writeFile(Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK));
      count += 1;
    }
    await handle.writeFile(Buffer.alloc(2 * BLOCK));
  } finally {
    await handle.close();
  }
  return count;
}

/** Null: it is no more. */
async function contentsOf(
  file: string,
): Promise<{ readonly bytes: Buffer; readonly mtime: Date } | null> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return null;
  try {
    const { mtime } = await handle.stat();
    return { bytes: await handle.readFile(), mtime };
  } finally {
    await handle.close();
  }
}

function headerOf(name: string, size: number, mtime: Date): Buffer {
  const block = Buffer.alloc(BLOCK);
  new Header({ path: name, mode: 0o600, size, mtime, type: 'File' }).encode(block, 0);
  return block;
}
