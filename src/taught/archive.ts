import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { create, Parser, type ReadEntry } from 'tar';
import { codedError, isCodedError, messageOf } from '../errors.js';
import type { Crop } from './crop-files.js';
import type { CropShelf } from './shelf.js';
import { labelOfFolder, type TaughtTask, taskName, taskNamed } from './task.js';

/** A picture of an archive. */
export interface ArchivedCrop {
  readonly task: TaughtTask;
  readonly label: string | null;
  readonly bytes: Uint8Array;
}

/** Bytes of one picture: ours have a tenth of that. */
const MAX_PICTURE = 4_000_000;
/** Of everything that is read, and of what stands in it. */
const MAX_BYTES = 2_000_000_000;
const MAX_ENTRIES = 20_000;
const HEAD = /\.head\.json$/;

/**
 * Writes crops, and the heads that were made of them (names and numbers), as a tar.
 *
 * @param file where nothing is yet
 * @throws MND_OUTPUT_FAILED
 */
export async function writeArchive(
  shelf: CropShelf,
  crops: readonly Crop[],
  file: string,
): Promise<void> {
  const names = crops.map((crop) => relative(shelf.folder, crop.file));
  const tasks = new Map(crops.map(({ task }) => [taskName(task), task]));
  for (const task of tasks.values()) {
    const cache = shelf.cacheOf(task);
    const found = await readdir(cache).catch(() => []);
    const heads = found.filter((name) => HEAD.test(name));
    names.push(...heads.map((name) => relative(shelf.folder, join(cache, name))));
  }
  try {
    await create({ file, cwd: shelf.folder, portable: true, strict: true }, names);
  } catch (cause) {
    throw codedError('MND_OUTPUT_FAILED', {
      subject: file,
      found: messageOf(cause),
      next: 'try again; something may have been forgotten meanwhile',
      cause,
    });
  }
}

/**
 * Hands on the pictures of an archive, one after the other. A name inside never becomes a path on this
 * machine; what is no picture of a label is passed over.
 *
 * @param onCrop awaited before the next part of the file is read
 * @throws MND_ARCHIVE_INVALID for a file that is damaged, or larger than any of ours; what onCrop throws
 */
export async function readArchive(
  file: string,
  onCrop: (crop: ArchivedCrop) => Promise<void>,
): Promise<number> {
  const found: ArchivedCrop[] = [];
  let [count, entries, read] = [0, 0, 0];
  let fault: unknown = null;
  const parser = new Parser({
    strict: true,
    onReadEntry(entry: ReadEntry) {
      entries += 1;
      const place = placeOf(entry);
      if (place === null) return void entry.resume();
      collect(entry, (bytes) => found.push({ ...place, bytes }));
    },
  });
  parser.on('error', (error: unknown) => {
    fault ??= error;
  });
  const handOn = async () => {
    for (let crop = found.shift(); crop !== undefined; crop = found.shift()) {
      count += 1;
      await onCrop(crop);
    }
  };
  try {
    for await (const chunk of createReadStream(file)) {
      read += (chunk as Buffer).length;
      if (read > MAX_BYTES || entries > MAX_ENTRIES) throw new Error('more than was ever taught');
      parser.write(chunk as Buffer);
      if (fault !== null) throw fault;
      await handOn();
    }
    const ended = new Promise<void>((resolve) => parser.once('end', resolve));
    parser.end();
    if (fault !== null) throw fault;
    await ended;
    await handOn();
    if (entries === 0) throw new Error('nothing in it');
  } catch (error) {
    if (isCodedError(error) || (error instanceof Error && error.name === 'AbortError')) throw error;
    throw codedError('MND_ARCHIVE_INVALID', {
      subject: file,
      expected: 'a whole file that mobilenetd teach --export wrote',
      found: messageOf(error),
      cause: error,
    });
  }
  return count;
}

/** What an entry shows by its name; null: it is none of ours. */
function placeOf({ path, type, size }: ReadEntry): Omit<ArchivedCrop, 'bytes'> | null {
  const [taskFolder = '', labelFolder = '', name = '', ...more] = path.split('/');
  const task = taskNamed(taskFolder);
  const label = labelOfFolder(labelFolder);
  const isPicture = type === 'File' && name.endsWith('.jpg') && size <= MAX_PICTURE;
  if (task === null || label === undefined || more.length > 0 || !isPicture) return null;
  return { task, label };
}

function collect(entry: ReadEntry, onEnd: (bytes: Uint8Array) => void): void {
  const chunks: Buffer[] = [];
  entry.on('data', (chunk: Buffer) => chunks.push(chunk));
  entry.on('end', () => onEnd(Buffer.concat(chunks)));
}
