/**
 * One line of several parts that fits a terminal: on a narrow one the least important
 * parts are left out.
 * @module
 */

export interface LinePart {
  readonly text: string;
  /** The least one stays longest. */
  readonly rank: number;
  readonly color?: "yellow" | "cyan";
}

export interface FittingOptions {
  /** Most characters that fit. */
  readonly columns: number;
  readonly hasColors: boolean;
}

const SEPARATOR = " · ";
const COLORS = { yellow: "\x1b[33m", cyan: "\x1b[36m" } as const;
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";

/** The parts in their order, as many as fit; always with the most important one. */
export function fittingLine(
  parts: readonly LinePart[],
  { columns, hasColors }: FittingOptions,
): string {
  let kept: readonly LinePart[] = [];
  for (const part of parts.toSorted((a, b) => a.rank - b.rank)) {
    const more = parts.filter((each) => each === part || kept.includes(each));
    if (kept.length === 0 || widthOf(more) <= columns) kept = more;
  }
  const shown = kept.map((part) => ({ ...part, text: cut(part.text, columns) }));
  if (!hasColors) return shown.map(({ text }) => text).join(SEPARATOR);
  return shown
    .map(({ text, color }) => color ? `${COLORS[color]}${text}${RESET}` : text)
    .join(`${DIM}${SEPARATOR}${RESET}`);
}

/** The text, or as much of it as fits. */
export function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

function widthOf(parts: readonly LinePart[]): number {
  return parts.map(({ text }) => text).join(SEPARATOR).length;
}
