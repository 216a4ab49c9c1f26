import { type Command, Help, type HelpConfiguration } from 'commander';
import { examplesOf } from './examples.js';
import { textWidth, wrapText } from './text-width.js';

/** Places of help that does not go to a terminal. */
const USUAL_WIDTH = 100;
const PLAIN = new Help();

/** How help is laid out: in the width of the terminal, in which prose is filled anew. */
export const HELP_LAYOUT: HelpConfiguration = {
  showGlobalOptions: true,
  // Beside long names of commands little is left of 80 places; commander would not break lines there.
  minWidthToWrap: 20,
  commandDescription: (command) => fill(command.description()),
  // A switch that is off unless it is given needs no word of that.
  optionDescription: (option) =>
    PLAIN.optionDescription(option).replace(/ ?\(default: false\)$/, ''),
};

/** Places of a terminal, or those of help elsewhere. */
export function helpWidth(stream: NodeJS.WritableStream): number {
  return 'columns' in stream && typeof stream.columns === 'number' ? stream.columns : USUAL_WIDTH;
}

/** Text below the help of a command, one paragraph an item. */
export function addNotes(command: Command, ...notes: readonly string[]): Command {
  return command.addHelpText('after', () => {
    const width = widthOf(command);
    return ['', ...notes.flatMap((note) => wrapText(note, width))].join('\n');
  });
}

/** The examples of a command, below its help. `path` is its name, after those above it. */
export function addExamples(command: Command, path: string): Command {
  return command.addHelpText('after', () => examplesText(path, widthOf(command)));
}

/**
 * The examples of a command as its help shows them, in lines of at most `width` places where a command
 * line is not longer by itself; empty when there are none.
 */
export function examplesText(path: string, width: number): string {
  const examples = examplesOf(path).map(([line, does]) => [`mobilenetd ${line}`, does] as const);
  if (examples.length === 0) return '';
  const column = Math.max(...examples.map(([line]) => line.length));
  const beside = examples.every(([, does]) => 4 + column + textWidth(does) <= width);
  const lines = examples.map(([line, does]) =>
    beside ? `  ${line.padEnd(column)}  ${does}` : `  ${line}\n      ${does}`,
  );
  return ['', 'Examples:', ...lines].join('\n');
}

function widthOf(command: Command): number {
  return command.configureOutput().getOutHelpWidth?.() ?? USUAL_WIDTH;
}

/** Joins the lines of each paragraph, whose breaks are those of the source. */
function fill(text: string): string {
  return text
    .split('\n\n')
    .map((paragraph) => paragraph.replaceAll('\n', ' '))
    .join('\n\n');
}
