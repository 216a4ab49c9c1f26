import { INPUT_SIZE_RANGE } from '../families/ranges.js';
import { THRESHOLD_RANGE } from '../inference/ranges.js';
import type { Box, Result } from '../inference/result.js';
import type { Variant } from '../models/variant.js';
import { roundScore } from '../mqtt/publish/payloads.js';
import { printable } from '../printable.js';
import { numberOption } from './arguments.js';
import type { CommandContext, Register } from './command.js';
import type { DrawnPictures } from './drawn-pictures.js';
import { writeJsonLine, writeLine } from './output.js';
import {
  addCommonOptions,
  type RecogniseFlags,
  recognise,
  roundMs,
  writeHeading,
} from './recognise.js';

interface DetectFlags extends RecogniseFlags {
  readonly threshold: number;
  readonly draw?: string;
}

export const register: Register = (program, context) => {
  const command = program
    .command('detect')
    .summary('find the objects in pictures')
    .description(
      [
        'Finds the objects in each picture (JPEG, PNG, WebP, TIFF, GIF, AVIF), with boxes in its own',
        'pixels: left, top, width, height. The model is loaded once. A picture that cannot be read is',
        'reported on stderr; the others go on. --draw writes it with its boxes: into a file (JPEG, PNG or',
        'WebP by its name), or into a folder, as JPEG under its own name.',
      ].join('\n'),
    )
    .argument('<image...>', 'picture files, http(s) addresses, or - for standard input')
    .option('--size <pixels>', 'input size the model must run at', sizeOption)
    .option('--threshold <score>', 'least score, 0.01 to 1', thresholdOption, 0.5)
    .option('--draw <out>', 'write the picture with boxes to this file or folder');
  addCommonOptions(command).action((files: string[], flags: DetectFlags) =>
    detect(files, flags, context),
  );
};

async function detect(
  files: readonly string[],
  flags: DetectFlags,
  context: CommandContext,
): Promise<void> {
  const drawn = flags.draw === undefined ? null : await openDrawn(flags.draw, files.length);
  let written: string | null = null;
  await recognise(
    {
      task: 'detect',
      files,
      flags,
      run: { topK: 1, threshold: flags.threshold },
      async draw(file, encoded, { labels }, { head }) {
        const isPoint = head.kind === 'grid';
        const things = labels.map(({ label, score, box }) => ({ label, score, box, isPoint }));
        written = (await drawn?.write(file, encoded, things)) ?? null;
      },
      print: (file, result, variant) => print({ file, result, variant, written }, flags, context),
    },
    context,
  );
}

async function openDrawn(to: string, pictures: number): Promise<DrawnPictures> {
  const { openDrawnPictures } = await import('./drawn-pictures.js');
  return openDrawnPictures(to, pictures);
}

const sizeOption = numberOption('--size', { ...INPUT_SIZE_RANGE, integer: true });
const thresholdOption = numberOption('--threshold', THRESHOLD_RANGE);

interface Found {
  readonly file: string;
  readonly result: Result;
  readonly variant: Variant;
  /** Where the picture with boxes is. */
  readonly written: string | null;
}

function print(found: Found, { json }: DetectFlags, { stdout }: CommandContext): void {
  const { file, result, written } = found;
  const { head } = found.variant;
  // Of a grid's objects only the middle is known; their boxes are one cell around it.
  const isPoint = head.kind === 'grid';
  if (json) {
    const { model, size, timings } = result;
    const objects = result.labels.map(({ label, score, box }) => ({
      label,
      score: roundScore(score),
      box: isPoint ? null : (box?.map((side) => Math.round(side * 10) / 10) ?? null),
      ...(isPoint && { point: middleOf(box) }),
    }));
    const drawn = written === null ? {} : { drawn: written };
    writeJsonLine(stdout, { file, model, size, ms: roundMs(timings.inference), objects, ...drawn });
    return;
  }
  writeHeading(stdout, file, result);
  if (result.labels.length === 0) writeLine(stdout, '  nothing');
  for (const { label, score, box } of result.labels) {
    const [x = 0, y = 0, width = 0, height = 0] = box?.map(Math.round) ?? [];
    const place = isPoint ? `at ${middleOf(box).join(', ')}` : `${width}×${height} at ${x}, ${y}`;
    writeLine(stdout, `  ${score.toFixed(3)}  ${label.padEnd(16)} ${place}`);
  }
  if (written !== null) writeLine(stdout, `  drawn: ${printable(written)}`);
}

/** The middle of a box, whole pixels. */
function middleOf(box: Box | null): [x: number, y: number] {
  const [x, y, width, height] = box ?? [0, 0, 0, 0];
  return [Math.round(x + width / 2), Math.round(y + height / 2)];
}
