/**
 * A record's value becomes a lottery event, or the reason why it cannot be one.
 *
 * The answer depends on the record alone (its value and its own timestamp), so
 * that a recount of the topic gives the same result as the first count.
 * @module
 */

import { MAX_PART_BYTES } from "../records/record_batch.ts";
import { EventScanner } from "./json_scanner.ts";

/** What a user of a lottery did. Both names are well-formed text that PostgreSQL stores without loss. */
export interface LotteryEvent {
  readonly lotteryName: string;
  readonly eventType: string;
  /** Event time: milliseconds since 1970-01-01 UTC. */
  readonly timestampMs: number;
}

/** Every reason to keep a record as a dead letter instead of counting it. */
export const REJECTION_REASONS = [
  "tombstone",
  "value_too_large",
  "not_utf8",
  "not_json",
  "not_an_object",
  "lottery_name_missing",
  "lottery_name_not_text",
  "lottery_name_empty",
  "lottery_name_too_long",
  "lottery_name_not_storable",
  "event_type_missing",
  "event_type_not_text",
  "event_type_empty",
  "event_type_too_long",
  "event_type_not_storable",
  "timestamp_missing",
  "timestamp_not_an_integer",
  "timestamp_not_positive",
  "timestamp_in_seconds",
  "timestamp_out_of_range",
  "timestamp_in_future",
] as const;

export type RejectionReason = typeof REJECTION_REASONS[number];

/**
 * Raised whenever a record could get another answer than before: counts made
 * under two versions must not be mixed.
 */
export const EVENT_RULES_VERSION = 2;

/** Longest names, in code points, which is how PostgreSQL counts characters. */
export const MAX_LOTTERY_NAME_LENGTH = 255;
export const MAX_EVENT_TYPE_LENGTH = 100;

/** A smaller timestamp is taken for seconds: as milliseconds it would lie before March 1973. */
const LEAST_TIMESTAMP_MS = 1e11;
/** 9999-12-31T23:59:59.999Z. */
export const GREATEST_TIMESTAMP_MS = 253_402_300_799_999;

/** Between two values that follow each other are the fields of a record, and seldom more. */
const NEAR_BYTES = 256;

export interface EventParserOptions {
  /** How far an event may lie ahead of its own record's timestamp. */
  readonly maxFutureMs: number;
}

