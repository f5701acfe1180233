/**
 * Parses what an open page asks to see.
 * @module
 */

import { type FixedRange, isRange, type Range, RANGES } from "../../core/views/time_range.ts";
import type { ViewChoice } from "../../core/views/window_view.ts";
import { named, nameText, time, zoneName } from "./parameters.ts";
import { RequestError } from "./responses.ts";

const MAX_LOTTERIES = 20;
const MAX_YEARS = 10;
const MAX_RANGE_MS = MAX_YEARS * 366 * 24 * 60 * 60_000;

/**
 * The last quarter of an hour of all lotteries by default, in UTC.
 * @throws {RequestError} for an unknown range or zone, invalid times, and too many lotteries.
 */
export function viewChoice(parameters: URLSearchParams): ViewChoice {
  const { range, from, to, zone } = named(
    parameters,
    ["range", "from", "to", "zone"],
    ["lottery"],
  );
  return {
    range: from === undefined && to === undefined
      ? rangeOf(range)
      : fixedRange({ range, from, to }),
    lotteryNames: lotteryNames(parameters.getAll("lottery")),
    zone: zoneName(zone),
  };
}

function rangeOf(text = "15m"): Range {
  if (isRange(text)) return text;
  throw new RequestError(`range must be one of ${Object.keys(RANGES).join(", ")}.`);
}

function fixedRange(
  { range, from, to }: Readonly<Record<"range" | "from" | "to", string | undefined>>,
): FixedRange {
  if (from === undefined || to === undefined) {
    throw new RequestError("from and to must be given together.");
  }
  if (range !== undefined) throw new RequestError("Give either range, or from and to.");
  const [fromMs, toMs] = [time("from", from), time("to", to)];
  if (fromMs >= toMs) throw new RequestError("from must be before to.");
  if (toMs - fromMs > MAX_RANGE_MS) {
    throw new RequestError(`from and to must be at most ${MAX_YEARS} years apart.`);
  }
  return { fromMs, toMs };
}

/** Sorted, each once. An empty name, as forms send it, is none. */
function lotteryNames(values: readonly string[]): string[] {
  const names = new Set(values.filter((value) => value !== ""));
  if (names.size > MAX_LOTTERIES) {
    throw new RequestError(`At most ${MAX_LOTTERIES} lotteries can be chosen.`);
  }
  return [...names].map((name) => nameText("lottery", name)).toSorted();
}
