/**
 * What stands on a terminal after it was written to.
 * @module
 */

import type { Screen } from "../../lib/io/terminal.ts";

/** Rows of a terminal without their colours; knows the cursor movements that are used, and no others. */
export function rowsShown(written: string, columns = Infinity): string[] {
  const rows: string[][] = [[]];
  let [row, column] = [0, 0];
  // deno-lint-ignore no-control-regex
  for (const [token] of written.matchAll(/\x1b\[[0-9;?]*[A-Za-z]|[^]/gu)) {
    const line = rows[row]!;
    const count = Number(token.slice(2, -1)) || 1;
    if (token === "\r") column = 0;
    else if (token === "\n") [row, column] = [row + 1, 0]; // the terminal's driver adds the return
    else if (!token.startsWith("\x1b")) {
      if (column >= columns) [row, column] = [row + 1, 0];
      const here = rows[row] ??= [];
      here[column++] = token;
    } else if (token.endsWith("A")) row = Math.max(0, row - count);
    else if (token.endsWith("G")) column = count - 1;
    else if (token === "\x1b[2K") line.fill(" ");
    else if (token.endsWith("K") || token.endsWith("J")) {
      line.length = Math.min(line.length, column);
    }
    if (token.endsWith("J") && token.startsWith("\x1b")) rows.length = row + 1;
    rows[row] ??= [];
  }
  return rows.map((cells) => Array.from(cells, (cell) => cell ?? " ").join("").trimEnd());
}

/** A terminal in memory, whose rows can be looked at; its width can be changed. */
export class FakeScreen implements Screen {
  readonly isTerminal: boolean;
  width = 80;
  written = "";

  constructor({ isTerminal = true } = {}) {
    this.isTerminal = isTerminal;
  }

  columns(): number {
    return this.width;
  }

  write(text: string): void {
    this.written += text;
  }

  get rows(): string[] {
    return rowsShown(this.written, this.width);
  }
}
