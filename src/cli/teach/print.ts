import type { Removed } from '../../taught/shelf.js';
import { type TaughtTask, taskName, taskText } from '../../taught/task.js';
import { type TaskCounts, tasksOf } from '../../taught/tasks.js';
import type { HeadReport } from '../../teach/report.js';
import type { CommandContext } from '../command.js';
import { writeJsonLine, writeLine } from '../output.js';
import { columnsOf, wrapText } from '../text-width.js';
import type { Batch } from './folder.js';
import type { TeachTools } from './tools.js';

const WIDEST = 80;

export interface Printing {
  /** What has just been added; null: nothing. */
  readonly batch: Batch | null;
  readonly json: boolean;
}

/** Says of each task what its labels are worth, and what to do next. */
export async function reportTasks(
  tasks: readonly TaughtTask[],
  { batch, json }: Printing,
  tools: TeachTools,
  context: CommandContext,
): Promise<void> {
  const all = tasksOf(await tools.shelf.list());
  for (const task of tasks) {
    const counts = all.find((each) => taskName(each.task) === taskName(task)) ?? nothingOf(task);
    const told = await figuresOf(counts, tools, context);
    if (json) {
      writeJsonLine(context.stdout, {
        ...(batch !== null && { batch }),
        ...documentOf(counts),
        ...told,
      });
      continue;
    }
    if (batch !== null) print(context, batchText(batch));
    printTask(counts, told, context);
  }
}

async function figuresOf(counts: TaskCounts, tools: TeachTools, { signal }: CommandContext) {
  const { earlyAdvice, reportOf } = await import('../../taught/overview.js');
  if (counts.labels.length === 0) {
    return { report: null, quality: null, advice: await earlyAdvice(tools.shelf, counts) };
  }
  const variant = await tools.variantFor(counts.task);
  const found = await reportOf(tools, counts, variant, { signal });
  return { variant: variant.name, ...found };
}

/** One line a task, and one a label. */
export function printList(
  tasks: readonly TaskCounts[],
  { json }: { readonly json: boolean },
  context: CommandContext,
): void {
  if (json) {
    for (const task of tasks) writeJsonLine(context.stdout, documentOf(task));
    return;
  }
  if (tasks.length === 0) writeLine(context.stderr, 'nothing was taught yet');
  for (const task of tasks) printCounts(task, context);
}

export function printRemoved(
  { crops, labels, tasks }: Removed,
  { json }: { readonly json: boolean },
  { stdout }: CommandContext,
): void {
  if (json) {
    writeJsonLine(stdout, { removed: crops, labels, tasks });
    return;
  }
  const names = labels.map((label) => label ?? 'the opposite').join(', ');
  writeLine(stdout, crops === 0 ? 'nothing to undo' : `${pictures(crops)} removed: ${names}`);
}

function printTask(
  counts: TaskCounts,
  { report, advice }: { report: HeadReport | null; advice: readonly { readonly text: string }[] },
  context: CommandContext,
): void {
  printCounts(counts, context);
  if (report !== null) {
    print(context, '');
    for (const line of figureLines(report)) print(context, line);
    for (const line of confusionLines(report)) writeLine(context.stdout, line);
    const fileOf = (wanted: string | undefined) =>
      counts.crops.find(({ id }) => id === wanted)?.file;
    for (const { label, heldBack } of report.labels) {
      const barrier = fileOf(heldBack?.id);
      if (barrier === undefined) continue;
      print(context, `holds ${label} back (is none of these):`);
      writeLine(context.stdout, `  ${barrier}`);
    }
    const [worst] = report.worst;
    const file = fileOf(worst?.id);
    if (worst !== undefined && file !== undefined) {
      const said = worst.said ?? 'none of these';
      const is = worst.label ?? 'none of these';
      print(context, `worst picture (is ${is}, told as ${said}):`);
      writeLine(context.stdout, `  ${file}`);
    }
  }
  print(context, '');
  for (const { text } of advice) print(context, `next: ${text}`);
}

function printCounts({ task, labels, others }: TaskCounts, context: CommandContext): void {
  print(context, `${taskText(task)}:`);
  for (const { label, pictures: count } of labels) print(context, `  ${label}: ${pictures(count)}`);
  print(context, `  none of these: ${pictures(others)}`);
}

/** Figures of pictures that were left out of the fit that judged them. */
function figureLines(report: HeadReport): string[] {
  const rows = report.labels.map(
    ({ label, recall, precision }) =>
      `  ${label}: recall ${share(recall)}, precision ${share(precision)}`,
  );
  const { falseAccepts, negatives, others, accuracy, recall } = report;
  const together = `  new pictures: ${share(accuracy)} look most like their label, ${share(recall)} will be told`;
  return [
    'each picture judged by all the others:',
    ...rows,
    ...(report.labels.length < 2 || accuracy === null ? [] : [together]),
    `  taken for a label by mistake: ${share(falseAccepts)} of ${negatives + others} other pictures`,
  ];
}

/** Which label's pictures are told as which; with one label the figures above say it all. */
function confusionLines({ labels, confusion }: HeadReport): string[] {
  if (labels.length < 2 || labels.length > 8) return [];
  const names = [...labels.map(({ label }) => label), 'none'];
  const head = ['', ...names.map((_, index) => String(index + 1))];
  const rows = names.map((name, row) => [
    `${row + 1} ${name}`.slice(0, 20),
    ...(confusion[row] ?? []).map(String),
  ]);
  const line = (cells: readonly string[]) =>
    `  ${(cells[0] ?? '').padEnd(20)}${cells
      .slice(1)
      .map((cell) => cell.padStart(6))
      .join('')}`;
  return ['', 'is (row), told as (column):', line(head), ...rows.map(line)];
}

function batchText({ label, kept, same, small, unread }: Batch): string {
  const parts = [
    `${pictures(kept)} of ${label ?? 'the opposite'} kept`,
    ...(same > 0 ? [`${same} left out as nearly the same as others`] : []),
    ...(small > 0 ? [`${small} of them small`] : []),
    ...(unread > 0 ? [`${unread} not readable`] : []),
  ];
  return parts.join(', ');
}

/** A task as JSON has it. */
export function documentOf({ task, labels, others }: TaskCounts): object {
  return {
    task,
    labels: Object.fromEntries(labels.map((each) => [each.label, each.pictures])),
    others,
  };
}

function nothingOf(task: TaughtTask): TaskCounts {
  return { task, labels: [], others: 0, crops: [] };
}

function pictures(count: number): string {
  return count === 1 ? '1 picture' : `${count} pictures`;
}

function share(value: number | null): string {
  return value === null ? 'not known yet' : `${Math.round(value * 1000) / 10} %`;
}

function print({ stdout }: CommandContext, text: string): void {
  const columns = Math.min(WIDEST, columnsOf(stdout));
  for (const line of wrapText(text, columns, 4)) writeLine(stdout, line);
}
