/**
 * Log lines: for a person on a terminal, as JSON elsewhere. They go to standard error.
 * @module
 */

import { configure, getLogger, type Logger, type LogRecord } from "@logtape/logtape";
import { describe } from "../core/failure.ts";
import type { LastingGap } from "../core/offsets/lasting_gaps.ts";
import { COMPACTED_NOTE } from "../core/offsets/log_range.ts";
import { unavailableText } from "../core/offsets/partition_names.ts";
import type { LogFormat, LogLevel } from "../core/settings/config.ts";
import { groupDigits } from "../core/text/numbers.ts";
import { printable, printableJson } from "../core/text/printable.ts";
import { withSnakeNames } from "../core/text/snake_case.ts";
import type { Commit } from "../core/windowing/pending.ts";
import type { Outage } from "../observers/system_states.ts";
import type { OutageListener } from "../observers/worker_state.ts";
import type { CoverageObserver, PipelineObserver } from "../pipeline/observer.ts";
import type { FencedError } from "../pipeline/sink.ts";
import type { Terminal } from "./terminal.ts";

export const log: Logger = getLogger(["lottery"]);

/** How logs look, and how much of them is shown. */
export interface LogOptions {
  readonly level: LogLevel;
  /** `undefined`: pretty on a terminal, JSON elsewhere. */
  readonly format: LogFormat | undefined;
  readonly terminal: Terminal;
}

/** Sets up where log lines go and how they look; nothing is logged before. */
export async function configureLogs({ level, format, terminal }: LogOptions): Promise<void> {
  const isPretty = format === undefined ? terminal.isInteractive : format === "pretty";
  terminal.isForPrograms = !isPretty;
  const toLine = isPretty
    ? (record: LogRecord) => prettyLine(record, terminal.hasColors)
    : jsonLine;
  await configure({
    sinks: {
      stderr: (record: LogRecord) => terminal.writeLine(toLine(record)),
    },
    loggers: [
      { category: "lottery", lowestLevel: level === "warn" ? "warning" : level, sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
    reset: true,
  });
}

/** One line of JSON: time, level, message, and what the message was made of. */
function jsonLine(record: LogRecord): string {
  return printableJson(withSnakeNames({
    time: new Date(record.timestamp).toISOString(),
    level: levelName(record),
    message: plainText(record.message),
    ...record.properties,
  }));
}

function levelName({ level }: LogRecord): string {
  return level === "warning" ? "warn" : level;
}

const LEVEL_COLORS: Readonly<Record<string, string>> = { warn: "\x1b[33m", error: "\x1b[31m" };

/** `21:07:26 WARN message`, the level only where it is not the usual one. */
function prettyLine(record: LogRecord, hasColors: boolean): string {
  const level = levelName(record);
  const time = new Date(record.timestamp).toTimeString().slice(0, 8);
  const name = level === "info" ? "" : `${level.toUpperCase()} `;
  const text = `${name}${printable(plainText(record.message))}`;
  const color = hasColors ? LEVEL_COLORS[level] : undefined;
  return color ? `${time} ${color}${text}\x1b[0m` : `${time} ${text}`;
}

function plainText(message: readonly unknown[]): string {
  return message.map((part) => {
    if (typeof part === "string") return part;
    return typeof part === "number" && part >= 10_000 ? groupDigits(part) : Deno.inspect(part);
  }).join("");
}

/** Throttling within this time of the last is not logged again. */
const THROTTLE_SILENCE_MS = 600_000;

/** Logs what a pipeline does: changes of state, not repeats. */
export class LogObserver implements Partial<PipelineObserver & CoverageObserver>, OutageListener {
  #isStuck = false;
  /** The uncounted partitions that were logged last. */
  #gaps = "";
  #isCompacted = false;
  /** The unreadable partitions that were logged last. */
  #unavailable: string | null = null;
  #throttledMs = -Infinity;

  assigned(partitions: readonly number[]): void {
    const count = partitions.length;
    const noun = count === 1 ? "partition" : "partitions";
    log.info(
      count === 0 ? "No partition assigned: standing by" : `Reading {count} ${noun}: {partitions}`,
      { count, partitions: partitions.join(", ") },
    );
  }

  committed({ events, deadLetters, lostRanges }: Commit, seconds: number): void {
    this.#isStuck = false;
    for (const { partition, from, to } of lostRanges) {
      log.error(
        "Lost offsets {from} to {last} of partition {partition}: Kafka had deleted them before they were read",
        { partition, from, last: to - 1 },
      );
    }
    log.debug("Committed {events} events and {deadLetters} dead letters in {seconds} s", {
      events,
      deadLetters: deadLetters.length,
      seconds,
    });
  }

  fenced(error: FencedError): void {
    if (error.isStuck) {
      if (!this.#isStuck) {
        log.error(
          "PostgreSQL refuses every commit although no other worker has committed: {reason}",
          {
            reason: error.message,
          },
        );
      }
      this.#isStuck = true;
      return;
    }
    log.warn(
      "Another worker has committed: counting again from the stored offsets ({reason})",
      { reason: error.message },
    );
  }

  stalled(partitions: readonly number[]): void {
    log.warn(
      "No records arrive from partitions {partitions} although they have some: reconnecting",
      {
        partitions: partitions.join(", "),
      },
    );
  }

  unavailable(partitions: ReadonlyMap<number, string>): void {
    const text = partitions.size === 0 ? null : unavailableText(partitions);
    if (text === this.#unavailable) return;
    this.#unavailable = text;
    if (text === null) log.info("All assigned partitions can be read again");
    else {log.warn("Cannot read {partitions}. The other partitions are counted", {
        partitions: text,
      });}
  }

  throttled(): void {
    const nowMs = Date.now();
    const isNews = nowMs - this.#throttledMs > THROTTLE_SILENCE_MS;
    this.#throttledMs = nowMs;
    if (!isNews) return;
    log.warn(
      "Kafka throttles this worker because of a quota on its user or client id. Counting continues at " +
        "that rate. If lag grows, raise consumer_byte_rate or request_percentage",
    );
  }

  outageBegan({ system, error }: Outage): void {
    log.warn("Waiting for {system}, retrying until it answers: {reason}", {
      system,
      reason: describe(error),
    });
  }

  outageEnded({ system, sinceMs, attempts }: Outage): void {
    const seconds = Math.round((Date.now() - sinceMs) / 1000);
    const noun = attempts === 1 ? "attempt" : "attempts";
    log.info(`{system} is back after {seconds} s ({attempts} ${noun})`, {
      system,
      seconds,
      attempts,
    });
  }

  compacted(isCompacted: boolean): void {
    if (isCompacted && !this.#isCompacted) log.warn(`Note that ${COMPACTED_NOTE}`);
    this.#isCompacted = isCompacted;
  }

  uncounted(gaps: readonly LastingGap[], problems: readonly string[]): void {
    const found = JSON.stringify(gaps);
    if (found === this.#gaps) return;
    if (gaps.length > 0) log.error("{problems}", { problems: problems.join("; ") });
    else if (this.#gaps !== "") log.info("Every partition is counted again");
    this.#gaps = gaps.length > 0 ? found : "";
  }

  abandoned(error: unknown): void {
    log.warn(
      "Stopping without the last commit: {reason}. Nothing is lost: the next start reads the records again.",
      { reason: describe(error) },
    );
  }
}
