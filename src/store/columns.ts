/** What SQLite keeps in a cell of our tables. */
export type Cell = string | number | null;

/** A row as its cells: making an object of each costs as much again. */
export type Cells = readonly Cell[];

/**
 * Rows by column: the cells of the first column, those of the second … A column of numbers is one array of
 * them, which takes half the time of an array for each row.
 */
export type Columns = readonly Cells[];

/** Rows of a kind by column. */
export type ColumnsOf<Row extends Cells> = { readonly [Place in keyof Row]: readonly Row[Place][] };

/** How rows become items: asked once for many rows, then once for each. */
export type Making<T> = (columns: Columns) => (row: number) => T;

/** Items of rows that come some at a time. */
export function* itemsOf<T>(pages: Iterable<Columns>, making: Making<T>): Generator<T> {
  for (const page of pages) {
    const make = making(page);
    const count = rowsIn(page);
    for (let row = 0; row < count; row += 1) yield make(row);
  }
}

/** Items that are made of whole rows. */
export function ofRows<T>(make: (row: Cells) => T): Making<T> {
  return (columns) => (row) => make(columns.map((cells) => cellAt(cells, row)));
}

/** A cell of a row that there is. */
export function cellAt<C extends Cell>(cells: readonly C[], row: number): C {
  return cells[row] as C;
}

export function rowsIn([first]: Columns): number {
  return first?.length ?? 0;
}

/** One row of many; a negative number counts from the end. Null: there is none. */
export function rowAt(columns: Columns, row: number): Cells | null {
  const place = row < 0 ? rowsIn(columns) + row : row;
  if (place < 0 || place >= rowsIn(columns)) return null;
  return columns.map((cells) => cellAt(cells, place));
}

/** The first rows of many. */
export function firstRows(columns: Columns, most: number): Columns {
  return most >= rowsIn(columns) ? columns : columns.map((cells) => cells.slice(0, most));
}

/** Rows by column; `width` columns, also where there is no row. */
export function byColumn(rows: readonly Cells[], width: number): Columns {
  return Array.from({ length: width }, (_, place) => rows.map((row) => row[place] ?? null));
}