/** Turns values into events. Keeps the text of a batch whose values are not for the scanner. */
export class EventParser {
  readonly #maxFutureMs: number;
  readonly #scanner = new EventScanner({
    decodeLotteryName: (bytes) => decodeName("lottery_name", bytes, MAX_LOTTERY_NAME_LENGTH),
    decodeEventType: (bytes) => decodeName("event_type", bytes, MAX_EVENT_TYPE_LENGTH),
  });
  /** Where the last value without the scanner was. */
  #bytes: Uint8Array | null = null;
  #end = 0;
  /** Text of these bytes, or null if they are not decoded as a whole. */
  #text: string | null = null;

  constructor({ maxFutureMs }: EventParserOptions) {
    this.#maxFutureMs = maxFutureMs;
  }

  /**
   * @param bytes holds the value, between `start` and `end`; a negative `start` is a null value.
   * @param size bytes of a value that is not held as a whole.
   * @param recordTimestampMs the record's own timestamp: any number, if its producer is wrong.
   */
  parse(
    bytes: Uint8Array,
    { start, end, size = end - start, recordTimestampMs }: {
      readonly start: number;
      readonly end: number;
      readonly size?: number;
      readonly recordTimestampMs: number;
    },
  ): LotteryEvent | RejectionReason {
    if (start < 0) return "tombstone";
    if (size > MAX_PART_BYTES) return "value_too_large";

    const scanner = this.#scanner;
    if (scanner.scan(bytes, start, end)) {
      const { lotteryName, eventType, timestamp: timestampMs } = scanner;
      return this.#timestampProblem(timestampMs, recordTimestampMs) ??
        { lotteryName, eventType, timestampMs };
    }

    const text = this.#textOf(bytes, start, end);
    if (text === null) return "not_utf8";

    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return "not_json";
    }
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      return "not_an_object";
    }

    const { lottery_name, event_type, timestamp } = value as Record<string, unknown>;
    return nameProblem("lottery_name", lottery_name, MAX_LOTTERY_NAME_LENGTH) ??
      nameProblem("event_type", event_type, MAX_EVENT_TYPE_LENGTH) ??
      this.#timestampProblem(timestamp, recordTimestampMs) ??
      {
        lotteryName: lottery_name as string,
        eventType: event_type as string,
        timestampMs: timestamp as number,
      };
  }

  /**
   * Decoding the whole batch once and slicing it costs half of a `TextDecoder`
   * call per value (0.57 against 1.33 µs an event with its JSON.parse), if values come here one after
   * the other; for a few of them it would cost more than all else. Latin-1 and UTF-8 agree on ASCII,
   * so a value with other bytes is always decoded alone.
   */
  #textOf(bytes: Uint8Array, start: number, end: number): string | null {
    for (let at = start; at < end; at++) {
      if (bytes[at]! >= 0x80) return decodeUtf8(bytes.subarray(start, end));
    }
    const isNext = this.#bytes === bytes && start - this.#end <= NEAR_BYTES;
    if (this.#bytes !== bytes) this.#text = null;
    this.#bytes = bytes;
    this.#end = end;
    if (isNext) this.#text ??= LATIN1.decode(bytes);
    return this.#text?.slice(start, end) ?? LATIN1.decode(bytes.subarray(start, end));
  }

  #timestampProblem(timestamp: unknown, recordTimestampMs: number): RejectionReason | null {
    if (timestamp === undefined) return "timestamp_missing";
    if (!Number.isInteger(timestamp)) return "timestamp_not_an_integer";
    const timestampMs = timestamp as number;
    if (timestampMs <= 0) return "timestamp_not_positive";
    if (timestampMs < LEAST_TIMESTAMP_MS) return "timestamp_in_seconds";
    if (timestampMs > GREATEST_TIMESTAMP_MS) return "timestamp_out_of_range";
    const isInFuture = isTime(recordTimestampMs) &&
      timestampMs > recordTimestampMs + this.#maxFutureMs;
    return isInFuture ? "timestamp_in_future" : null;
  }
}

/**
 * Whether a record's timestamp is a time. A producer may set none (−1) or anything else:
 * seconds, 0 or 1 say nothing about the future.
 */
function isTime(recordTimestampMs: number): boolean {
  return recordTimestampMs >= LEAST_TIMESTAMP_MS && recordTimestampMs <= GREATEST_TIMESTAMP_MS;
}

const LATIN1 = new TextDecoder("latin1");
/** A byte order mark before a value is skipped; one in a name is kept. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });
const UTF8_NAME = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array, decoder = UTF8): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** The name that the bytes are, or null if an event may not have it. */
function decodeName(
  field: "lottery_name" | "event_type",
  bytes: Uint8Array,
  maxLength: number,
): string | null {
  const name = decodeUtf8(bytes, UTF8_NAME);
  return name === null || nameProblem(field, name, maxLength) !== null ? null : name;
}

function nameProblem(
  field: "lottery_name" | "event_type",
  name: unknown,
  maxLength: number,
): RejectionReason | null {
  if (name === undefined) return `${field}_missing`;
  if (typeof name !== "string") return `${field}_not_text`;
  if (name === "") return `${field}_empty`;
  if (name.length > maxLength && codePoints(name) > maxLength) return `${field}_too_long`;
  // PostgreSQL has no NUL, and would store any lone surrogate as the same U+FFFD.
  if (name.includes("\0") || !name.isWellFormed()) return `${field}_not_storable`;
  return null;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
