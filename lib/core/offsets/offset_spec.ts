/**
 * Where counting is to continue in a log, as it is written on a command line.
 * @module
 */

import { parseIsoTime } from "../text/time.ts";
import type { LogRange } from "./log_range.ts";
import { partitionNames } from "./partition_names.ts";

/** The log's start, its end, the first records since a time (from 1970 on), or an offset for each partition. */
export type OffsetSpec =
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "time"; readonly timeMs: number }
  | {
    readonly kind: "offsets";
    readonly offsets: ReadonlyMap<number, number>;
    /** Null if they were given without one. */
    readonly topic: string | null;
  };

/**
 * Parses `start`, `end`, a time like `2026-01-31T12:00:00Z`, or the next offset of each
 * partition, as `0:120,1:98` or as Spark writes it into a checkpoint: `{"topic":{"0":120}}`.
 * @throws {SyntaxError} with a sentence for the user.
 */
export function parseOffsetSpec(text: string): OffsetSpec {
  if (text === "start" || text === "end") return { kind: text };
  if (text.startsWith("{")) return { kind: "offsets", ...parseSparkOffsets(text) };
  if (/^\d+:/.test(text)) {
    return { kind: "offsets", topic: null, offsets: toOffsets(text.split(",").map(splitPair)) };
  }
  const timeMs = parseIsoTime(text);
  // Kafka has no times before 1970: it takes -1 for the log's end, and refuses most others.
  if (timeMs !== null) return timeMs < 0 ? { kind: "start" } : { kind: "time", timeMs };
  throw new SyntaxError(
    'It must be start, end, a time like 2026-01-31T12:00:00Z, or offsets like 0:120,1:98 or {"topic":{"0":120}}.',
  );
}

function splitPair(pair: string): readonly [string, string] {
  const [partition = "", offset = "", rest] = pair.split(":");
  return [partition, rest === undefined ? offset : ""];
}

function parseSparkOffsets(
  text: string,
): { readonly topic: string; readonly offsets: ReadonlyMap<number, number> } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError("It begins like JSON, but is not valid JSON.", { cause: error });
  }
  const [[topic, offsets] = [], another] = Object.entries(value as object);
  if (topic === undefined || another || offsets === null || typeof offsets !== "object") {
    throw new SyntaxError('It must name one topic with its offsets: {"topic":{"0":120}}.');
  }
  const pairs = Object.entries(offsets).map(([partition, offset]) =>
    [partition, typeof offset === "number" ? String(offset) : ""] as const
  );
  return { topic, offsets: toOffsets(pairs) };
}

function toOffsets(pairs: readonly (readonly [string, string])[]): Map<number, number> {
  const offsets = new Map<number, number>();
  for (const [partition, offset] of pairs) {
    const isWhole = /^\d{1,9}$/.test(partition) && /^\d{1,15}$/.test(offset);
    if (!isWhole || offsets.has(Number(partition))) {
      throw new SyntaxError(
        `It must give one offset for each partition, but has ${partition}:${offset}.`,
      );
    }
    offsets.set(Number(partition), Number(offset));
  }
  return offsets;
}

/** What is wrong with these offsets in that log, in a sentence; null if each partition has one that fits. */
export function offsetsProblem(
  offsets: ReadonlyMap<number, number>,
  ranges: ReadonlyMap<number, LogRange>,
): string | null {
  const missing = [...ranges.keys()].filter((partition) => !offsets.has(partition));
  if (missing.length > 0) {
    return `they leave out ${partitionNames(missing)} of the topic`;
  }
  for (const [partition, offset] of offsets) {
    const range = ranges.get(partition);
    if (!range) return `the topic has no partition ${partition}`;
    if (offset < range.startOffset || offset > range.endOffset) {
      return `offset ${offset} is not in partition ${partition}, which holds ` +
        `${range.startOffset} to ${range.endOffset}`;
    }
  }
  return null;
}
