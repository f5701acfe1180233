/**
 * What the comparison of the hours with their minutes found.
 *
 * An hour is the sum of the stored windows that start in it, whatever the log still holds. Once one
 * of these windows is deleted for its age, the hour is not provable by itself any more: only the
 * ledger covers it. As with windows that are deleted, that is no lack of the audit.
 * @module
 */

import type { Tallies } from "./row_audit.ts";

export interface HourDifference {
  readonly hourStartMs: number;
  readonly lotteryName: string;
  readonly eventType: string;
  /** Null if no such hour exists. */
  readonly stored: number | null;
  /** Sum of its windows; null if none is there, and no such hour should exist. */
  readonly ofMinutes: number | null;
}

export interface HourAudit {
  readonly hours: Tallies;
  /** The first of those that are wrong. */
  readonly differences: readonly HourDifference[];
}
