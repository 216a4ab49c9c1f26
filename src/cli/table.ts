import { padText, textWidth } from './text-width.js';

/** A table as text: columns as wide as their widest cell, numbers to the right. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = header.map((title, column) =>
    Math.max(textWidth(title), ...rows.map((row) => textWidth(row[column] ?? ''))),
  );
  const numeric = header.map((_, column) =>
    rows.every((row) => /^[\d.\s]*$/.test(row[column] ?? '')),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => padText(cell, widths[column] ?? 0, numeric[column]))
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(line).join('\n');
}
