/**
 * Mails about lotteries that are quiet: far fewer events than the same time of other weeks had.
 * @module
 */

import type { Alert } from "./alert.ts";
import { groupDigits, plural } from "./text/numbers.ts";
import { printable } from "./text/printable.ts";
import { utcTime } from "./text/time.ts";

/** What has changed for a lottery and type, or for event time as a whole. */
export interface QuietChange {
  readonly change: "is quiet" | "is over" | "stands still" | "moves again";
  /** Empty for event time, as the event type is. */
  readonly lotteryName: string;
  readonly eventType: string;
  /** Since when it is or was quiet, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Of the range that was judged. */
  readonly events: number;
  readonly expected: number;
  /** By how many weeks it is expected. */
  readonly weeks: number;
}

/** Further ones are only counted. */
const MAX_LISTED = 30;

/** One mail each for what has become quiet, for what is over, and for event time. */
export function quietAlerts(
  changes: readonly QuietChange[],
  { minutes }: { readonly minutes: number },
): Alert[] {
  return Array.from(
    Map.groupBy(changes, ({ change }) => change),
    ([change, them]) => {
      const sinceMs = them.reduce((ms, each) => Math.min(ms, each.sinceMs), Infinity);
      return { ...ALERTS[change](them, minutes), sinceMs };
    },
  );
}

type About = (changes: readonly QuietChange[], minutes: number) => Omit<Alert, "sinceMs">;

const ALERTS: Readonly<Record<QuietChange["change"], About>> = {
  "is quiet": (changes) => ({
    cause: "lottery_quiet",
    title: `Almost no ${subject(changes)}`,
    error: new Error(list(changes)),
    doing: "It keeps counting, and has counted everything up to now. A mail says when it is over.",
    advice:
      "Check what sells these lotteries and takes the payments: shop, provider, producer of the events. " +
      "The page and `status` list what is quiet.",
  }),
  "is over": (changes) => ({
    cause: "lottery_quiet",
    title: `Recovered: ${subject(changes)} again`,
    error: new Error(list(changes)),
    doing: "It keeps counting.",
    advice: "Nothing.",
  }),
  "stands still": ([standstill], minutes) => ({
    cause: "event_time_stands_still",
    title: "No events arrive",
    error: new Error(
      `none is newer than ${utcTime(standstill!.sinceMs)}; ${
        groupDigits(standstill!.expected)
      } were expected within ${plural(minutes, "minute")} since then${by(standstill!.weeks)}`,
    ),
    doing:
      "It keeps waiting, and has read everything that is in the topic. A mail says when it is over.",
    advice: "Check what produces the events, and whether it produces into this topic.",
  }),
  "moves again": () => ({
    cause: "event_time_stands_still",
    title: "Recovered: events arrive again",
    doing: "It keeps counting.",
    advice: "Nothing.",
  }),
};

/** `pay of keno`, or how many there are. */
function subject(changes: readonly QuietChange[]): string {
  return changes.length === 1
    ? nameOf(changes[0]!)
    : `${[...new Set(changes.map(({ eventType }) => printable(eventType)))].join(", ")} of ${
      plural(new Set(changes.map(({ lotteryName }) => lotteryName)).size, "lottery", "lotteries")
    }`;
}

function list(changes: readonly QuietChange[]): string {
  const lines = changes.slice(0, MAX_LISTED).map((change) => {
    const { events, expected, weeks, sinceMs } = change;
    return `${nameOf(change)}: ${events} of ${expected} events${by(weeks)}, quiet since ${
      utcTime(sinceMs)
    }`;
  });
  const rest = changes.length - lines.length;
  return [...lines, ...rest === 0 ? [] : [`and ${rest} more`]].join("\n");
}

function nameOf({ lotteryName, eventType }: QuietChange): string {
  return `${printable(eventType)} of ${printable(lotteryName)}`;
}

function by(weeks: number): string {
  return weeks === 0 ? "" : ` (by ${plural(weeks, "week")})`;
}
