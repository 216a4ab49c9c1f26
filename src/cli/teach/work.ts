import { askDaemon } from '../../control/client.js';
import { codedError } from '../../errors.js';
import { printable } from '../../printable.js';
import { checkLabel, type TaughtTask, taskName, taskOf, taskText } from '../../taught/task.js';
import { type TaskCounts, tasksOf } from '../../taught/tasks.js';
import { systemClock } from '../../time.js';
import type { CommandContext } from '../command.js';
import { writeLine } from '../output.js';
import { socketsOf } from '../sockets.js';
import type { TeachFlags } from './flags.js';
import type { Batch, Wanted } from './folder.js';
import { printList, printRemoved, reportTasks } from './print.js';
import { isAway } from './running.js';
import { checkTellable } from './tellable.js';
import { openTools, type TeachTools } from './tools.js';

const SWITCHED_OFF = 'teach.enabled: false: what is taught is not looked for until it is true';

/** Adds pictures, of a folder or of a camera, and says what the label is worth then. */
export async function teach(
  label: string,
  flags: TeachFlags,
  context: CommandContext,
): Promise<void> {
  checkLabel(label);
  const tools = await openTools(context);
  try {
    const task = await taskMeant(label, flags, tools);
    // A running daemon knows its cameras better than this command's configuration, as that of the demo does.
    if (flags.from !== undefined || (await tools.running()) === null) requireZone(task, tools);
    const wanted = { task, label: flags.not ? null : label };
    if (flags.from !== undefined) await checkTellable(wanted, tools);
    if (!tools.config.teach.enabled) writeLine(context.stderr, SWITCHED_OFF);
    if (flags.not) await sayIfUnknown(label, task, tools, context);
    const batch = await addPictures(wanted, flags, tools, context);
    if (flags.from !== undefined) await tellDaemon(context);
    await reportTasks([task], { batch, json: flags.json }, tools, context);
  } finally {
    await tools.close();
  }
}

async function addPictures(
  wanted: Wanted,
  flags: TeachFlags,
  tools: TeachTools,
  context: CommandContext,
): Promise<Batch> {
  if (flags.from === undefined) {
    const { recordCamera } = await import('./record.js');
    return recordCamera(wanted, flags, tools, context);
  }
  const { teachFolder } = await import('./folder.js');
  return teachFolder(wanted, flags.from, tools, context).catch(async (error: unknown) => {
    // What came before an interrupt is kept, and taken up.
    if (context.signal.aborted) await tellDaemon(context).catch(() => {});
    throw error;
  });
}

/** Everything else: what is known, and what is taken away. */
export async function tend(
  deed: 'report' | 'list' | 'undo' | 'drop' | 'forget' | 'export' | 'import',
  label: string | null,
  flags: TeachFlags,
  context: CommandContext,
): Promise<void> {
  const tools = await openTools(context);
  const { shelf } = tools;
  try {
    await shelf.tidy(systemClock.wall());
    switch (deed) {
      case 'list':
        return printList(tasksOf(await shelf.list()), flags, context);
      case 'report': {
        const tasks = (await tasksWith(label, flags, tools)).map(({ task }) => task);
        return await reportTasks(tasks, { batch: null, json: flags.json }, tools, context);
      }
      case 'undo':
        printRemoved(await shelf.undo(), flags, context);
        break;
      case 'drop':
        printRemoved(await shelf.drop(flags.drop ?? ''), flags, context);
        break;
      case 'forget': {
        const isGiven = isTaskGiven(flags);
        const task = isGiven || flags.not ? await taskMeant(label ?? '', flags, tools) : null;
        printRemoved(await shelf.forget(flags.not ? null : label, task), flags, context);
        break;
      }
      case 'export': {
        const { exportTo } = await import('./archive.js');
        return await exportTo(flags.export ?? '', flags, tools, context);
      }
      case 'import': {
        const { importFrom } = await import('./archive.js');
        await importFrom(flags.import ?? '', flags, tools, context);
        break;
      }
    }
    await tellDaemon(context);
  } finally {
    await tools.close();
  }
}

/** A running daemon looks at what is there now; without one there is nothing to tell. */
async function tellDaemon(context: CommandContext): Promise<void> {
  try {
    await askDaemon({ verb: 'teach', do: 'look' }, socketsOf(context));
  } catch (error) {
    if (!isAway(error)) {
      writeLine(context.stderr, 'the running daemon did not take it up: mobilenetd ctl reload');
      throw error;
    }
  }
}

function isTaskGiven({ camera, zone, of }: TeachFlags): boolean {
  return camera !== undefined || zone !== undefined || of !== undefined;
}

/** The task that is named by the options; without any, the one in which the label was taught. */
async function taskMeant(
  label: string,
  flags: TeachFlags,
  { shelf }: TeachTools,
): Promise<TaughtTask> {
  if (isTaskGiven(flags)) return taskOf(flags);
  const known = tasksOf(await shelf.list()).filter((task) => has(task, label));
  const [only, other] = known;
  if (only === undefined) return taskOf({});
  if (other === undefined) return only.task;
  throw codedError('MND_USAGE', {
    subject: 'teach',
    expected: '--camera, --zone or --of, for the label was taught in several ways',
    found: known.map(({ task }) => taskText(task)).join('; '),
  });
}

async function tasksWith(
  label: string | null,
  flags: TeachFlags,
  { shelf }: TeachTools,
): Promise<readonly TaskCounts[]> {
  const named = isTaskGiven(flags) ? taskName(taskOf(flags)) : null;
  const found = tasksOf(await shelf.list()).filter(
    (task) =>
      (label === null || has(task, label)) && (named === null || taskName(task.task) === named),
  );
  if (found.length > 0) return found;
  throw codedError('MND_INPUT_MISSING', {
    subject: label === null ? 'teach' : JSON.stringify(label),
    expected: 'a label that was taught',
    next: 'mobilenetd teach LABEL --from FOLDER teaches one',
  });
}

/** The opposite is one for all labels of a place: a slip in the name, or in the place, would go unseen. */
async function sayIfUnknown(
  label: string,
  task: TaughtTask,
  { shelf }: TeachTools,
  { stderr }: CommandContext,
): Promise<void> {
  const all = tasksOf(await shelf.list());
  const here = all.find((each) => taskName(each.task) === taskName(task));
  if (here !== undefined && has(here, label)) return;
  const known = here?.labels.map((each) => printable(each.label)).join(', ') ?? '';
  const others = known === '' ? '' : `, only ${known}`;
  writeLine(
    stderr,
    `no ${JSON.stringify(label)} was taught of ${taskText(task)} yet${others}: these are kept as the opposite of whatever is`,
  );
}

function has({ labels }: TaskCounts, wanted: string): boolean {
  return labels.some(({ label }) => label === wanted);
}

/** A zone or a camera that is not there would be taught in vain. */
function requireZone({ camera, zone }: TaughtTask, { config }: TeachTools): void {
  if (camera === null) return;
  const found = config.cameras[camera];
  const zones = Object.keys(found?.zones ?? {});
  if (found !== undefined && (zone === null || zones.includes(zone))) return;
  throw codedError('MND_USAGE', {
    subject: found === undefined ? `camera ${camera}` : `zone ${zone}`,
    expected:
      found === undefined
        ? `one of ${Object.keys(config.cameras).join(', ') || 'the configuration, which has none'}`
        : `one of ${zones.join(', ') || 'the configuration, where this camera has none'}`,
  });
}
