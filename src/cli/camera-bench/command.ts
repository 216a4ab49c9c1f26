import type { CommandContext } from '../command.js';
import { endWith, writeJsonLine, writeLine } from '../output.js';
import { type Figure, measureCameras } from './figures.js';

export interface CameraBenchFlags {
  readonly model?: string;
  readonly seconds: number;
  readonly json: boolean;
}

const CLASSIFIER = 'mobilenet_v1_0.5_160_quant';
const DETECTOR = 'ssdlite_mobilenet_v2_coco';

/** Runs the whole daemon on stand-in cameras and holds it to its bars. Throws what ends the command with 1 when one is missed. */
export async function benchCameras(
  flags: CameraBenchFlags,
  context: CommandContext,
): Promise<void> {
  let missed = 0;
  await measureCameras(
    {
      context,
      classifier: flags.model ?? CLASSIFIER,
      detector: DETECTOR,
      seconds: flags.seconds,
    },
    (found) => {
      if (!found.pass) missed += 1;
      if (flags.json) writeJsonLine(context.stdout, { ...found, value: rounded(found.value) });
      else writeLine(context.stdout, lineOf(found));
    },
  );
  if (missed > 0) throw endWith(1);
}

function lineOf({ figure, value, unit, bar, must, pass, model }: Figure): string {
  const [shown, limit] = unit === '' ? [percent(value), percent(bar)] : [rounded(value), bar];
  const mark = pass ? 'pass' : 'MISS';
  const behind = unit === '' ? '' : ` ${unit}`;
  return `${mark}  ${figure}: ${shown}${behind} (${must} ${limit}${behind}; ${model})`;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
