/**
 * Times as people and programs write them.
 * @module
 */

const HOUR_AND_MINUTE = "(?:[01]\\d|2[0-3]):[0-5]\\d";
const FORMAT = new RegExp(
  `^(\\d{4}-\\d\\d-\\d\\d)[T ]${HOUR_AND_MINUTE}(?::[0-5]\\d(?:\\.\\d{1,3})?)?(?:Z|[+-]${HOUR_AND_MINUTE})$`,
);

/**
 * Milliseconds since the epoch of a time like `2026-01-31T12:00:00Z`, with or without seconds and
 * their fraction, with a space for the `T`, and always with its zone; null for anything else, also
 * for a day that its month does not have, which `Date.parse` takes for one of the next.
 * @see https://www.rfc-editor.org/rfc/rfc3339
 */
export function parseIsoTime(text: string): number | null {
  const day = text.match(FORMAT)?.[1];
  if (day === undefined) return null;
  const dayMs = Date.parse(day);
  if (Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(day)) return null;
  return Date.parse(text.replace(" ", "T"));
}

/** UTC, to the second: `2023-01-01 00:00:00Z`. */
export function utcTime(timeMs: number): string {
  return `${isoTime(timeMs).slice(0, 19).replace("T", " ")}Z`;
}

/** UTC, to the millisecond: `2023-01-01T00:00:00.000Z`; null for null. */
export function isoTime(timeMs: number): string;
export function isoTime(timeMs: number | null): string | null;
export function isoTime(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}
