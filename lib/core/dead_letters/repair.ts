/**
 * Repairs: what an operator sets in the value of a dead letter, so that it becomes an event.
 * @module
 */

import { parseIsoTime } from "../text/time.ts";

/** Fields to set; those left out stay as they are. */
export interface Repair {
  readonly lottery_name?: string;
  readonly event_type?: string;
  /**
   * Milliseconds since the epoch; or `record`, the record's own timestamp; or `seconds`,
   * the value's own number taken for seconds.
   */
  readonly timestamp?: number | "record" | "seconds";
}

/**
 * Adds one `field=value` to a repair.
 * @throws {RangeError} saying what may be set.
 */
export function addRepair(repair: Repair, assignment: string): Repair {
  const [, field, value] = assignment.match(/^(\w+)=([^]*)$/) ?? [];
  switch (field) {
    case "lottery_name":
    case "event_type":
      return { ...repair, [field]: value! };
    case "timestamp":
      return { ...repair, timestamp: parseTimestamp(value!) };
    default:
      throw new RangeError("It must be lottery_name=…, event_type=… or timestamp=….");
  }
}

function parseTimestamp(text: string): number | "record" | "seconds" {
  if (text === "record" || text === "seconds") return text;
  if (/^\d{1,16}$/.test(text)) return Number(text);
  const timeMs = parseIsoTime(text);
  if (timeMs !== null) return timeMs;
  throw new RangeError(
    "The timestamp must be milliseconds since 1970, a time like 2026-01-31T12:00:00Z, " +
      "record (the record's own timestamp) or seconds (to read the value's own number as seconds).",
  );
}

/**
 * The value with the repair done; unchanged without anything to repair. A value that is
 * not a JSON object is replaced by one of what is set.
 * @param recordTimestampMs the record's own timestamp, or −1.
 */
export function repaired(
  value: Uint8Array | null,
  repair: Repair,
  recordTimestampMs: number,
): Uint8Array | null {
  const { timestamp, ...names } = repair;
  if (timestamp === undefined && Object.keys(names).length === 0) return value;
  const fields: Record<string, unknown> = { ...fieldsOf(value), ...names };
  const timestampMs = timestamp === "record"
    ? known(recordTimestampMs)
    : timestamp === "seconds"
    ? toMs(fields.timestamp)
    : timestamp;
  if (timestampMs !== undefined) fields.timestamp = timestampMs;
  return new TextEncoder().encode(JSON.stringify(fields));
}

function known(recordTimestampMs: number): number | undefined {
  return recordTimestampMs < 0 ? undefined : recordTimestampMs;
}

function toMs(seconds: unknown): number | undefined {
  return typeof seconds === "number" ? Math.round(seconds * 1000) : undefined;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

function fieldsOf(value: Uint8Array | null): Record<string, unknown> {
  if (value === null) return {};
  try {
    const parsed = JSON.parse(UTF8.decode(value));
    return typeof parsed === "object" && !Array.isArray(parsed) ? parsed ?? {} : {};
  } catch {
    return {};
  }
}
