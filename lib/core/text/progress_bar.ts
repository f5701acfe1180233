/**
 * How much of something is done, in one line.
 * @module
 */

import { cut } from "./fitting_line.ts";
import { duration, groupDigits } from "./numbers.ts";

export interface ProgressBarOptions {
  readonly done: number;
  readonly total: number;
  /** What is counted, in the plural. */
  readonly unit: string;
  readonly seconds: number;
  /** Most characters that fit. */
  readonly columns: number;
}

const BAR_LENGTH = 24;

/** A bar with its share, rate and time left: `▓▓▓▓░░░░  41 %  410,000 of 1,000,000 …`; less on a narrow terminal. */
export function progressBar({ done, total, unit, seconds, columns }: ProgressBarOptions): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const full = Math.floor(share * BAR_LENGTH);
  const rate = seconds > 0 ? done / seconds : 0;
  const bar = "▓".repeat(full) + "░".repeat(BAR_LENGTH - full);
  const percent = `${Math.floor(share * 100)} %`;
  const left = rate > 0 ? `, ${duration((total - done) / rate)} left` : "";
  const amounts = `${groupDigits(done)} of ${groupDigits(total)} ${unit}, ${
    groupDigits(Math.round(rate))
  }/s`;
  const lines = [`${bar} ${percent}  ${amounts}${left}`, `${percent}  ${amounts}${left}`];
  return lines.find((line) => line.length <= columns) ?? cut(`${percent}${left}`, columns);
}
