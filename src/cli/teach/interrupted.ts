import type { CommandContext } from '../command.js';
import { writeLine } from '../output.js';

/** What an interrupt has left, for nothing else says so. */
export function sayInterrupted(
  label: string | null,
  kept: number,
  { stderr }: CommandContext,
): void {
  const what = `${kept === 1 ? '1 picture' : `${kept} pictures`} of ${label ?? 'the opposite'} kept`;
  const next = kept === 0 ? '' : '; mobilenetd teach --undo takes them back';
  writeLine(stderr, `interrupted: ${what}${next}`);
}
