import { codedError } from '../../errors.js';
import { inputFailed } from '../../input-file.js';
import { printable } from '../../printable.js';
import { readArchive, writeArchive } from '../../taught/archive.js';
import { headOf } from '../../taught/heads.js';
import { Intake } from '../../taught/intake.js';
import { tasksOf } from '../../taught/overview.js';
import { type TaughtTask, taskName, taskOf, taskText } from '../../taught/task.js';
import { systemClock } from '../../time.js';
import type { CommandContext } from '../command.js';
import { writeJsonLine, writeLine } from '../output.js';
import type { TeachFlags } from './flags.js';
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
 * those in the file.
 *
 * @throws MND_ARCHIVE_INVALID, MND_INPUT_MISSING, MND_TEACH_INVALID (a camera that is not here), MND_TEACH_FULL,
 *   MND_TEACH_DISK; nothing of the file is kept then
 */
export async function importFrom(
  file: string,
  flags: TeachFlags,
  tools: TeachTools,
  { stdout, signal }: CommandContext,
): Promise<void> {
  const { shelf } = tools;
  const batch = shelf.newBatch(systemClock.wall());
  const intakes = new Map<string, Intake>();
  try {
    await readArchive(file, async ({ task: archived, label, bytes }) => {
      signal.throwIfAborted();
      const task = here(archived, flags, tools);
      const key = `${taskName(task)} ${JSON.stringify(label)}`;
      const variant = await tools.variantFor(task);
      const intake =
        intakes.get(key) ??
        (await Intake.open(
          { ...tools, variant, task, label, batch, now: systemClock.wall },
          signal,
        ));
      intakes.set(key, intake);
      await intake.offer(bytes, printable(file));
    });
  } catch (error) {
    await shelf.removeBatch(batch);
    throw missing(error, file);
  }
  for (const intake of intakes.values()) await intake.close();
  const counts = [...intakes.values()].map((intake) => intake.counts());
  const kept = counts.reduce((sum, each) => sum + each.kept, 0);
  const same = counts.reduce((sum, each) => sum + each.same, 0);
  if (flags.json) writeJsonLine(stdout, { file, kept, same });
  else writeLine(stdout, `${kept} pictures added, ${same} left out as nearly the same as others`);
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
