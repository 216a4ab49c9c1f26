/** Pixels between the cells of each map of an anchor-free detector, by how many maps it has. */
export const THREE_MAPS: readonly number[] = [8, 16, 32];
export const FOUR_MAPS: readonly number[] = [8, 16, 32, 64];

/** Cells of each map of a picture. */
export function cellsOfMaps(
  [height, width]: readonly [height: number, width: number],
  strides: readonly number[],
): readonly number[] {
  return strides.map((stride) => Math.ceil(height / stride) * Math.ceil(width / stride));
}

/** Cells of all maps of a picture. */
export function cellsOf(
  sides: readonly [height: number, width: number],
  strides: readonly number[],
): number {
  return cellsOfMaps(sides, strides).reduce((sum, count) => sum + count, 0);
}
