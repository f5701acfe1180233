/**
 * The results of the checks of `doctor`.
 * @module
 */

import { describe } from "../../core/failure.ts";

export interface Finding {
  readonly subject: string;
  readonly isGood: boolean;
  readonly text: string;
}

/** Runs a check. The text is what it returns, or why it failed. */
export async function finding(subject: string, check: () => Promise<string>): Promise<Finding> {
  try {
    return { subject, isGood: true, text: await check() };
  } catch (error) {
    return { subject, isGood: false, text: describe(error) };
  }
}
