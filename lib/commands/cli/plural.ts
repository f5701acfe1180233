/**
 * Numbers of things in messages.
 * @module
 */

import { groupDigits } from "../../core/text/numbers.ts";

/** `1 row` or `1,234 rows`, for nouns that take an s. */
export function plural(count: number, noun: string): string {
  return `${groupDigits(count)} ${noun}${count === 1 ? "" : "s"}`;
}
