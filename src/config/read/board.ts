import type { BoardName } from '../config.js';
import { BOARD_NAMES } from '../schema/schema.js';

/**
 * Models of the device tree by the overlay that suits them. The Zero 2 W and the Compute Module 3
 * have the Pi 3's processor; the 400 and 500 are keyboards around a Pi 4 and a Pi 5.
 */
const MODELS: readonly (readonly [RegExp, BoardName])[] = [
  [/^Raspberry Pi (3\b|Compute Module 3\b|Zero 2\b)/i, 'pi3'],
  [/^Raspberry Pi (4\b|400\b|Compute Module 4S?\b)/i, 'pi4'],
  [/^Raspberry Pi (5\b|500\b|Compute Module 5\b)/i, 'pi5'],
];

/** The overlay for a board's name as the device tree has it; null for boards without one. */
export function boardOf(model: string): BoardName | null {
  return MODELS.find(([pattern]) => pattern.test(model))?.[1] ?? null;
}

/** The overlay that `board` asks for; null for none. A value that does not fit counts as auto. */
export function chooseBoard(
  board: unknown,
  model: () => string | null,
): { readonly name: BoardName; readonly model: string | null } | null {
  if (board === 'none') return null;
  const named = BOARD_NAMES.find((name) => name === board);
  if (named !== undefined) return { name: named, model: null };
  const found = model();
  const name = found === null ? null : boardOf(found);
  return name === null ? null : { name, model: found };
}
