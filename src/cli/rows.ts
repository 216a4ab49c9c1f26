import type { CommandContext } from './command.js';
import { breathe, writeText } from './output.js';
import { cutText, padText } from './text-width.js';

export type Row = Readonly<Record<string, unknown>>;

/** A column of a table for people. */
export interface Column<T> {
  readonly title: string;
  /** Places on a terminal; longer text is cut with `…`. 0: the last column, as long as it is. */
  readonly width: number;
  readonly right?: boolean;
  readonly text: (item: T) => string;
}

/** How items become lines. */
export interface Format<T> {
  readonly header: string | null;
  readonly line: (item: T) => string;
}

/** Rows that are written at a time, and between two looks at the signals. */
const BREATH_ROWS = 500;

/** One JSON object a line. */
export function jsonLines<T>(row: (item: T) => Row): Format<T> {
  return { header: null, line: (item) => JSON.stringify(row(item)) };
}

/** Comma-separated values (RFC 4180) with a header. */
export function csvLines<T>(fields: readonly string[], row: (item: T) => Row): Format<T> {
  return {
    header: fields.join(','),
    line(item) {
      const values = row(item);
      return fields.map((field) => csvField(values[field])).join(',');
    },
  };
}

/** A table; with the columns of this house none is wider than 80 places. */
export function tableLines<T>(columns: readonly Column<T>[]): Format<T> {
  const join = (cells: readonly string[]) => cells.join('  ').trimEnd();
  return {
    header: join(columns.map((column) => fit(column.title, column))),
    line: (item) => join(columns.map((column) => fit(column.text(item), column))),
  };
}

/** Printable ASCII: each character takes one place, so that nothing has to be measured. */
const PLAIN = /^[\x20-\x7e]*$/;

function fit<T>(text: string, { width, right = false }: Column<T>): string {
  if (width > 0 && text.length <= width && PLAIN.test(text)) {
    return right ? text.padStart(width) : text.padEnd(width);
  }
  // Names come from model files: what would drive a terminal is not printed.
  const safe = text.replace(/\p{Cc}/gu, '?');
  if (width === 0) return safe;
  return padText(cutText(safe, width), width, right);
}

/** RFC 4180, 2: fields with commas, quotes or line breaks are quoted, quotes doubled. */
function csvField(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = Array.isArray(value) ? value.join(' ') : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Prints items as they come, some hundred at a time, with the header before the first; returns how many there
 * were. Those before one that cannot be read are printed.
 */
export async function printRows<T>(
  items: Iterable<T>,
  { header, line }: Format<T>,
  { stdout, signal }: Pick<CommandContext, 'stdout' | 'signal'>,
): Promise<number> {
  let count = 0;
  let lines: string[] = [];
  const flush = async () => {
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    lines = [];
    await writeText(stdout, text, signal);
  };
  try {
    for (const item of items) {
      if (count === 0 && header !== null) lines.push(header);
      count += 1;
      lines.push(line(item));
      if (count % BREATH_ROWS > 0) continue;
      await flush();
      await breathe(signal);
    }
  } finally {
    await flush();
  }
  return count;
}
