/**
 * The JSON of answers with counts.
 * @module
 */

import { isoTime } from "../../../core/text/time.ts";
import { stepName } from "../../../core/views/steps.ts";
import type { CountsQuery } from "../../postgres/queries/counts/query.ts";
import type { CountsPage } from "../../postgres/queries/counts/counts.ts";
import type { Reasons, ReasonsQuery } from "../../postgres/queries/dead_letter_reasons.ts";
import type { Expected, ExpectedQuery } from "../../postgres/queries/counts/expected.ts";
import type { Totals, TotalsQuery } from "../../postgres/queries/totals.ts";
import { cursorText } from "./cursor.ts";

export function countsJson(
  { fromMs, toMs, stepSeconds }: CountsQuery,
  { rows, next, keptFromMs }: CountsPage,
) {
  return {
    from: isoTime(fromMs),
    to: isoTime(toMs),
    step: stepName(stepSeconds * 1000),
    kept_from: isoTime(keptFromMs),
    next: next && cursorText({ fromMs, toMs, after: next }),
    aggregates: rows.map((row) => ({
      window_start: isoTime(row.startMs),
      window_end: isoTime(row.endMs),
      lottery_name: row.lotteryName,
      event_type: row.eventType,
      event_count: row.count,
      closed: row.isClosed,
    })),
  };
}

export function totalsJson({ fromMs, toMs }: TotalsQuery, totals: Totals) {
  return {
    from: isoTime(fromMs),
    to: isoTime(toMs),
    event_types: totals.eventTypes,
    lottery_names: totals.lotteryNames,
    other_lotteries: totals.otherLotteries,
    totals: totals.totals,
    totals_week_ago: totals.totalsWeekAgo,
    closed: totals.isClosed,
    complete: totals.isWhole,
  };
}

export function expectedJson({ fromMs, toMs }: ExpectedQuery, expected: Expected) {
  const { isClosed, isTruncated, rows } = expected;
  return {
    from: isoTime(fromMs),
    to: isoTime(toMs),
    closed: isClosed,
    truncated: isTruncated,
    expected: rows.map((row) => ({
      lottery_name: row.lotteryName,
      event_type: row.eventType,
      event_count: row.events,
      expected_count: row.expected,
      weeks: row.weeks,
    })),
  };
}

/** The range is that of the bars. */
export function reasonsJson(
  { fromMs, toMs, stepSeconds }: ReasonsQuery,
  { bars, totals }: Reasons,
) {
  return {
    from: isoTime(bars[0]?.startMs ?? fromMs),
    to: isoTime(bars.at(-1)?.endMs ?? toMs),
    step: stepName(stepSeconds * 1000),
    bars: bars.map(({ startMs, endMs, reasons }) => ({
      start: isoTime(startMs),
      end: isoTime(endMs),
      reasons: Object.fromEntries(reasons),
    })),
    totals,
  };
}

export type TotalsJson = ReturnType<typeof totalsJson>;
export type ReasonsJson = ReturnType<typeof reasonsJson>;
