import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readPicture } from '../../camera/pixels/picture.js';
import { codedError, isCodedError, messageOf } from '../../errors.js';
import { inputFailed } from '../../input-file.js';
import { printable } from '../../printable.js';
import { Intake, type IntakeCounts } from '../../taught/intake.js';
import type { TaughtTask } from '../../taught/task.js';
import { systemClock } from '../../time.js';
import type { CommandContext } from '../command.js';
import { writeLine } from '../output.js';
import { createProgressLine } from '../progress-bar.js';
import { sayInterrupted } from './interrupted.js';
import type { TeachTools } from './tools.js';

/** What pictures show. */
export interface Wanted {
  readonly task: TaughtTask;
  /** Null: none of the task's labels. */
  readonly label: string | null;
}

/** What came of a batch of pictures. */
export interface Batch extends IntakeCounts {
  readonly label: string | null;
  /** Files that are no picture, or a damaged one. */
  readonly unread: number;
}

/**
 * Adds the pictures of a folder, in the order of their names. What is no picture is said and left out.
 *
 * @throws MND_INPUT_MISSING where there is no picture; MND_TEACH_FULL, MND_TEACH_DISK, and then nothing of
 *   the folder is kept
 */
export async function teachFolder(
  { task, label }: Wanted,
  place: string,
  tools: TeachTools,
  context: CommandContext,
): Promise<Batch> {
  const { files, folders } = await filesIn(place);
  if (folders > 0 && files.length > 0) {
    writeLine(context.stderr, `${printable(place)}: ${foldersText(folders)} not looked into`);
  }
  const variant = await tools.variantFor(task);
  const { signal } = context;
  const intake = await Intake.open(
    { ...tools, variant, task, label, now: systemClock.wall },
    signal,
  );
  const progress = createProgressLine(context.stderr, files.length);
  let unread = 0;
  try {
    for (const file of files) {
      signal.throwIfAborted();
      progress.begin(printable(file));
      if (!(await offer(intake, file, context))) unread += 1;
    }
    await intake.close();
  } catch (error) {
    progress.clear();
    if (signal.aborted) {
      await intake.close();
      sayInterrupted(label, intake.counts().kept, context);
    } else await intake.withdraw();
    throw error;
  }
  progress.clear();
  if (intake.counts().offered > 0) return { ...intake.counts(), label, unread };
  throw codedError('MND_INPUT_MISSING', {
    subject: printable(place),
    expected: 'pictures (JPEG, PNG, WebP, TIFF, GIF or AVIF)',
    found: `${unread === 0 ? 'no' : unread} other ${unread === 1 ? 'file' : 'files'}${
      folders === 0 ? '' : `, and ${foldersText(folders)} not looked into`
    }`,
    next: 'name the folder that has the pictures in itself',
  });
}

function foldersText(count: number): string {
  return count === 1 ? '1 folder in it, which is' : `${count} folders in it, which are`;
}

/** False: it is no picture that can be read, which has been said. */
async function offer(intake: Intake, file: string, { stderr }: CommandContext): Promise<boolean> {
  const picture = await readPicture(file);
  if (picture.bytes === null) {
    writeLine(stderr, `${printable(file)}: left out: ${picture.reason ?? 'no picture'}`);
    return false;
  }
  try {
    await intake.offer(picture.bytes, printable(file));
    return true;
  } catch (error) {
    if (!isCodedError(error) || error.code !== 'MND_IMAGE_INVALID') throw error;
    writeLine(stderr, `${messageOf(error)}`);
    return false;
  }
}

/** The files of a folder, and how many folders it has. */
async function filesIn(place: string): Promise<{ files: string[]; folders: number }> {
  try {
    const found = await stat(place);
    if (!found.isDirectory()) return { files: [place], folders: 0 };
    const entries = await readdir(place, { withFileTypes: true });
    const seen = entries.filter(({ name }) => !name.startsWith('.'));
    const files = seen.filter((entry) => !entry.isDirectory());
    return {
      files: files.map(({ name }) => join(place, name)).sort(),
      folders: seen.length - files.length,
    };
  } catch (cause) {
    throw inputFailed(place, 'a folder with pictures', cause);
  }
}
