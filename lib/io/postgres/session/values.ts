/**
 * Parsers of the database's values. One that cannot be read fails its query: it must never become
 * null, which means no value.
 * @module
 */

// @ts-types="@types/pg"
import pg from "pg";

const INT8_OID = 20;

/** The driver's parsers, except that `bigint` becomes a number: all of ours are below 2^53. */
export function getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (oid === INT8_OID) return toSafeInteger;
  const parse: (value: string) => unknown = format === "binary"
    ? pg.types.getTypeParser(oid, "binary") as (value: unknown) => unknown
    : pg.types.getTypeParser(oid, "text");
  return (value) => {
    const parsed = parse(value);
    if (isReadable(parsed)) return parsed;
    throw new RangeError(`Cannot read the value ${JSON.stringify(value)} of the database`);
  };
}

/** The driver gives null, NaN or an invalid Date for what it cannot read, and ±Infinity for such a time. */
function isReadable(value: unknown): boolean {
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  return value !== null && value !== undefined &&
    (typeof value !== "number" || Number.isFinite(value));
}

function toSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`Cannot count exactly with ${text}`);
  return value;
}
