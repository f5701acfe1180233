/**
 * Lotteries whose business has stopped: far fewer events than the same time of other weeks had.
 * @module
 */

import { isoTime } from "../text/time.ts";

/** A lottery and event type that is quiet, as it was judged last. Times in milliseconds since the epoch. */
export interface QuietLottery {
  readonly lotteryName: string;
  readonly eventType: string;
  /** Start of the windows that were judged first. */
  readonly quietSinceMs: number;
  /** Of the windows that were judged last. */
  readonly events: number;
  readonly expected: number;
  /** By how many weeks that was expected. */
  readonly weeks: number;
}

export interface QuietLotteries {
  /** How many there are. */
  readonly total: number;
  readonly listed: readonly QuietLottery[];
}

/** As the API and `status --json` have it. */
export function quietJson(lottery: QuietLottery) {
  return {
    lottery_name: lottery.lotteryName,
    event_type: lottery.eventType,
    quiet_since: isoTime(lottery.quietSinceMs),
    events: lottery.events,
    expected: lottery.expected,
    weeks: lottery.weeks,
  };
}
