import { codedError, isCodedError, messageOf } from '../../errors.js';
import { inputFailed } from '../../input-file.js';
import { printable } from '../../printable.js';
import { readArchive, writeArchive } from '../../taught/archive.js';
import { headOf } from '../../taught/heads.js';
import { Intake } from '../../taught/intake.js';
import { type TaughtTask, taskName, taskOf, taskText } from '../../taught/task.js';
import { tasksOf } from '../../taught/tasks.js';
import { systemClock } from '../../time.js';
import type { CommandContext } from '../command.js';
import { writeJsonLine, writeLine } from '../output.js';
import type { TeachFlags } from './flags.js';
import type { Wanted } from './folder.js';
import { checkTellable } from './tellable.js';
import type { TeachTools } from './tools.js';

/** Writes all that was taught, with the heads of the configured network. */
export async function exportTo(
  file: string,
  { json }: TeachFlags,
  tools: TeachTools,
  { stdout, signal }: CommandContext,
): Promise<void> {
  const { writePartFile } = await import('../../store/part-file.js');
  const crops = await tools.shelf.list();
  if (crops.length === 0) {
    throw codedError('MND_INPUT_MISSING', {
      subject: 'teach',
      expected: 'something that was taught',
    });
  }
  for (const { task, labels, crops: own } of tasksOf(crops)) {
    if (labels.length === 0) continue;
    await headOf(tools, task, own, await tools.variantFor(task), { signal });
  }
  await writePartFile(file, false, (part) => writeArchive(tools.shelf, crops, part));
  if (json) writeJsonLine(stdout, { file, pictures: crops.length });
  else writeLine(stdout, `${printable(file)}: ${crops.length} pictures`);
}

/**
 * Adds what another board has written, as one batch. A camera and a zone that are given stand in the place of
 * those in the file. Labels that cannot be told here are left out, which is said.
 *
 * @throws MND_ARCHIVE_INVALID (nothing in it that can be told, too), MND_INPUT_MISSING, MND_TEACH_INVALID (a camera that is not here), MND_TEACH_FULL,
 *   MND_TEACH_DISK; nothing of the file is kept then
 */
export async function importFrom(
  file: string,
  flags: TeachFlags,
  tools: TeachTools,
  { stdout, stderr, signal }: CommandContext,
): Promise<void> {
  const { shelf } = tools;
  const batch = shelf.newBatch(systemClock.wall());
  const intakes = new Map<string, Intake | null>();
  let left = 0;
  const open = async (wanted: Wanted): Promise<Intake | null> => {
    try {
      await checkTellable(wanted, tools);
    } catch (error) {
      if (!isCodedError(error) || error.code !== 'MND_TEACH_INVALID') throw error;
      writeLine(stderr, `left out: ${messageOf(error)}`);
      return null;
    }
    const variant = await tools.variantFor(wanted.task);
    return Intake.open({ ...tools, ...wanted, variant, batch, now: systemClock.wall }, signal);
  };
  try {
    await readArchive(file, async ({ task: archived, label, bytes }) => {
      signal.throwIfAborted();
      const task = here(archived, flags, tools);
      const key = `${taskName(task)} ${JSON.stringify(label)}`;
      const known = intakes.get(key);
      const intake = known === undefined ? await open({ task, label }) : known;
      intakes.set(key, intake);
      if (intake === null) left += 1;
      else await intake.offer(bytes, printable(file));
    });
  } catch (error) {
    await shelf.removeBatch(batch);
    throw missing(error, file);
  }
  const taken = [...intakes.values()].flatMap((intake) => intake ?? []);
  for (const intake of taken) await intake.close();
  const counts = taken.map((intake) => intake.counts());
  const kept = counts.reduce((sum, each) => sum + each.kept, 0);
  const same = counts.reduce((sum, each) => sum + each.same, 0);
  if (kept + same === 0) throw nothingIn(file, left);
  if (flags.json) writeJsonLine(stdout, { file, kept, same, untold: left });
  else {
    const untold = left === 0 ? '' : `, ${left} of labels that cannot be told here`;
    const text = `${kept} pictures added, ${same} left out as nearly the same as others${untold}`;
    writeLine(stdout, text);
  }
}

function nothingIn(file: string, left: number): Error {
  return codedError('MND_ARCHIVE_INVALID', {
    subject: printable(file),
    expected: 'pictures of what can be told here, as mobilenetd teach --export writes them',
    found: left === 0 ? 'none' : `${left} of labels that cannot be told here`,
  });
}

/** The task as it is on this board. */
function here(task: TaughtTask, flags: TeachFlags, { config }: TeachTools): TaughtTask {
  const camera = flags.camera ?? task.camera;
  const zone = task.zone === null ? null : (flags.zone ?? task.zone);
  const found = camera === null ? undefined : config.cameras[camera];
  const isHere = camera === null || found !== undefined;
  if (isHere && (zone === null || Object.hasOwn(found?.zones ?? {}, zone))) {
    return taskOf({ camera, zone, of: task.of });
  }
  throw codedError('MND_TEACH_INVALID', {
    subject: taskText(task),
    expected: 'a camera and a zone of this board',
    found: 'those of another',
    next: 'name yours with --camera and --zone',
  });
}

function missing(error: unknown, file: string): unknown {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const isOfSystem = cause instanceof Error && 'syscall' in cause;
  return isOfSystem ? inputFailed(file, 'an archive that teach --export wrote', cause) : error;
}
