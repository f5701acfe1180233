/**
 * Standard error as the place for lines and, on a terminal, one line of status below them.
 * @module
 */

const REDRAW_INTERVAL_MS = 100;
/** Columns that stay free beside the status: for the cursor, and the `^C` that a terminal shows. */
const FREE_COLUMNS = 3;
const USUAL_COLUMNS = 80;

export interface Screen {
  readonly isTerminal: boolean;
  /** Width now, or 0 if it is not known. */
  columns(): number;
  write(text: string): void;
}

export interface TerminalOptions {
  readonly screen?: Screen;
  readonly noColor?: boolean;
  /** It cannot move its cursor: `TERM=dumb`. */
  readonly isDumb?: boolean;
}

/** Lines and a status; when the output is not a terminal, lines only. */
export class Terminal {
  readonly isInteractive: boolean;
  readonly hasColors: boolean;
  /** Lines are for programs: no status comes between them. */
  isForPrograms = false;
  readonly #screen: Screen;
  readonly #isDumb: boolean;
  #status = "";
  #drawnAt = -Infinity;

  constructor(
    { screen = standardError(), noColor = Deno.noColor, isDumb = false }: TerminalOptions = {},
  ) {
    this.#screen = screen;
    this.#isDumb = isDumb;
    this.isInteractive = screen.isTerminal;
    this.hasColors = this.isInteractive && !noColor && !isDumb;
  }

  /** A status is shown; otherwise what it would say is written as lines. */
  get showsStatus(): boolean {
    return this.isInteractive && !this.#isDumb && !this.isForPrograms;
  }

  /** Writes a line above the status. */
  writeLine(line: string): void {
    this.#screen.write(`${this.#clearing()}${line}\n${this.#status}`);
  }

  /**
   * Replaces the last status, at a readable pace, on a terminal only.
   * @param line makes it, given the number of columns that fit.
   */
  showStatus(line: (columns: number) => string): void {
    if (!this.showsStatus) return;
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_INTERVAL_MS) return;
    this.#drawnAt = now;
    const status = line(Math.max(1, this.#columns() - FREE_COLUMNS));
    if (status === this.#status) return;
    const clearing = this.#clearing();
    this.#status = status;
    this.#screen.write(clearing + status);
  }

  /** Removes the status, leaving `text` as a line if one is given. */
  endStatus(text?: string): void {
    if (this.#status) this.#screen.write(this.#clearing());
    this.#status = "";
    this.#drawnAt = -Infinity;
    if (text !== undefined) this.writeLine(text);
  }

  /** Asks a yes-or-no question; null if the input is not a terminal. */
  confirm(question: string): boolean | null {
    return Deno.stdin.isTerminal() ? confirm(question) : null;
  }

  /** What removes the status, also if a narrower terminal has wrapped it over several rows. */
  #clearing(): string {
    if (!this.#status) return "";
    const rowsAbove = Math.ceil(visibleLength(this.#status) / this.#columns()) - 1;
    return rowsAbove > 0 ? `\r\x1b[${rowsAbove}A\x1b[J` : "\r\x1b[K";
  }

  #columns(): number {
    return this.#screen.columns() || USUAL_COLUMNS;
  }
}

function visibleLength(text: string): number {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/\x1b\[[0-9;]*m/g, "").length;
}

function standardError(): Screen {
  const encoder = new TextEncoder();
  return {
    isTerminal: Deno.stderr.isTerminal(),
    columns: () => {
      try {
        return Deno.consoleSize().columns;
      } catch {
        return 0;
      }
    },
    write: (text) => {
      let bytes = encoder.encode(text);
      while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
    },
  };
}
