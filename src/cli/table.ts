import { cutStart, padText, textWidth } from './text-width.js';

/** Places of a terminal that every table without `--wide` fits into. */
export const TABLE_WIDTH = 80;
const GAP = '  ';
/** What stands to the right: numbers and their ranges, also with the unit of a size. */
const NUMERIC = /^[-−–+\d.\s]*( MB)?$/;

/**
 * A table as text: columns as wide as their widest cell, numbers to the right. With a `width` the first
 * column, which has the names, is cut at its beginning where the table would be wider.
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string {
  const widths = header.map((title, column) =>
    Math.max(textWidth(title), ...rows.map((row) => textWidth(row[column] ?? ''))),
  );
  const [first = 0, ...others] = widths;
  const left = width - others.reduce((sum, each) => sum + each + GAP.length, 0);
  const names = Math.min(first, Math.max(left, textWidth(header[0] ?? '')));
  const numeric = header.map((_, column) => rows.every((row) => NUMERIC.test(row[column] ?? '')));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0
          ? padText(cutStart(cell, names), names, numeric[0])
          : padText(cell, widths[column] ?? 0, numeric[column]),
      )
      .join(GAP)
      .trimEnd();
  return [header, ...rows].map(line).join('\n');
}
