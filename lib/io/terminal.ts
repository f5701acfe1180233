/**
 * Standard error as the place for lines and, on a terminal, one line of status below them.
 * @module
 */

const CLEAR_LINE = "\r\x1b[K";
const REDRAW_INTERVAL_MS = 100;

/** Lines and a status; where nobody looks, lines only. */
export class Terminal {
  /** Somebody looks at it. */
  readonly isInteractive = Deno.stderr.isTerminal();
  readonly hasColors: boolean;
  readonly #encoder = new TextEncoder();
  #status = "";
  #drawnAt = -Infinity;

  constructor({ noColor = Deno.noColor }: { readonly noColor?: boolean } = {}) {
    this.hasColors = this.isInteractive && !noColor;
  }

  /** Writes a line above the status. */
  writeLine(line: string): void {
    const status = this.#status;
    this.#write(status ? `${CLEAR_LINE}${line}\n${status}` : `${line}\n`);
  }

  /** Shows `text` in place of the last status; not more often than can be read, and on a terminal only. */
  showStatus(text: string): void {
    if (!this.isInteractive) return;
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_INTERVAL_MS) return;
    this.#drawnAt = now;
    this.#status = text.slice(0, columns() - 1);
    this.#write(CLEAR_LINE + this.#status);
  }

  /** Takes the status away, leaving `text` as a line if one is given. */
  endStatus(text?: string): void {
    if (this.#status) this.#write(CLEAR_LINE);
    this.#status = "";
    this.#drawnAt = -Infinity;
    if (text !== undefined) this.writeLine(text);
  }

  /** Asks a question that is answered with yes or no; null if nobody can answer. */
  confirm(question: string): boolean | null {
    return Deno.stdin.isTerminal() ? confirm(question) : null;
  }

  #write(text: string): void {
    let bytes = this.#encoder.encode(text);
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  }
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80;
  }
}

const BAR_LENGTH = 24;

/** A bar with its share, rate and time left: `▓▓▓▓░░░░  41 %  410,000 of 1,000,000 …`. */
export function progressBar(
  { done, total, unit, seconds }: {
    readonly done: number;
    readonly total: number;
    readonly unit: string;
    /** Time since the start. */
    readonly seconds: number;
  },
): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const full = Math.floor(share * BAR_LENGTH);
  const rate = seconds > 0 ? done / seconds : 0;
  const left = rate > 0 ? `, ${duration((total - done) / rate)} left` : "";
  return `${"▓".repeat(full)}${"░".repeat(BAR_LENGTH - full)} ${Math.floor(share * 100)} %  ` +
    `${groupDigits(done)} of ${groupDigits(total)} ${unit}, ${
      groupDigits(Math.round(rate))
    }/s${left}`;
}

/** `1234567` as `1,234,567`. */
export function groupDigits(value: number): string {
  return value.toLocaleString("en-US");
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
