/**
 * What was measured, as a table for people and as JSON for programs.
 * @module
 */

import { textTable } from "../../lib/core/text/table.ts";

/** One line of the table. */
export interface Finding {
  readonly what: string;
  /** The figure and its unit. */
  readonly measured: string;
  /** What it is measured against, with its figure. */
  readonly beside?: string;
  /** Measured / beside; the median of the rounds. */
  readonly ratio?: number;
  /** What must be reached, and whether it is; left out where nothing is asked. */
  readonly goal?: string;
  readonly isReached?: boolean;
}

export function table(findings: readonly Finding[]): string[] {
  return textTable(
    [
      { title: "what" },
      { title: "measured", isNumber: true },
      { title: "beside" },
      { title: "ratio", isNumber: true },
      { title: "goal" },
      { title: "" },
    ],
    findings.map(({ what, measured, beside = "", ratio, goal = "", isReached }) => [
      what,
      measured,
      beside,
      ratio?.toFixed(2) ?? "",
      goal,
      isReached === undefined ? "" : isReached ? "reached" : "MISSED",
    ]),
  );
}

/** A finding with a ratio that has to reach `least`. */
export function compared(
  { what, measured, beside, ratio, least }: {
    readonly what: string;
    readonly measured: string;
    readonly beside: string;
    readonly ratio: number;
    readonly least: number;
  },
): Finding {
  return {
    what,
    measured,
    beside,
    ratio,
    goal: `≥ ${least.toFixed(2)}`,
    isReached: ratio >= least,
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that a share `q` of all values does not exceed. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

/** `2340000` as `2.34 M/s`. */
export function rate(perSecond: number): string {
  return perSecond >= 1e6
    ? `${(perSecond / 1e6).toFixed(2)} M/s`
    : `${(perSecond / 1e3).toFixed(0)} k/s`;
}
