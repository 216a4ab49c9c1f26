/** Pixels between the cells of each map of an anchor-free detector, by how many maps it has. */
export const THREE_MAPS: readonly number[] = [8, 16, 32];
export const FOUR_MAPS: readonly number[] = [8, 16, 32, 64];

/** Cells of all maps of a picture. */
export function cellsOf(
  [height, width]: readonly [height: number, width: number],
  strides: readonly number[],
): number {
  return strides.reduce(
    (sum, stride) => sum + Math.ceil(height / stride) * Math.ceil(width / stride),
    0,
  );
}
