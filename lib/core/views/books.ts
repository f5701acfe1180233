/**
 * The books: what was counted, by the ledger, and what the hours hold.
 * @module
 */

import { plural } from "../text/numbers.ts";

/** @param difference events that were counted and are not in the hours; not 0. */
export function booksProblem(difference: number): string {
  return `The books do not balance: lottery_hours has ${plural(Math.abs(difference), "event")} ` +
    `${
      difference > 0 ? "fewer" : "more"
    } than were counted. \`audit\` names the rows that are wrong`;
}
