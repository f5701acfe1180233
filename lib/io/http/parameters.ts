/**
 * Parses the query parameters of requests.
 * @module
 */

import { parseIsoTime } from "../../core/text/time.ts";
import { zoneOf } from "../../core/text/zone.ts";
import type { LotterySearch } from "../postgres/queries/lotteries.ts";
import { RequestError } from "./responses.ts";

const MAX_DEAD_LETTERS = 100;
const MAX_LOTTERIES = 20;
const DEFAULT_DEAD_LETTERS = 20;
/** Longer than any lottery's name can be. */
const MAX_NAME_LENGTH = 400;

/** @throws {RequestError} unless it is a number from 1 to 100. */
export function deadLettersLimit(parameters: URLSearchParams): number {
  const { limit } = named(parameters, ["limit"]);
  if (limit === undefined) return DEFAULT_DEAD_LETTERS;
  const number = /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (number < 1 || number > MAX_DEAD_LETTERS) {
    throw new RequestError(`limit must be a whole number from 1 to ${MAX_DEAD_LETTERS}.`);
  }
  return number;
}

/** @throws {RequestError} for text that no name can contain. */
export function lotterySearch(parameters: URLSearchParams): LotterySearch {
  const { search } = named(parameters, ["search"]);
  return { text: nameText("search", search ?? ""), limit: MAX_LOTTERIES };
}

export function noParameters(parameters: URLSearchParams): void {
  named(parameters, []);
}

/**
 * Values by name. Unknown and repeated names are refused, because they would have no effect;
 * those in `repeatable` may be given any number of times, and are not among the values.
 */
export function named<Name extends string>(
  parameters: URLSearchParams,
  names: readonly Name[],
  repeatable: readonly string[] = [],
): Partial<Record<Name, string>> {
  const values: Partial<Record<Name, string>> = {};
  for (const [name, value] of parameters) {
    if (repeatable.includes(name)) continue;
    const known = names.find((each) => each === name);
    if (known === undefined) {
      throw new RequestError(
        `Unknown parameter "${name}". Supported: ${
          [...names, ...repeatable].join(", ") || "none"
        }.`,
      );
    }
    if (values[known] !== undefined) throw new RequestError(`${name} may be given only once.`);
    values[known] = value;
  }
  return values;
}

export function time(name: string, value: string): number {
  const timeMs = parseIsoTime(value);
  if (timeMs !== null) return timeMs;
  throw new RequestError(
    `${name} must be a time like 2026-01-31T12:00:00Z (in a URL, write + as %2B).`,
  );
}

export const UNKNOWN_ZONE = "zone must be the IANA name of a time zone, such as Europe/Berlin.";

export function zoneName(name = "UTC"): string {
  const zone = zoneOf(name);
  if (zone === null) throw new RequestError(UNKNOWN_ZONE);
  return zone;
}

export function nameText(name: string, value: string): string {
  if (value.length > MAX_NAME_LENGTH || value.includes("\0") || !value.isWellFormed()) {
    throw new RequestError(
      `${name} must be text of at most ${MAX_NAME_LENGTH} characters, without NUL.`,
    );
  }
  return value;
}
