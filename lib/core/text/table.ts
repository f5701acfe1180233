/**
 * Rows of text as a table, for people.
 * @module
 */

export interface Column {
  readonly title: string;
  /** Numbers are aligned on the right. */
  readonly isNumber?: boolean;
}

/** The titles, then a line per row; a row has a cell for each column. */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, at) =>
    lines.reduce((widest, cells) => Math.max(widest, length(cells[at]!)), 0)
  );
  return lines.map((cells) =>
    cells
      .map((cell, at) => {
        const space = " ".repeat(widths[at]! - length(cell));
        return columns[at]!.isNumber ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd()
  );
}

/** Code points: names may hold characters of two units. */
function length(text: string): number {
  return [...text].length;
}
