/**
 * How far `produce` is: a line on a terminal, or one in the logs every ten seconds.
 * @module
 */

import { cut } from "../../core/text/fitting_line.ts";
import { groupDigits } from "../../core/text/numbers.ts";
import { progressBar } from "../../core/text/progress_bar.ts";
import { log } from "../../io/logs.ts";
import type { Terminal } from "../../io/terminal.ts";

const REPORT_INTERVAL_MS = 10_000;

export interface ProgressOptions {
  readonly terminal: Terminal;
  /** How many are sent in the end; `Infinity` if that is open. */
  readonly total: number;
  /** What they are, in the plural. */
  readonly unit: string;
  readonly topic: string;
}

/** Begins when it is made. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #startedAt = performance.now();
  #reportedAt = this.#startedAt;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  show(sent: number): void {
    const { terminal, total, unit, topic } = this.#options;
    const { seconds } = this;
    const perSecond = Math.round(sent / seconds);
    terminal.showStatus((columns) =>
      Number.isFinite(total)
        ? progressBar({ done: sent, total, unit, seconds, columns })
        : cut(`${groupDigits(perSecond)}/s · ${groupDigits(sent)} ${unit} to ${topic}`, columns)
    );
    const now = performance.now();
    if (terminal.showsStatus || now - this.#reportedAt < REPORT_INTERVAL_MS) return;
    this.#reportedAt = now;
    log.info("Sent {sent} {unit}, {perSecond}/s", { sent, unit, perSecond });
  }

  /** The last line. */
  end(sent: number): void {
    this.#options.terminal.endStatus();
    const seconds = Math.round(this.seconds * 10) / 10;
    log.info("Sent {sent} {unit} in {seconds} s: {perSecond} records/s", {
      sent,
      unit: this.#options.unit,
      seconds,
      perSecond: Math.round(sent / this.seconds),
    });
  }
}
